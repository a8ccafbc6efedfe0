import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, type Block, drop, hold, isAlive, sweepBlocks } from '../../src/arena/allocator.js';
import { createEnvelope, messageIn } from '../../src/arena/envelope.js';
import type { Member } from '../../src/arena/member.js';
import { claimSlot, enterSlot } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse } from '../../src/arena/walk.js';
import { ClosedError } from '../../src/base/errors.js';
import { atEveryChange } from '../fixtures/arena-death.js';
import { openStage, SCRATCH, type Stage } from '../fixtures/arena-stage.js';

const MESSAGE = new Uint8Array([1, 2, 3]);

function newMember({ arena, owner }: Stage): Member {
  const own = claimSlot(arena, owner);
  enterSlot(arena, own, process.pid);
  return { arena, owner: own } as Member;
}

function asMember({ arena, owner }: Stage): Member {
  return { arena, owner } as Member;
}

function blocksInUse(stage: Stage): number {
  return measureUse(stage.arena).blocks;
}

test('A block lives for as long as an envelope names it, and goes with the last one', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = blocksInUse(stage);
  const block = allocate(arena, owner, SCRATCH, 10);
  const envelopes = [1, 2, 3].map(() => createEnvelope(asMember(stage), [block, block], MESSAGE));
  drop(arena, block, owner);
  for (const envelope of envelopes) {
    assert.ok(isAlive(arena, block));
    assert.deepEqual([...messageIn(arena, envelope)], [1, 2, 3]);
    drop(arena, envelope, owner);
  }
  assert.ok(!isAlive(arena, block));
  assert.equal(blocksInUse(stage), before);
});

test('An envelope for a freed block is refused with ERR_FURCA_CLOSED and leaves nothing behind', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const kept = allocate(arena, owner, SCRATCH, 10);
  const freed = allocate(arena, owner, SCRATCH, 10);
  drop(arena, freed, owner);
  const before = blocksInUse(stage);
  assert.throws(() => createEnvelope(asMember(stage), [kept, freed], MESSAGE), ClosedError);
  assert.equal(blocksInUse(stage), before);
  drop(arena, kept, owner);
  assert.ok(!isAlive(arena, kept));
});

/** A block that `dead` and one envelope of the stage hold, so that it must outlive whatever `dead` does. */
function shared(stage: Stage, dead: Member): { block: Block; envelope: Block } {
  const block = allocate(stage.arena, stage.owner, SCRATCH, 10);
  hold(stage.arena, block, dead.owner);
  return { block, envelope: createEnvelope(asMember(stage), [block], MESSAGE) };
}

test('Who dies at any change while it makes an envelope leaves the others’ blocks alone and its own freed', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = blocksInUse(stage);
  const deaths = atEveryChange((die) => {
    const dead = newMember(stage);
    const { block, envelope } = shared(stage, dead);
    const own = allocate(arena, dead.owner, SCRATCH, 10);
    die(() => void createEnvelope(dead, [block, own], MESSAGE));
    sweepMember(arena, dead.owner, owner);
    assert.ok(!isAlive(arena, own));
    drop(arena, block, owner);
    assert.ok(isAlive(arena, block), 'the envelope of another holds it');
    drop(arena, envelope, owner);
    assert.ok(!isAlive(arena, block));
    assert.equal(blocksInUse(stage), before);
  });
  assert.ok(deaths > 10);
});

test('Who dies at any change while it frees an envelope frees it exactly once, for all who have a share', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = blocksInUse(stage);
  const deaths = atEveryChange((die) => {
    const dead = newMember(stage);
    const { block, envelope } = shared(stage, dead);
    const own = allocate(arena, dead.owner, SCRATCH, 10);
    const last = createEnvelope(dead, [block, own], MESSAGE);
    // Only the envelope holds this one.
    drop(arena, own, dead.owner);
    assert.ok(isAlive(arena, own));
    die(() => drop(arena, last, dead.owner));
    sweepMember(arena, dead.owner, owner);
    assert.ok(!isAlive(arena, own));
    drop(arena, block, owner);
    assert.ok(isAlive(arena, block), 'the envelope of another holds it');
    drop(arena, envelope, owner);
    assert.ok(!isAlive(arena, block));
    assert.equal(blocksInUse(stage), before);
  });
  assert.ok(deaths >= 5);
});

test('A sweeper that dies at any change while it frees envelopes of the dead is followed by one that finishes', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = blocksInUse(stage);
  const deaths = atEveryChange((die) => {
    const dead = newMember(stage);
    const sweeper = newMember(stage);
    const { block, envelope } = shared(stage, dead);
    createEnvelope(dead, [block], MESSAGE);
    die(() => sweepBlocks(arena, dead.owner, sweeper.owner));
    sweepMember(arena, sweeper.owner, owner);
    sweepMember(arena, dead.owner, owner);
    drop(arena, block, owner);
    assert.ok(isAlive(arena, block));
    drop(arena, envelope, owner);
    assert.equal(blocksInUse(stage), before);
  });
  assert.ok(deaths >= 5);
});

test('A message in flight to one that dies is freed with all it names', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = blocksInUse(stage);
  const reader = newMember(stage);
  const block = allocate(arena, owner, SCRATCH, 100_000);
  const envelope = createEnvelope(asMember(stage), [block], new Uint8Array(100_000));
  hold(arena, envelope, reader.owner);
  drop(arena, envelope, owner);
  drop(arena, block, owner);
  assert.ok(isAlive(arena, block));
  sweepMember(arena, reader.owner, owner);
  assert.ok(!isAlive(arena, block));
  assert.equal(blocksInUse(stage), before);
});
