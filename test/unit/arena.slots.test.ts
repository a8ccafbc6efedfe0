import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, drop, hold } from '../../src/arena/allocator.js';
import { emptyInbox, putIntoInbox } from '../../src/arena/inbox.js';
import { KIND, SLOT, SLOT_COUNT, slotWord, ZYGOTE_PLACES } from '../../src/arena/layout.js';
import { Parking, wake } from '../../src/arena/parking.js';
import { EXITED, ProcessRecord } from '../../src/arena/process-record.js';
import {
  claimSlot,
  countSlots,
  enterSlot,
  isCurrent,
  type OwnerId,
  pidOf,
  slotOf,
} from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse } from '../../src/arena/walk.js';
import { currentZygote, isZygote, replaceZygote, zygotePlace } from '../../src/arena/zygotes.js';
import { BrokenError, LimitError } from '../../src/base/errors.js';
import { openStage, SCRATCH, type Stage } from '../fixtures/arena-stage.js';

/** A pid that nobody has: Linux gives none beyond 2^22, and one that was in use could be another's by now. */
const GONE = 2 ** 22 + 1;

function newMember(stage: Stage, parent: OwnerId = stage.owner, pid: number = process.pid): OwnerId {
  const owner = claimSlot(stage.arena, parent);
  enterSlot(stage.arena, owner, pid);
  return owner;
}

const papers = { head: new Uint8Array(10), body: new Uint8Array(200), isDaemon: false };

test('Owner ids are positive, differ from all former ones, and stop being current when swept', () => {
  const stage = openStage();
  const seen = new Set<OwnerId>();
  for (let i = 0; i < 3000; i++) {
    const owner = newMember(stage);
    assert.ok(owner > 0 && !seen.has(owner));
    seen.add(owner);
    assert.equal(pidOf(stage.arena, owner), process.pid);
    sweepMember(stage.arena, owner, stage.owner);
    assert.ok(!isCurrent(stage.arena, owner) && pidOf(stage.arena, owner) === 0);
  }
  assert.equal(countSlots(stage.arena), 1);
});

test('A family with every slot in use refuses one more, and takes it after a sweep', () => {
  const stage = openStage();
  const members = Array.from({ length: SLOT_COUNT - 2 }, () => newMember(stage));
  assert.throws(() => claimSlot(stage.arena, stage.owner), LimitError);
  sweepMember(stage.arena, members[500] as OwnerId, stage.owner);
  assert.equal(slotOf(claimSlot(stage.arena, stage.owner)), slotOf(members[500] as OwnerId));
});

test('The generation of a slot wraps without a stop', () => {
  const stage = openStage();
  const { words } = stage.arena;
  const owner = newMember(stage);
  const state = slotWord(slotOf(owner)) + SLOT.STATE;
  const LAST = (1 << 21) - 1;
  words[state] = (LAST << 2) | ((words[state] as number) & 3);
  const last = (LAST << 10) | slotOf(owner);
  assert.ok(isCurrent(stage.arena, last) && last > 0);
  sweepMember(stage.arena, last, stage.owner);
  assert.equal(words[state], 0);
});

test('A member that was swept before it came to enter finds its claim gone', () => {
  const stage = openStage();
  const late = claimSlot(stage.arena, stage.owner);
  sweepMember(stage.arena, late, stage.owner);
  assert.throws(() => enterSlot(stage.arena, late, process.pid), BrokenError);
  const other = newMember(stage);
  assert.ok(isCurrent(stage.arena, other));
});

test('A program that replaces itself enters its slot once more', () => {
  const stage = openStage();
  enterSlot(stage.arena, stage.owner, process.pid);
  assert.ok(isCurrent(stage.arena, stage.owner));
});

