import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, type Block, drop, hold } from '../../src/arena/allocator.js';
import { createEnvelope } from '../../src/arena/envelope.js';
import { LANE, PIPE, PIPE_END, QUEUE } from '../../src/arena/lanes/lane-layout.js';
import { initPipe, PipeView } from '../../src/arena/lanes/pipe-words.js';
import { initQueue, KEPT, NOTHING, PUT, QueueView } from '../../src/arena/lanes/queue-words.js';
import { REQUEUE } from '../../src/arena/lanes/tidy.js';
import { KIND } from '../../src/arena/layout.js';
import { Parking } from '../../src/arena/parking.js';
import { claimSlot, enterSlot, type OwnerId } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse } from '../../src/arena/walk.js';
import { atEveryChange } from '../fixtures/arena-death.js';
import { openStage, SCRATCH, type Stage } from '../fixtures/arena-stage.js';

const OWNER_DIED = 0x40000000;
/** So that a segment holds few of them, and a lane has several. */
const LONG = 1500;

interface Scene {
  readonly stage: Stage;
  readonly block: Block;
  readonly own: QueueView;
  readonly victim: QueueView;
  readonly other: QueueView;
}

function newMember({ arena, owner }: Stage): OwnerId {
  const member = claimSlot(arena, owner);
  enterSlot(arena, member, 4_000_000);
  return member;
}

function openScene(maxItems = 0, policy = 0): Scene {
  const stage = openStage();
  const { arena, owner } = stage;
  const block = allocate(arena, owner, KIND.QUEUE, QUEUE.BYTES);
  initQueue(arena, block, maxItems, policy);
  const view = (): QueueView => {
    const member = newMember(stage);
    hold(arena, block, member);
    return new QueueView(arena, block, member);
  };
  return { stage, block, own: new QueueView(arena, block, owner), victim: view(), other: view() };
}

/** What the kernel does with a robust lock of the dead, and its reaper with the rest. */
function bury({ stage }: { readonly stage: Stage }, locks: readonly number[], dead: OwnerId): void {
  for (const lock of locks)
    if (stage.arena.words[lock] !== 0) Atomics.store(stage.arena.words, lock, OWNER_DIED);
  sweepMember(stage.arena, dead, stage.owner);
}

/** A message that says its number; `isBlock`: in a block of its own, which refers to another one. */
function put(view: QueueView, number: number, isBlock: boolean, referred?: Block): number {
  const message = new Uint8Array(LONG).fill(number);
  if (!isBlock) return view.tryPut(message, undefined, LONG);
  const { arena, me: owner } = view;
  const block =
    referred === undefined
      ? allocate(arena, owner, KIND.ITEM, LONG)
      : createEnvelope({ arena, owner, parking: new Parking(arena, owner) }, [referred], message);
  if (referred === undefined) arena.bytes.set(message, block.at);
  const result = view.tryPut(undefined, block, LONG);
  drop(arena, block, owner);
  return result;
}

function read(message: Uint8Array, bytes: unknown = LONG): number {
  if (typeof bytes === 'number') assert.equal(message.byteLength, bytes);
  assert.ok(message.every((byte) => byte === message[0]));
  return message[0] as number;
}

function drain(view: QueueView): number[] {
  const found: number[] = [];
  for (let one = view.tryTake(read); one !== NOTHING; one = view.tryTake(read)) found.push(one);
  return found;
}

/** Everybody lets go: nothing but the scratch block is left. */
function assertNothingLeft({ stage, block, own, other }: Scene): void {
  const { arena, owner } = stage;
  own.count();
  drop(arena, block, other.me);
  drop(arena, block, owner);
  assert.equal(measureUse(arena).blocks, 1, 'no block is left');
}

