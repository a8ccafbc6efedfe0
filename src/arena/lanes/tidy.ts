import { allocate, type Block, drop, headOf, holdersOf } from '../allocator.js';
import type { Arena } from '../arena.js';
import { discard } from '../keeping.js';
import { BLOCK, KIND } from '../layout.js';
import { clearDisorder, isInDisorder, markDisorder } from '../references.js';
import { withRobustLock } from '../robust-lock.js';
import type { OwnerId } from '../slots.js';
import { visitKept } from '../walk.js';
import { LANE, PIPE, QUEUE } from './lane-layout.js';
import { type Lane, laneLength, visitLane } from './lane-reader.js';
import { adoptLane, findLane, RETURNS } from './lane-table.js';
import { LaneWriter } from './lane-writer.js';

/** How a joinable queue treats what a dead member had taken and not done. */
export const REQUEUE = 1;
export const FAIL = 2;

/** Runs `section` under the lock of those who take from a queue or pipe, after putting in order what a death has left. */
export function withTakersLock<T>(
  arena: Arena,
  keeper: Block,
  lock: number,
  me: OwnerId,
  section: () => T,
): T {
  return withRobustLock(arena, lock, (ownerDied) => {
    tidyAfter(ownerDied, arena, keeper, me);
    return section();
  });
}

/** Under the lock, before anything else: puts in order what a death has left, if there was one. */
export function tidyAfter(ownerDied: boolean, arena: Arena, keeper: Block, me: OwnerId): void {
  if (ownerDied || isInDisorder(arena, keeper)) tidy(arena, keeper, me);
}

/**
 * Puts a queue or pipe in order after a death: what it keeps, and no lane leads to, is freed, or was in somebody's hand. Blocks that a
 * living member holds are left alone: it is just linking or unlinking them. So the others are collected first and the lanes looked at
 * second: who let go of one in between had linked it before.
 */
function tidy(arena: Arena, keeper: Block, me: OwnerId): void {
  clearDisorder(arena, keeper);
  const isQueue = arena.words[headOf(keeper) + BLOCK.KIND] === KIND.QUEUE;
  const word = keeper.at / 4;
  const left: Block[] = [];
  const inHand: Block[] = [];
  visitKept(arena, keeper, (block) => {
    if (holdersOf(arena, block).length === 0) left.push(block);
    else if (takerOf(arena, block) !== 0) inHand.push(block);
  });
  const reachable = new Set<number>();
  for (const lane of lanesOf(arena, keeper, isQueue, reachable)) {
    visitLane(arena, lane, (at) => reachable.add(at));
  }
  for (const block of left) {
    const taker = takerOf(arena, block);
    // Marked as taken, and not taken before the death: it lies where it lay.
    if (reachable.has(block.at)) Atomics.store(arena.words, headOf(block) + BLOCK.TAKER, 0);
    else if (taker === 0 || !giveBack(arena, keeper, block, me)) discard(arena, block, me);
  }
  if (!isQueue) return;
  const taken = inHand.filter((block) => !reachable.has(block.at)).length;
  Atomics.store(arena.words, word + QUEUE.IN_HAND, taken);
}

function takerOf(arena: Arena, block: Block): OwnerId {
  return Atomics.load(arena.words, headOf(block) + BLOCK.TAKER);
}

function lanesOf(arena: Arena, keeper: Block, isQueue: boolean, reachable: Set<number>): Lane[] {
  const word = keeper.at / 4;
  if (!isQueue) return [word, word + PIPE.DIRECTION_WORDS];
  const lanes: Lane[] = [];
  findLane(arena, word, (lane) => {
    lanes.push(lane);
    reachable.add(lane * 4);
    return false;
  });
  return lanes;
}

/** Puts what a dead member had in its hand back among the items; `false` where it is to be given up. */
function giveBack(arena: Arena, queue: Block, block: Block, me: OwnerId): boolean {
  const { words } = arena;
  const word = queue.at / 4;
  if (words[word + QUEUE.POLICY] !== REQUEUE) {
    Atomics.store(words, word + QUEUE.HAS_LOST, 1);
    return false;
  }
  try {
    const fresh = allocate(arena, me, KIND.LANE, LANE.BYTES);
    const lane = adoptLane(arena, queue, RETURNS, 0, fresh);
    const writer = new LaneWriter(arena, me, lane, queue);
    // Before all that wait: it was among the first once.
    const ticket = (Atomics.load(words, word + QUEUE.TICKETS) - 0x40000000) | 0;
    writer.prepareBlock(block, words[headOf(block) + BLOCK.PAYLOAD_BYTES] as number, 0, ticket);
    writer.commit();
    drop(arena, fresh, me);
  } catch {
    // The arena is full: it stays in nobody's hand until there is room.
    markDisorder(arena, queue);
    return true;
  }
  // Last: until then a death leaves it reachable and marked, as above.
  Atomics.store(words, headOf(block) + BLOCK.TAKER, 0);
  return true;
}

/** Items that are committed and not taken. */
export function countItems(arena: Arena, queue: Block): number {
  let count = 0;
  findLane(arena, queue.at / 4, (lane) => {
    count += laneLength(arena, lane);
    return false;
  });
  return count;
}
