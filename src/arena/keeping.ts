import { type Block, blockAt, drop, headOf, hold, isAlive, kindOf } from './allocator.js';
import type { Arena } from './arena.js';
import { wakeAllAt } from './lanes/sweep-lanes.js';
import { BLOCK, BLOCK_ALIGNMENT, BLOCK_HEADER_BYTES, KIND } from './layout.js';
import { freeIfUnheld, markDisorder } from './references.js';
import type { OwnerId } from './slots.js';
import { visitKept } from './walk.js';

/**
 * The third kind of hold. What lies in a queue must outlive whoever put it there and go with the queue: the queue keeps it. A kept block
 * names its keeper, place and generation, and lives for as long as that life of the keeper lasts. So nothing has to be counted, and
 * when the keeper is gone all it kept is free, whoever finds it first.
 *
 * Who changes what a keeper keeps holds the block by its own bit meanwhile. Should it die, the sweep finds that bit on a kept block and
 * marks the keeper as in disorder: the next one at its lock looks what it keeps and cannot reach; see lanes/tidy.ts.
 */

const KEEPERS: readonly number[] = [KIND.QUEUE, KIND.PIPE];

export function isKeeper(kind: number): boolean {
  return KEEPERS.includes(kind);
}

/** A new life of a block begins without a keeper. */
export function startUnkept(arena: Arena, head: number): void {
  arena.words[head + BLOCK.KEEPER] = 0;
  arena.words[head + BLOCK.TAKER] = 0;
  arena.words[head + BLOCK.KEEPS] = 0;
}

/** Makes `keeper` keep a block that the caller holds. */
export function keep(arena: Arena, block: Block, keeper: Block): void {
  const head = headOf(block);
  arena.words[head + BLOCK.KEEPER_LIFE] = keeper.generation;
  arena.words[headOf(keeper) + BLOCK.KEEPS] = 1;
  // Publishes the life above.
  Atomics.store(arena.words, head + BLOCK.KEEPER, keeper.at / BLOCK_ALIGNMENT);
  // As in `hold`: after the new hold and before the caller lets go of its own.
  Atomics.add(arena.words, head + BLOCK.JOINS, 1);
}

/** Ends that; the caller holds the block and drops it later. */
export function unkeep(arena: Arena, block: Block): void {
  Atomics.store(arena.words, headOf(block) + BLOCK.KEEPER, 0);
}

/** Tells whether the block with its first word at `head` has a keeper that lives. */
export function isKept(arena: Arena, head: number): boolean {
  const at = Atomics.load(arena.words, head + BLOCK.KEEPER);
  if (at === 0) return false;
  return isAlive(arena, {
    at: at * BLOCK_ALIGNMENT,
    generation: arena.words[head + BLOCK.KEEPER_LIFE] as number,
  });
}

/** Frees a kept block that cannot be reached any more. */
export function discard(arena: Arena, block: Block, by: OwnerId): void {
  hold(arena, block, by);
  unkeep(arena, block);
  drop(arena, block, by);
}

/** At the end of a keeper's life: frees all it kept that nobody else holds. A sweep that comes later would do so, too. */
export function freeKept(arena: Arena, head: number, by: OwnerId): void {
  const keeper = blockAt(arena, head * 4 + BLOCK_HEADER_BYTES);
  if (arena.words[head + BLOCK.KEEPS] === 0) return;
  visitKept(arena, keeper, (block) => freeIfUnheld(arena, block, by));
}

/** In a sweep, while the dead still holds the block: it may have died in the middle of a change. */
export function tellKeeper(arena: Arena, head: number): void {
  const at = Atomics.load(arena.words, head + BLOCK.KEEPER);
  if (at === 0) return;
  const keeper = { at: at * BLOCK_ALIGNMENT, generation: arena.words[head + BLOCK.KEEPER_LIFE] as number };
  markDisorder(arena, keeper);
  // Read and ring only: it may be freed at any moment, and nobody waits there then.
  if (isAlive(arena, keeper)) wakeAllAt(arena, keeper.at / 4, kindOf(arena, keeper));
}
