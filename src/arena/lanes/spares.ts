import { type Block, blockAt, hold, kindOf, payloadBytes } from '../allocator.js';
import type { Arena } from '../arena.js';
import { keep, unkeep } from '../keeping.js';
import { BLOCK_ALIGNMENT, KIND } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { LANE } from './lane-layout.js';
import type { Lane } from './lane-reader.js';

/**
 * Large blocks that were read and are written again: fresh pages cost several times a copy. All of this happens under the lock of those
 * who take, for nobody need hold such a block while it lies ready.
 *
 * Its last writer may do so still, having committed it and not let go yet. That it must do before it takes any block from here: else it would let
 * go of the block it has just taken.
 */

/** Smaller blocks are of slabs, whose pages stay in memory. */
export const RECYCLED_FROM_BYTES: number = 16 * 1024;
/** Most bytes that lie ready in one lane: three of 64 MiB, with what surrounds them. */
const MOST_SPARE_BYTES = 256 * 1024 * 1024;

/** Takes a block for a message of `length` bytes, which `me` then holds as if it were new; `undefined` where none fits. */
export function takeSpareFrom(arena: Arena, lane: Lane, length: number, me: OwnerId): Block | undefined {
  const first = lane + LANE.SPARES;
  for (let word = first; word < first + LANE.SPARE_COUNT; word++) {
    const block = blockIn(arena, word);
    if (block === undefined) continue;
    const size = payloadBytes(arena, block);
    if (size < length || size > 2 * length) continue;
    hold(arena, block, me);
    Atomics.store(arena.words, word, 0);
    unkeep(arena, block);
    return block;
  }
  return undefined;
}

/** Tells whether a block that was read may be written again at all; no lock is needed for this. */
export function isRecyclable(arena: Arena, block: Block): boolean {
  return kindOf(arena, block) === KIND.ITEM && payloadBytes(arena, block) >= RECYCLED_FROM_BYTES;
}

/**
 * Leaves a block that was read, and that its caller holds and drops afterwards, in `lane`. What lies there already is of other sizes than what is
 * sent now if there is no room: it goes to `spent`, held by `me`.
 */
export function leaveSpareIn(
  arena: Arena,
  keeper: Block,
  lane: Lane,
  block: Block,
  me: OwnerId,
  spent: Block[],
): void {
  const first = lane + LANE.SPARES;
  let bytes = payloadBytes(arena, block);
  let free = -1;
  for (let word = first; word < first + LANE.SPARE_COUNT; word++) {
    const spare = blockIn(arena, word);
    if (spare === undefined) free = word;
    else bytes += payloadBytes(arena, spare);
  }
  if (free === -1 || bytes > MOST_SPARE_BYTES) {
    dropSpares(arena, lane, me, spent);
    return;
  }
  keep(arena, block, keeper);
  Atomics.store(arena.words, free, block.at / BLOCK_ALIGNMENT);
}

/** Under the lock: gives up what lies ready in a lane; it goes to `spent`, held by `me`. */
export function dropSpares(arena: Arena, lane: Lane, me: OwnerId, spent: Block[]): void {
  const first = lane + LANE.SPARES;
  for (let word = first; word < first + LANE.SPARE_COUNT; word++) {
    const spare = blockIn(arena, word);
    if (spare === undefined) continue;
    hold(arena, spare, me);
    Atomics.store(arena.words, word, 0);
    unkeep(arena, spare);
    spent.push(spare);
  }
}

function blockIn(arena: Arena, word: number): Block | undefined {
  const at = Atomics.load(arena.words, word) * BLOCK_ALIGNMENT;
  return at === 0 ? undefined : blockAt(arena, at);
}