test('Sweeping a parent frees the slots it had claimed for children that were never to be born', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = measureUse(arena).blocks;
  const parent = newMember(stage);
  const bare = claimSlot(arena, parent);
  const withRecord = claimSlot(arena, parent);
  const record = ProcessRecord.create(
    { arena, owner: parent, parking: new Parking(arena, parent) },
    withRecord,
    papers,
  );
  record.hold(withRecord);
  sweepMember(arena, parent, owner);
  assert.ok(!isCurrent(arena, bare) && !isCurrent(arena, withRecord));
  assert.equal(measureUse(arena).blocks, before);
  assert.equal(countSlots(arena), 1);
});

test('Sweeping a parent leaves alone what a zygote answers for, what is forked, what runs, and a zygote on its way', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const parent = newMember(stage);
  const member = { arena, owner: parent, parking: new Parking(arena, parent) };
  const [asked, forked, zygote] = [
    claimSlot(arena, parent),
    claimSlot(arena, parent),
    claimSlot(arena, parent),
  ];
  const request = ProcessRecord.create(member, asked, papers);
  request.zygote = owner;
  request.hold(owner);
  const born = ProcessRecord.create(member, forked, papers);
  born.hold(forked);
  born.forked(process.pid);
  assert.ok(replaceZygote(arena, zygotePlace(arena, 77), 0, zygote));
  const running = newMember(stage, parent);
  sweepMember(arena, parent, owner);
  assert.deepEqual(
    [asked, forked, zygote, running].map((child) => isCurrent(arena, child)),
    [true, true, true, true],
  );
  enterSlot(arena, forked, process.pid);
});

test('Each key has a place for a zygote, the same for all who ask, until none is left', () => {
  const { arena, owner } = openStage();
  const keys = Array.from({ length: ZYGOTE_PLACES }, (_, index) => -1 - index);
  const places = keys.map((key) => zygotePlace(arena, key));
  assert.equal(new Set(places).size, ZYGOTE_PLACES);
  assert.deepEqual(
    keys.map((key) => zygotePlace(arena, key)),
    places,
  );
  assert.equal(zygotePlace(arena, 1), -1);
  const [place = -1, other = -1] = places;
  assert.ok(replaceZygote(arena, place, 0, owner));
  assert.equal(replaceZygote(arena, place, 0, owner), false);
  assert.deepEqual([currentZygote(arena, place), currentZygote(arena, other)], [owner, 0]);
  assert.deepEqual([isZygote(arena, owner), isZygote(arena, owner + 1)], [true, false]);
});

test('A sweep also takes children of the dead that have ended with nobody to reap them, and their children', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = measureUse(arena).blocks;
  const parent = newMember(stage);
  const child = newMember(stage, parent, GONE);
  const grandchild = newMember(stage, child, GONE);
  const alive = newMember(stage, parent);
  for (const dead of [child, grandchild]) allocate(arena, dead, SCRATCH, 40);
  sweepMember(arena, parent, owner);
  assert.deepEqual(
    [child, grandchild, alive].map((one) => isCurrent(arena, one)),
    [false, false, true],
  );
  assert.equal(measureUse(arena).blocks, before);
});

test('A record is dropped once, however often it is asked, and its request with it', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const before = measureUse(arena).blocks;
  const member = { arena, owner, parking: new Parking(arena, owner) };
  const child = claimSlot(arena, owner);
  const record = ProcessRecord.create(member, child, { ...papers, head: new Uint8Array([1, 2, 3]) });
  assert.deepEqual([...ProcessRecord.at(arena, record.block.at).readHead()], [1, 2, 3]);
  assert.equal(record.readBody().byteLength, 200);
  record.hold(child);
  record.farewell = 3;
  record.exited(0);
  assert.deepEqual([record.state, record.exitCode, record.farewell], [EXITED, 0, 3]);
  record.drop(owner);
  record.drop(child, owner);
  const reused = Array.from({ length: 300 }, () => allocate(arena, owner, KIND.PROCESS, 64));
  for (const block of reused) arena.words.fill(block.at / 64, block.at / 4, block.at / 4 + 16);
  record.drop(owner);
  for (const block of reused) drop(arena, block, owner);
  assert.equal(measureUse(arena).blocks, before);
});

