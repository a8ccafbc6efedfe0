import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allocate,
  type Block,
  blockAt,
  drop,
  dropOrphans,
  hold,
  isAlive,
  isHeldBy,
  kindOf,
  payloadBytes,
} from '../../src/arena/allocator.js';
import {
  BLOCK,
  BLOCK_HEADER_BYTES,
  FIRST_PAGE,
  HEADER,
  PAGE,
  PAGE_BYTES,
  pageEntry,
  pageWord,
  SLAB_BYTES,
} from '../../src/arena/layout.js';
import { claimSlot, enterSlot, isCurrent, type OwnerId, slotOf } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse, visitBlocks } from '../../src/arena/walk.js';
import { ClosedError, LimitError } from '../../src/base/errors.js';
import { countPages, openStage, SCRATCH, type Stage } from '../fixtures/arena-stage.js';

const IN_TRANSITION = 0x80000000 | 0;
const SMALL_ARENA = (FIRST_PAGE + 8) * PAGE_BYTES;

function newMember(stage: Stage): OwnerId {
  const owner = claimSlot(stage.arena, stage.owner);
  enterSlot(stage.arena, owner, process.pid);
  return owner;
}

function payload({ arena }: Stage, block: Block): Uint8Array {
  return arena.bytes.subarray(block.at, block.at + payloadBytes(arena, block));
}

function stateWord(block: Block): number {
  return (block.at - BLOCK_HEADER_BYTES) / 4 + BLOCK.STATE;
}

test('A block is zeroed, aligned, as large as asked for, and held by its owner alone', () => {
  const stage = openStage();
  const other = newMember(stage);
  for (const bytes of [0, 1, 64, 65, 320, 4000, 16_192, 16_193, 65_536, 1_000_000]) {
    for (let life = 0; life < 2; life++) {
      const block = allocate(stage.arena, stage.owner, SCRATCH, bytes);
      assert.equal(block.at % 64, 0);
      assert.equal(payloadBytes(stage.arena, block), bytes);
      assert.equal(kindOf(stage.arena, block), SCRATCH);
      assert.ok(payload(stage, block).every((byte) => byte === 0));
      assert.ok(isHeldBy(stage.arena, block, stage.owner) && !isHeldBy(stage.arena, block, other));
      payload(stage, block).fill(255);
      drop(stage.arena, block, stage.owner);
      assert.equal(isAlive(stage.arena, block), false);
    }
  }
});

test('The last holder to drop a block frees it; handles of a former life do nothing', () => {
  const stage = openStage(SMALL_ARENA);
  const { arena, owner } = stage;
  const friend = newMember(stage);
  const block = allocate(arena, owner, SCRATCH, 100);
  hold(arena, block, friend);
  drop(arena, block, owner);
  assert.ok(isAlive(arena, block));
  drop(arena, block, friend, owner);
  assert.ok(!isAlive(arena, block));
  drop(arena, block, owner);
  assert.throws(() => hold(arena, block, owner), ClosedError);
  // The same memory, another life.
  let again = allocate(arena, owner, SCRATCH, 100);
  while (again.at !== block.at) again = allocate(arena, owner, SCRATCH, 100);
  drop(arena, block, owner);
  assert.ok(isAlive(arena, again) && isHeldBy(arena, again, owner));
  assert.equal(blockAt(arena, block.at).generation, again.generation);
});

test('A full arena says so, keeps no trace of the vain request, and has room again after a drop', () => {
  const stage = openStage(SMALL_ARENA);
  const { arena, owner } = stage;
  const before = countPages(arena);
  assert.throws(() => allocate(arena, owner, SCRATCH, 8 * PAGE_BYTES), LimitError);
  assert.throws(() => allocate(arena, owner, SCRATCH, 2 ** 31), LimitError);
  assert.deepEqual(countPages(arena), before);
  const run = allocate(arena, owner, SCRATCH, 7 * PAGE_BYTES - BLOCK_HEADER_BYTES);
  assert.throws(() => allocate(arena, owner, SCRATCH, 20_000), LimitError);
  drop(arena, run, owner);
  assert.ok(isAlive(arena, allocate(arena, owner, SCRATCH, 20_000)));
});

