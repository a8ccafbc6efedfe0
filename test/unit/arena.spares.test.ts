import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, type Block, drop, hold, payloadBytes } from '../../src/arena/allocator.js';
import { QUEUE } from '../../src/arena/lanes/lane-layout.js';
import { initQueue, LENT, NOTHING, PUT, QueueView } from '../../src/arena/lanes/queue-words.js';
import { KIND } from '../../src/arena/layout.js';
import { claimSlot, enterSlot } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse } from '../../src/arena/walk.js';
import { atEveryChange } from '../fixtures/arena-death.js';
import { openStage, type Stage } from '../fixtures/arena-stage.js';

const OWNER_DIED = 0x40000000;
const LARGE = 20_000;

interface Scene {
  readonly stage: Stage;
  readonly block: Block;
  readonly own: QueueView;
  readonly victim: QueueView;
}

/** A queue with two members. */
function openScene(): Scene {
  const stage = openStage();
  const { arena, owner } = stage;
  const block = allocate(arena, owner, KIND.QUEUE, QUEUE.BYTES);
  initQueue(arena, block, 0, 0);
  const member = claimSlot(arena, owner);
  enterSlot(arena, member, 4_000_000);
  hold(arena, block, member);
  return {
    stage,
    block,
    own: new QueueView(arena, block, owner),
    victim: new QueueView(arena, block, member),
  };
}

function bury({ stage, own, victim }: Scene): void {
  const lock = own.word + QUEUE.LOCK;
  if (stage.arena.words[lock] !== 0) Atomics.store(stage.arena.words, lock, OWNER_DIED);
  sweepMember(stage.arena, victim.me, stage.owner);
}

/** Puts a large item that says its number; answers the block it lies in. */
function put(view: QueueView, number: number, bytes = LARGE): Block {
  const { arena, me } = view;
  const block = view.takeSpare(bytes) ?? allocate(arena, me, KIND.ITEM, bytes);
  arena.bytes.fill(number, block.at, block.at + bytes);
  assert.equal(view.tryPut(undefined, block, bytes), PUT);
  drop(arena, block, me);
  return block;
}

function read(message: Uint8Array): number {
  assert.ok(message.every((byte) => byte === message[0]));
  return message[0] as number;
}

/** Takes an item as a loan and gives it back. */
function borrow(view: QueueView): number | typeof NOTHING {
  return view.tryTake((message, block, slot) => {
    const number = read(message);
    if (block !== undefined) {
      view.leaveSpare(slot, block);
      drop(view.arena, block, view.me);
    }
    return number;
  }, LENT);
}

function drain(view: QueueView): number[] {
  const found: number[] = [];
  for (let one = view.tryTake(read); one !== NOTHING; one = view.tryTake(read)) found.push(one);
  return found;
}

test('The block of a large item that was read is written again, as long as the next one is', () => {
  const { stage, block, own, victim } = openScene();
  const first = put(own, 1);
  assert.equal(own.tryTake(read), 1);
  assert.equal(put(own, 2, LARGE - 100).at, first.at);
  assert.equal(
    own.tryTake((message) => message.byteLength),
    LARGE - 100,
  );
  assert.notEqual(put(own, 3, LARGE * 3).at, first.at);
  assert.deepEqual(drain(own), [3]);
  for (const owner of [stage.owner, victim.me]) drop(stage.arena, block, owner);
  assert.equal(measureUse(stage.arena).blocks, 1, 'only what the stage itself takes');
});

test('A lent block is nobody else’s until it is given back', () => {
  const { own } = openScene();
  const first = put(own, 1);
  let lent: Block | undefined;
  own.tryTake((_, block) => {
    lent = block;
  }, LENT);
  assert.equal(lent?.at, first.at);
  assert.notEqual(put(own, 2).at, first.at);
  assert.equal(payloadBytes(own.arena, first), LARGE);
});

for (const role of ['producer', 'consumer', 'borrower'] as const) {
  test(`A ${role} of large items killed at any step leaves the queue whole, and every block free or in use`, () => {
    const deaths = atEveryChange((die) => {
      const scene = openScene();
      const { stage, block, own, victim } = scene;
      const [writer, reader] = role === 'producer' ? [victim, own] : [own, victim];
      // So that blocks lie ready.
      for (let number = 91; number <= 92; number++) put(writer, number);
      for (let number = 91; number <= 92; number++) assert.equal(reader.tryTake(read), number);
      for (let number = 1; number <= 3; number++) put(writer, number);
      die(() => {
        if (role === 'producer') put(victim, 4);
        else if (role === 'consumer') victim.tryTake(read);
        else borrow(victim);
      });
      bury(scene);
      for (let number = 5; number <= 9; number++) put(own, number);
      const optional = role === 'producer' ? 4 : 1;
      const found = drain(own);
      const all = role === 'producer' ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 3, 5, 6, 7, 8, 9];
      assert.deepEqual(
        found,
        all.filter((number) => number !== optional || found.includes(number)),
      );
      drop(stage.arena, block, stage.owner);
      assert.equal(measureUse(stage.arena).blocks, 1, 'no block is left');
    });
    assert.ok(deaths > 2);
  });
}