for (const [before, isBlock, hasHandle, maxItems] of [
  [0, false, false, 0],
  [0, true, false, 0],
  [2, false, false, 0],
  [2, true, true, 0],
  [12, false, false, 0],
  [3, false, false, 10],
  [3, true, true, 10],
] as const) {
  test(`A producer killed at any step leaves nothing or a whole message: ${before} before, ${isBlock ? 'in a block' : 'inline'}, ${hasHandle ? 'with a handle' : 'without'}, bound ${maxItems}`, () => {
    const ends = new Set<number>();
    const deaths = atEveryChange((die) => {
      const scene = openScene(maxItems);
      const { stage, own, victim, other } = scene;
      const referred = hasHandle ? allocate(stage.arena, stage.owner, SCRATCH, 8) : undefined;
      if (referred !== undefined) hold(stage.arena, referred, victim.me);
      for (let number = 1; number <= before; number++) assert.equal(put(victim, number, false), PUT);
      const hasDied = die(() => void put(victim, before + 1, isBlock, referred));
      if (!hasDied) assert.equal(own.count(), before + 1);
      bury(scene, [scene.own.word + QUEUE.LOCK], victim.me);
      assert.equal(put(other, 99, isBlock), PUT);
      const found = drain(own);
      assert.equal(found.filter((number) => number === 99).length, 1, 'the others go on');
      const own1 = found.filter((number) => number !== 99);
      assert.deepEqual(
        own1,
        own1.map((_, index) => index + 1),
        'in order, whole, none twice',
      );
      assert.ok(own1.length >= before && own1.length <= before + 1);
      ends.add(own1.length);
      if (referred !== undefined) drop(stage.arena, referred, stage.owner);
      assertNothingLeft(scene);
    });
    assert.ok(deaths > 2);
    assert.equal(ends.size, 2, 'some deaths come before the commit, some after');
  });
}

for (const [isBlock, already] of [
  [false, 0],
  [true, 0],
  // The next one is the first of another segment.
  [false, 2],
  [true, 10],
] as const) {
  test(`A consumer killed at any step has taken one message or none: ${isBlock ? 'in blocks' : 'inline'}, ${already} taken before`, () => {
    const ends = new Set<number>();
    const deaths = atEveryChange((die) => {
      const scene = openScene();
      const { own, victim, other } = scene;
      for (let number = 1; number <= 24; number++) put(other, number, isBlock);
      for (let number = 1; number <= already; number++) assert.equal(victim.tryTake(read), number);
      const hasDied = die(() => void victim.tryTake(read));
      if (!hasDied) assert.equal(own.count(), 23 - already);
      bury(scene, [own.word + QUEUE.LOCK], victim.me);
      const found = drain(own);
      const first = found[0] as number;
      assert.ok(first === already + 1 || first === already + 2, 'at most the one it was handed is missing');
      assert.deepEqual(
        found,
        Array.from({ length: 25 - first }, (_, index) => first + index),
      );
      ends.add(first);
      assertNothingLeft(scene);
    });
    assert.ok(deaths > 2);
    assert.equal(ends.size, 2);
  });
}

test('A consumer killed at any step while it takes away the lane of a dead producer leaves a queue in order', () => {
  const deaths = atEveryChange((die) => {
    const scene = openScene();
    const { stage, own, victim, other } = scene;
    const third = new QueueView(stage.arena, scene.block, newMember(stage));
    hold(stage.arena, scene.block, third.me);
    for (let number = 1; number <= 4; number++) put(third, number, true);
    sweepMember(stage.arena, third.me, stage.owner);
    for (let number = 1; number <= 4; number++) assert.equal(own.tryTake(read), number);
    die(() => {
      put(victim, 1, false);
      victim.tryTake(read);
    });
    bury(scene, [own.word + QUEUE.LOCK], victim.me);
    assert.ok(drain(own).length <= 1);
    put(other, 5, true);
    assert.deepEqual(drain(own), [5]);
    assertNothingLeft(scene);
  });
  assert.ok(deaths > 5);
});

for (const isFinished of [false, true]) {
  test(`What a consumer of a joinable queue had in its hand comes back, at whatever step it is killed${isFinished ? ' while it finishes it' : ''}`, () => {
    const firsts = new Set<number>();
    const deaths = atEveryChange((die) => {
      const scene = openScene(0, REQUEUE);
      const { own, victim, other } = scene;
      for (let number = 1; number <= 5; number++) put(other, number, true);
      let mine: Block | undefined;
      const take = (): void =>
        void victim.tryTake((_, block) => {
          mine = block;
        }, KEPT);
      const finish = (): void => void victim.finish(mine as Block);
      if (isFinished) take();
      die(isFinished ? finish : take);
      bury(scene, [own.word + QUEUE.LOCK], victim.me);
      const found: number[] = [];
      for (;;) {
        let block: Block | undefined;
        const number = own.tryTake((message, its) => {
          block = its;
          return read(message);
        }, KEPT);
        if (number === NOTHING) break;
        found.push(number);
        own.finish(block as Block);
      }
      found.sort();
      assert.deepEqual(found.slice(-4), [2, 3, 4, 5]);
      assert.ok(found.length === 5 || isFinished, 'only what it was done with is gone');
      firsts.add(found.length);
      assert.equal(own.countUnfinished(), 0);
      assertNothingLeft(scene);
    });
    assert.ok(deaths > 3);
    assert.equal(firsts.has(4), isFinished);
  });
}