test('Every free block of a full arena is found, also when only one was freed', () => {
  const stage = openStage(SMALL_ARENA);
  const { arena, owner } = stage;
  for (const bytes of SLAB_BYTES.map((size) => size - BLOCK_HEADER_BYTES).reverse()) {
    const taken: Block[] = [];
    try {
      for (;;) taken.push(allocate(arena, owner, SCRATCH, bytes));
    } catch (error) {
      assert.ok(error instanceof LimitError);
    }
    if (taken.length === 0) continue;
    for (let i = 0; i < 50; i++) {
      const block = taken[(i * 7919) % taken.length] as Block;
      drop(arena, block, owner);
      taken[taken.indexOf(block)] = allocate(arena, owner, SCRATCH, bytes);
    }
    assert.throws(() => allocate(arena, owner, SCRATCH, bytes), LimitError);
    return;
  }
});

test('Taking and dropping in turn goes on with the same few pages', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const queue: Block[] = [];
  for (let i = 0; i < 20_000; i++) {
    queue.push(allocate(arena, owner, SCRATCH, [40, 300, 900, 3000, 16_000, 100_000][i % 6] as number));
    if (queue.length > 60) drop(arena, queue.shift() as Block, owner);
  }
  const { slab, run } = countPages(arena);
  assert.ok(slab <= 30, `${slab} slab pages`);
  assert.equal(run, 10);
});

test('A process that founds a family of its own does not go on in the pages of its former one', () => {
  const first = openStage();
  for (let i = 0; i < 500; i++) allocate(first.arena, first.owner, SCRATCH, 40);
  const second = openStage();
  const run = allocate(second.arena, second.owner, SCRATCH, 500_000);
  const small = allocate(second.arena, second.owner, SCRATCH, 40);
  const page = Math.floor(small.at / PAGE_BYTES);
  assert.equal(second.arena.words[pageWord(page)], pageEntry(PAGE.SLAB, 0));
  assert.ok(payload(second, run).every((byte) => byte === 0));
});

test('A block that was dropped and taken anew meanwhile is not freed by one that had looked before', () => {
  // Replays, by hand, the end of a `drop` that was interrupted between its look at the holders and its exchange.
  const stage = openStage(SMALL_ARENA);
  const { arena, owner } = stage;
  const block = allocate(arena, owner, SCRATCH, 40);
  const pair = (generation: number): bigint => (BigInt(generation) << 32n) | BigInt(owner);
  drop(arena, block, owner);
  const again: Block[] = [];
  do again.push(allocate(arena, owner, SCRATCH, 40));
  while (again.at(-1)?.at !== block.at);
  const index = stateWord(block) / 2;
  assert.equal(arena.words[stateWord(block)], owner, 'the state alone is the same as in the former life');
  const seen = Atomics.compareExchange(arena.pairs, index, pair(block.generation), 0n);
  assert.equal(seen, pair(again.at(-1)?.generation as number), 'state and generation together are not');
});

test('Who is dead is given nothing: neither a hold nor, by it, memory that nobody would ever free', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const dead = newMember(stage);
  sweepMember(arena, dead, owner);
  const blocks = measureUse(arena).blocks;
  for (const bytes of [40, 100_000]) {
    const block = allocate(arena, owner, SCRATCH, bytes);
    hold(arena, block, dead);
    drop(arena, block, owner);
  }
  assert.equal(measureUse(arena).blocks, blocks);
});

test('A sweep takes everything from the dead and nothing from the living', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const dead = newMember(stage);
  const alive = newMember(stage);
  const before = measureUse(arena).blocks;
  const own = [40, 5000, 200_000].map((bytes) => allocate(arena, dead, SCRATCH, bytes));
  const shared = [40, 5000, 200_000].map((bytes) => allocate(arena, dead, SCRATCH, bytes));
  for (const block of shared) hold(arena, block, alive);
  for (const block of shared) payload(stage, block).fill(7);
  sweepMember(arena, dead, owner);
  for (const block of own) assert.ok(!isAlive(arena, block));
  for (const block of shared) {
    assert.ok(isAlive(arena, block) && isHeldBy(arena, block, alive) && !isHeldBy(arena, block, dead));
    assert.ok(payload(stage, block).every((byte) => byte === 7));
    drop(arena, block, alive);
  }
  assert.equal(measureUse(arena).blocks, before);
  assert.equal(isCurrent(arena, dead), false);
});

