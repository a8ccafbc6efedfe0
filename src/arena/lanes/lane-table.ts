import { allocate, type Block, blockAt, drop, hold, isHeldBy } from '../allocator.js';
import type { Arena } from '../arena.js';
import { keep, unkeep } from '../keeping.js';
import { BLOCK_ALIGNMENT, KIND } from '../layout.js';
import { isCurrent, type OwnerId, slotOf } from '../slots.js';
import { LANE, QUEUE } from './lane-layout.js';
import { dismantleLane, isLaneEmpty, type Lane } from './lane-reader.js';

/**
 * The lanes of a queue, one for each slot that has put anything. A lane belongs to whoever is in its slot now: one at a time, so that
 * nobody need claim it. What a former member has put there stays readable, and its successor writes on behind it.
 */

/** The lane of what came back from the dead, written under the queue's lock: slot 0 is nobody's. */
export const RETURNS = 0;

/** The lane of slot `slot`, 0 where it has none. */
export function laneOf(arena: Arena, word: number, slot: number): Lane {
  return (Atomics.load(arena.words, word + QUEUE.LANES + slot) * BLOCK_ALIGNMENT) / 4;
}

/** The first slot after `slot` that may have a lane, going up; -1 when there is none. Begins with slot -1. */
export function slotAfter(arena: Arena, word: number, slot: number): number {
  const { words } = arena;
  const first = slot + 1;
  const firstIndex = first >>> 5;
  if (firstIndex >= 32) return -1;
  let summary = Atomics.load(words, word + QUEUE.SUMMARY) & (-1 << firstIndex);
  for (; summary !== 0; summary &= summary - 1) {
    const index = 31 - Math.clz32(summary & -summary);
    let bits = Atomics.load(words, word + QUEUE.LANE_BITS + index);
    if (index === firstIndex) bits &= -1 << (first & 31);
    if (bits !== 0) return index * 32 + 31 - Math.clz32(bits & -bits);
  }
  return -1;
}

/** Calls `visit` with each lane until it answers true; tells whether it did. */
export function findLane(arena: Arena, word: number, visit: (lane: Lane, slot: number) => boolean): boolean {
  for (let slot = slotAfter(arena, word, -1); slot !== -1; slot = slotAfter(arena, word, slot)) {
    const lane = laneOf(arena, word, slot);
    if (lane !== 0 && visit(lane, slot)) return true;
  }
  return false;
}

/** A look from outside the lock, as good as a guess: a lane may be taken away meanwhile, and is empty then. */
export function mayHaveItems(arena: Arena, word: number): boolean {
  for (let slot = slotAfter(arena, word, -1); slot !== -1; slot = slotAfter(arena, word, slot)) {
    const lane = laneOf(arena, word, slot);
    if (lane !== 0 && !isLaneEmpty(arena, lane)) return true;
  }
  return false;
}

/** Takes a block for a lane that may be needed; the caller drops it after `adoptLane`. */
export function newLane(arena: Arena, me: OwnerId): Block {
  return allocate(arena, me, KIND.LANE, LANE.BYTES);
}

/** Under the lock: the lane of `slot`, which `owner` writes from now on; `fresh` becomes it where there is none. */
export function adoptLane(arena: Arena, queue: Block, slot: number, owner: OwnerId, fresh: Block): Lane {
  const word = queue.at / 4;
  const { words } = arena;
  // The bits first: a lane that a death left without them would not be found, and be taken for none.
  Atomics.or(words, word + QUEUE.LANE_BITS + (slot >>> 5), 1 << (slot & 31));
  Atomics.or(words, word + QUEUE.SUMMARY, 1 << (slot >>> 5));
  let lane = laneOf(arena, word, slot);
  if (lane === 0) {
    lane = fresh.at / 4;
    keep(arena, fresh, queue);
    Atomics.store(words, word + QUEUE.LANES + slot, fresh.at / BLOCK_ALIGNMENT);
  }
  Atomics.store(words, lane + LANE.OWNER, owner);
  Atomics.store(words, word + QUEUE.EVER_PUT, 1);
  return lane;
}

/** Under the lock: takes away a lane that is empty and whose writer has ended or let go of the queue. */
export function retireLane(
  arena: Arena,
  queue: Block,
  lane: Lane,
  slot: number,
  me: OwnerId,
  spent: Block[],
): void {
  if (slot === RETURNS || isWritten(arena, queue, lane)) return;
  const { words } = arena;
  const word = queue.at / 4;
  const block = blockAt(arena, lane * 4);
  hold(arena, block, me);
  Atomics.store(words, word + QUEUE.LANES + slot, 0);
  Atomics.and(words, word + QUEUE.LANE_BITS + (slot >>> 5), ~(1 << (slot & 31)));
  if (Atomics.load(words, word + QUEUE.LANE_BITS + (slot >>> 5)) === 0)
    Atomics.and(words, word + QUEUE.SUMMARY, ~(1 << (slot >>> 5)));
  dismantleLane(arena, lane, me, spent);
  unkeep(arena, block);
  spent.push(block);
}

/** Tells whether somebody writes to the lane who is alive and has not let go of the queue. */
export function isWritten(arena: Arena, queue: Block, lane: Lane): boolean {
  const owner = Atomics.load(arena.words, lane + LANE.OWNER);
  return owner !== 0 && isCurrent(arena, owner) && isHeldBy(arena, queue, owner);
}

/** Tells whether `owner` has ever put anything, and not let go of the queue since. */
export function isWriter(arena: Arena, queue: Block, owner: OwnerId): boolean {
  const lane = laneOf(arena, queue.at / 4, slotOf(owner));
  return lane !== 0 && Atomics.load(arena.words, lane + LANE.OWNER) === owner;
}

/** This member puts nothing more, as far as it knows. */
export function disownLane(arena: Arena, queue: Block, owner: OwnerId): void {
  const lane = laneOf(arena, queue.at / 4, slotOf(owner));
  if (lane !== 0) Atomics.compareExchange(arena.words, lane + LANE.OWNER, owner, 0);
}

/** Lets go of what was taken out of a queue's hold, outside of its lock. */
export function dropSpent(arena: Arena, me: OwnerId, spent: Block[]): void {
  for (const block of spent) drop(arena, block, me);
  spent.length = 0;
}
