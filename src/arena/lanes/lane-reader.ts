import { type Block, blockAt, hold } from '../allocator.js';
import type { Arena } from '../arena.js';
import { unkeep } from '../keeping.js';
import { BLOCK_ALIGNMENT } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { ENTRY, LANE, SEGMENT } from './lane-layout.js';

/**
 * The reading end of a lane. All of this happens under the lock of those who take, and has taken place or not by one store: that of the
 * head. What is let go of on the way is held by the one who takes until it has left the lock.
 */

const TAG_MASK = 7;

/** A lane as it lies in the arena: its first word. */
export type Lane = number;

export function isLaneEmpty(arena: Arena, lane: Lane): boolean {
  return Atomics.load(arena.words, lane + LANE.HEAD) === Atomics.load(arena.words, lane + LANE.TAIL);
}

export function laneLength(arena: Arena, lane: Lane): number {
  const head = Atomics.load(arena.words, lane + LANE.HEAD);
  return (Atomics.load(arena.words, lane + LANE.TAIL) - head) | 0;
}

/** The entry of the next message, as its first word; -1 when there is none. Segments that are read to the end go to `spent`, held by `me`. */
export function nextEntry(arena: Arena, lane: Lane, me: OwnerId, spent: Block[]): number {
  const { words } = arena;
  const number = Atomics.load(words, lane + LANE.HEAD);
  // Pairs with the writer's commit.
  if (Atomics.load(words, lane + LANE.TAIL) === number) return -1;
  for (;;) {
    const segment = (Atomics.load(words, lane + LANE.FIRST) * BLOCK_ALIGNMENT) / 4;
    const next = Atomics.load(words, segment + SEGMENT.NEXT);
    const nextSegment = (next * BLOCK_ALIGNMENT) / 4;
    if (next === 0 || ((number - (words[nextSegment + SEGMENT.FIRST_NUMBER] as number)) | 0) < 0) {
      const index = (number - (words[segment + SEGMENT.FIRST_NUMBER] as number)) | 0;
      return segment + SEGMENT.ENTRIES + index * ENTRY.WORDS;
    }
    const block = blockAt(arena, segment * 4);
    hold(arena, block, me);
    Atomics.store(words, lane + LANE.FIRST, next);
    unkeep(arena, block);
    spent.push(block);
  }
}

/** Bytes of the message of an entry. */
export function entryLength(arena: Arena, entry: number): number {
  return arena.words[entry + ENTRY.LENGTH] as number;
}

export function entryTag(arena: Arena, entry: number): number {
  return (arena.words[entry + ENTRY.LOW] as number) & TAG_MASK;
}

/** The ticket of an entry of a queue. */
export function entryTicket(arena: Arena, entry: number): number {
  return arena.words[entry + ENTRY.STAMP] as number;
}

/** The block that the message is in; `undefined` where it lies in the segment. */
export function entryBlock(arena: Arena, entry: number): Block | undefined {
  const at = arena.words[entry + ENTRY.BLOCK] as number;
  return at === 0 ? undefined : blockAt(arena, at * BLOCK_ALIGNMENT);
}

/** Copies a message that lies in the segment of `lane` to the beginning of `target`. */
export function copyEntry(arena: Arena, lane: Lane, entry: number, target: Uint8Array): void {
  const { words, bytes } = arena;
  const segment = (words[lane + LANE.FIRST] as number) * BLOCK_ALIGNMENT;
  const from = segment + ((words[entry + ENTRY.LOW] as number) & ~TAG_MASK);
  const length = words[entry + ENTRY.LENGTH] as number;
  // A view of a few bytes costs more than they do.
  if (length <= 64) for (let i = 0; i < length; i++) target[i] = bytes[from + i] as number;
  else target.set(bytes.subarray(from, from + length));
}

/** Takes the message of `entry`, the next one: from here on it is read. */
export function takeEntry(arena: Arena, lane: Lane, entry: number): void {
  const { words } = arena;
  // Before the head: a death in between leaves a message that counts as read, and is counted the same by who takes it then.
  Atomics.store(words, lane + LANE.TAKEN_BYTES, words[entry + ENTRY.STAMP] as number);
  Atomics.store(words, lane + LANE.HEAD, ((words[lane + LANE.HEAD] as number) + 1) | 0);
}

/** Calls `visit` with every block that can be reached in the lane. */
export function visitLane(arena: Arena, lane: Lane, visit: (at: number) => void): void {
  const { words } = arena;
  const tail = Atomics.load(words, lane + LANE.TAIL);
  visit(Atomics.load(words, lane + LANE.LAST) * BLOCK_ALIGNMENT);
  for (let i = 0; i < LANE.SPARE_COUNT; i++)
    visit(Atomics.load(words, lane + LANE.SPARES + i) * BLOCK_ALIGNMENT);
  let segment = (Atomics.load(words, lane + LANE.FIRST) * BLOCK_ALIGNMENT) / 4;
  let number = Atomics.load(words, lane + LANE.HEAD);
  while (segment !== 0) {
    visit(segment * 4);
    const next = (Atomics.load(words, segment + SEGMENT.NEXT) * BLOCK_ALIGNMENT) / 4;
    const end = next === 0 ? tail : (words[next + SEGMENT.FIRST_NUMBER] as number);
    for (; ((end - number) | 0) > 0; number = (number + 1) | 0) {
      const index = (number - (words[segment + SEGMENT.FIRST_NUMBER] as number)) | 0;
      visit(
        (words[segment + SEGMENT.ENTRIES + index * ENTRY.WORDS + ENTRY.BLOCK] as number) * BLOCK_ALIGNMENT,
      );
    }
    segment = next;
  }
}

/** Under the lock: lets go of the segments of a lane that is empty and written no more. */
export function dismantleLane(arena: Arena, lane: Lane, me: OwnerId, spent: Block[]): void {
  const seen = new Set<number>();
  visitLane(arena, lane, (at) => {
    if (at !== 0) seen.add(at);
  });
  for (const at of seen) {
    const block = blockAt(arena, at);
    hold(arena, block, me);
    unkeep(arena, block);
    spent.push(block);
  }
}