test('Whoever puts in order after a death may die over it as well', () => {
  const deaths = atEveryChange((die) => {
    const scene = openScene(0, REQUEUE);
    const { stage, own, victim, other } = scene;
    const third = new QueueView(stage.arena, scene.block, newMember(stage));
    hold(stage.arena, scene.block, third.me);
    for (let number = 1; number <= 5; number++) put(other, number, true);
    for (let count = 0; count < 2; count++) third.tryTake(read, KEPT);
    sweepMember(stage.arena, third.me, stage.owner);
    die(() => void victim.count());
    bury(scene, [own.word + QUEUE.LOCK], victim.me);
    assert.equal(own.countUnfinished(), 5);
    assert.equal(own.count(), 5, 'both are back, none twice');
    const found = drain(own).sort();
    assert.deepEqual(found, [1, 2, 3, 4, 5]);
    assertNothingLeft(scene);
  });
  assert.ok(deaths > 5);
});

test('A shut-down queue takes nothing more, and what was refused is not received', () => {
  const scene = openScene();
  const { own, other } = scene;
  assert.equal(put(other, 1, false), PUT);
  own.end();
  assert.notEqual(put(other, 2, false), PUT);
  assert.notEqual(put(other, 3, true), PUT);
  assert.ok(!own.isOver(0), 'what was put before is there');
  assert.deepEqual(drain(own), [1]);
  assert.ok(own.isOver(0));
  drop(scene.stage.arena, scene.block, scene.victim.me);
  assertNothingLeft(scene);
});

for (const [isBlock, bytes] of [
  [false, LONG],
  [true, LONG],
  // Whose blocks are written again.
  [true, 20_000],
] as const) {
  for (const role of ['sender', 'receiver'] as const) {
    test(`A ${role} of a pipe killed at any step leaves it whole: ${isBlock ? `in blocks of ${bytes} bytes` : 'inline'}`, () => {
      const deaths = atEveryChange((die) => {
        const stage = openStage();
        const { arena, owner } = stage;
        const pipe = allocate(arena, owner, KIND.PIPE, PIPE.BYTES);
        const ends = [0, 1].map(() => allocate(arena, owner, KIND.PIPE_END, PIPE_END.BYTES));
        initPipe(arena, pipe, ends as [Block, Block]);
        const dead = newMember(stage);
        hold(arena, pipe, dead);
        for (const end of ends) hold(arena, end, dead);
        const [own, victim] = [new PipeView(arena, pipe, owner), new PipeView(arena, pipe, dead)];
        const send = (view: PipeView, number: number): void => {
          const message = new Uint8Array(bytes).fill(number);
          if (!isBlock) return void view.trySend(0, message, undefined, bytes, 0);
          const block = view.takeSpare(0, bytes) ?? allocate(arena, view.me, KIND.ITEM, bytes);
          arena.bytes.set(message, block.at);
          view.trySend(0, undefined, block, bytes, 0);
          drop(arena, block, view.me);
        };
        const receive = (view: PipeView): number | typeof NOTHING =>
          view.tryReceive(
            1,
            () => {},
            (message) => read(message, bytes),
            false,
          );
        send(own, 99);
        assert.equal(receive(own), 99);
        for (let number = 1; number <= 2; number++) send(own, number);
        die(() => {
          if (role === 'receiver') receive(victim);
          else send(victim, 3);
        });
        bury({ stage }, [pipe.at / 4 + PIPE.LOCK, pipe.at / 4 + LANE.WRITE_LOCK], dead);
        for (let number = 4; number <= 16; number++) send(own, number);
        const found: number[] = [];
        for (let one = receive(own); one !== NOTHING; one = receive(own)) found.push(one);
        const all = Array.from({ length: 16 }, (_, index) => index + 1);
        const optional = role === 'receiver' ? [1, 3] : [3];
        assert.deepEqual(
          found,
          all.filter((number) => !optional.includes(number) || found.includes(number)),
        );
        send(own, 1);
        for (const block of [...ends, pipe]) drop(arena, block, owner);
        assert.equal(measureUse(arena).blocks, 1, 'no block is left');
      });
      assert.ok(deaths > 2);
    });
  }
}