test('A sweep finishes every half-state that a death in the allocator can leave', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const { words } = arena;
  const before = measureUse(arena).blocks;
  const claimOf = (dead: OwnerId): number => pageEntry(PAGE.CLAIM, slotOf(dead));
  const first = (block: Block): number => Math.floor(block.at / PAGE_BYTES);
  const halves: Record<string, (dead: OwnerId) => void> = {
    'a slab block taken and not committed': (dead) => {
      const block = allocate(arena, dead, SCRATCH, 40);
      words[stateWord(block)] = dead | IN_TRANSITION;
    },
    'a block let go of and not freed': (dead) => {
      const block = allocate(arena, dead, SCRATCH, 40);
      words.fill(0, stateWord(block) + BLOCK.HOLDERS, stateWord(block) + BLOCK.HOLDERS + 32);
    },
    'claimed pages': (dead) => {
      const page = words[HEADER.PAGES_USED] as number;
      words[HEADER.PAGES_USED] = page + 2;
      words[pageWord(page)] = claimOf(dead);
      words[pageWord(page + 1)] = claimOf(dead);
      words[(page * PAGE_BYTES) / 4] = dead | IN_TRANSITION;
    },
    'a run taken whose further pages are still claimed': (dead) => {
      const run = allocate(arena, dead, SCRATCH, 200_000);
      words[stateWord(run)] = dead | IN_TRANSITION;
      words[pageWord(first(run) + 2)] = claimOf(dead);
    },
    'a run about to be given back': (dead) => {
      const run = allocate(arena, dead, SCRATCH, 200_000);
      words[stateWord(run)] = dead | IN_TRANSITION;
      words[pageWord(first(run) + 3)] = claimOf(dead);
      words[pageWord(first(run) + 2)] = claimOf(dead);
    },
    'a run half given back': (dead) => {
      const run = allocate(arena, dead, SCRATCH, 200_000);
      words[stateWord(run)] = dead | IN_TRANSITION;
      for (let page = first(run); page < first(run) + 3; page++) words[pageWord(page)] = claimOf(dead);
      words[pageWord(first(run) + 3)] = PAGE.FREE;
    },
  };
  for (const [what, die] of Object.entries(halves)) {
    const dead = newMember(stage);
    die(dead);
    sweepMember(arena, dead, owner);
    assert.equal(measureUse(arena).blocks, before, what);
    assert.deepEqual({ ...countPages(arena), slab: 0 }, { slab: 0, run: 0, body: 0, claim: 0 }, what);
    const whole = allocate(arena, owner, SCRATCH, 400_000);
    assert.ok(
      payload(stage, whole).every((byte) => byte === 0),
      `${what}: free pages are zero`,
    );
    drop(arena, whole, owner);
  }
});

test('A sweep that was never finished is finished by the next one', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const [dead, other] = [newMember(stage), newMember(stage)];
  const before = measureUse(arena).blocks;
  allocate(arena, dead, SCRATCH, 40);
  // The sweeper got as far as to say whom it sweeps.
  arena.words[HEADER.SWEEPING] = dead;
  sweepMember(arena, other, owner);
  assert.equal(measureUse(arena).blocks, before);
  assert.equal(isCurrent(arena, dead), false);
  assert.equal(arena.words[HEADER.SWEEPING], 0);
});

test('Generations wrap without a stop', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  for (const last of [0x7ffffffe, -2]) {
    Atomics.store(arena.words, HEADER.GENERATIONS, last);
    for (let i = 0; i < 4; i++) {
      const block = allocate(arena, owner, SCRATCH, 40);
      assert.ok(isAlive(arena, block));
      drop(arena, block, owner);
      assert.ok(!isAlive(arena, block));
    }
  }
});

test('dropOrphans frees what the dead had meant for one member, and nothing of anyone else', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const [dead, alive] = [newMember(stage), newMember(stage)];
  const meant = allocate(arena, dead, SCRATCH, 40);
  hold(arena, meant, owner);
  const others = allocate(arena, alive, SCRATCH, 40);
  hold(arena, others, owner);
  const otherKind = allocate(arena, dead, SCRATCH + 1, 40);
  hold(arena, otherKind, owner);
  sweepMember(arena, dead, owner);
  dropOrphans(arena, SCRATCH, dead, owner);
  assert.deepEqual(
    [meant, others, otherKind].map((block) => isAlive(arena, block)),
    [false, true, true],
  );
  const seen: number[] = [];
  visitBlocks(arena, SCRATCH + 1, ({ at }) => seen.push(at));
  assert.deepEqual(seen, [otherKind.at]);
});