test('An inbox gives what was put, oldest first, and each once', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const put = Array.from({ length: 100 }, () => allocate(arena, owner, SCRATCH, 8).at);
  for (const at of put) putIntoInbox(arena, owner, at);
  assert.deepEqual(emptyInbox(arena, owner), put);
  assert.deepEqual(emptyInbox(arena, owner), []);
});

test('What is put into the inbox of a dead member is not taken for its successor in the slot', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const dead = newMember(stage);
  sweepMember(arena, dead, owner);
  const block = allocate(arena, owner, SCRATCH, 64);
  hold(arena, block, dead);
  putIntoInbox(arena, dead, block.at);
  let next = newMember(stage);
  while (slotOf(next) !== slotOf(dead)) {
    sweepMember(arena, next, owner);
    next = newMember(stage);
  }
  assert.deepEqual(emptyInbox(arena, next), [], 'put before it came');
  putIntoInbox(arena, dead, block.at);
  drop(arena, block, owner);
  assert.deepEqual(emptyInbox(arena, next), [], 'put after it came');
});

test('Waking a dead member does not silence its successor in the slot', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const dead = newMember(stage);
  sweepMember(arena, dead, owner);
  const ASLEEP_BEHIND_DOORBELL = 2;
  let next = newMember(stage);
  while (slotOf(next) !== slotOf(dead)) {
    sweepMember(arena, next, owner);
    next = newMember(stage);
  }
  const park = slotWord(slotOf(next)) + SLOT.PARK;
  Atomics.store(arena.words, park, ASLEEP_BEHIND_DOORBELL);
  wake(arena, dead);
  assert.equal(Atomics.load(arena.words, park), ASLEEP_BEHIND_DOORBELL);
});

test('One who waits in the event loop looks now and then, should its waker die before it rings', async () => {
  const stage = openStage();
  const { arena, owner, scratch } = stage;
  const parking = new Parking(arena, owner);
  const waiting = parking.waitUntil(() => Atomics.load(arena.words, scratch) === 1, 'Waiting');
  const park = slotWord(slotOf(owner)) + SLOT.PARK;
  while (Atomics.load(arena.words, park) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  // As a waker does that is killed between its two steps.
  Atomics.store(arena.words, scratch, 1);
  Atomics.store(arena.words, park, 0);
  await waiting;
  parking.close();
});

test('One who blocks looks now and then, and its event loop is looked after when it is back', async () => {
  const stage = openStage();
  const { arena, owner, scratch } = stage;
  const parking = new Parking(arena, owner);
  const waiting = parking.waitUntil(() => Atomics.load(arena.words, scratch) === 1, 'Waiting');
  assert.equal(
    parking.blockUntil(() => false, 5),
    false,
  );
  assert.equal(Atomics.load(arena.words, slotWord(slotOf(owner)) + SLOT.PARK), 0);
  Atomics.store(arena.words, scratch, 1);
  await waiting;
  await assert.rejects(
    parking.waitUntil(() => false, 'Waiting', { timeoutMs: 5 }),
    { code: 'ERR_FURCA_TIMEOUT' },
  );
  const reason = new Error('enough');
  await assert.rejects(
    parking.waitUntil(() => false, 'Waiting', { signal: AbortSignal.abort(reason) }),
    reason,
  );
  parking.close();
});

test('Who had no CPU until its time was up looks once more for what came before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { arena, owner, scratch } = openStage();
  const parking = new Parking(arena, owner);
  const waiting = parking.waitUntil(() => arena.words[scratch] === 1, 'Waiting', { timeoutMs: 20 });
  arena.words[scratch] = 1;
  t.mock.timers.tick(20);
  await waiting;
  parking.close();
});
