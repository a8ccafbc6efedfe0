import { ClosedError } from '../base/errors.js';
import { type Block, freeUnheld, headOf, isAlive } from './allocator.js';
import type { Arena } from './arena.js';
import { refersTo } from './envelope.js';
import { BLOCK, KIND } from './layout.js';
import type { OwnerId } from './slots.js';
import { visitBlocks } from './walk.js';

/**
 * The second kind of hold. Members hold a block by their bit; a message in flight is no member, and there may be many: it holds the
 * blocks it carries by a count.
 *
 * The count goes up and down exactly once for each envelope, unless a death comes in between. A sweep cannot know on which side of it the
 * death was, so it does not repair the count but marks it as doubtful, once and for all. From then on the envelopes themselves are asked,
 * all of them, whenever nobody else holds the block: that takes a walk, and is always right.
 */

const IN_DOUBT = 0x40000000;
/** Of a block that keeps others: somebody died while changing which; see keeping.ts. */
const IN_DISORDER = 0x20000000;
const COUNT_MASK = 0x1fffffff;

/** A new life of a block begins without references. */
export function startReferences(arena: Arena, head: number, generation: number): void {
  arena.words[head + BLOCK.REFERENCES] = 0;
  arena.words[head + BLOCK.REFERENCES_LIFE] = generation;
}

/** Changes count and doubt in the given life of the block; `false`, and nothing is written, when that life is over. */
function change(arena: Arena, block: Block, next: (seen: number) => number): boolean {
  const pair = (headOf(block) + BLOCK.REFERENCES) / 2;
  const life = BigInt(block.generation) << 32n;
  for (;;) {
    const seen = Atomics.load(arena.pairs, pair);
    if (seen >> 32n !== BigInt(block.generation)) return false;
    const replacement = life | BigInt(next(Number(seen & 0xffffffffn)));
    if (Atomics.compareExchange(arena.pairs, pair, seen, replacement) === seen) return true;
  }
}

/**
 * Counts one envelope more. The caller holds the block itself, and has noted it in the envelope before.
 *
 * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the block was freed.
 */
export function addReference(arena: Arena, block: Block): void {
  if (!isAlive(arena, block) || !change(arena, block, (seen) => seen + 1)) {
    throw new ClosedError('Sending a handle failed: what it stands for was closed and freed before.');
  }
  // As in `hold`: after the count and before the caller lets go of its own hold.
  Atomics.add(arena.words, headOf(block) + BLOCK.JOINS, 1);
}

/** One envelope less; frees the block if it was the last that held it. */
export function dropReference(arena: Arena, block: Block, by: OwnerId): void {
  // A count in doubt may be too low already.
  if (change(arena, block, (seen) => ((seen & COUNT_MASK) > 0 ? seen - 1 : seen)))
    freeIfUnheld(arena, block, by);
}

/** Somebody died while counting an envelope in or out: the count says nothing from now on. */
export function doubtReferences(arena: Arena, block: Block, by: OwnerId): void {
  if (change(arena, block, (seen) => seen | IN_DOUBT)) freeIfUnheld(arena, block, by);
}

/** Notes that somebody died while changing what `keeper` keeps. */
export function markDisorder(arena: Arena, keeper: Block): void {
  change(arena, keeper, (seen) => seen | IN_DISORDER);
}

export function isInDisorder(arena: Arena, keeper: Block): boolean {
  return (Atomics.load(arena.words, headOf(keeper) + BLOCK.REFERENCES) & IN_DISORDER) !== 0;
}

/** Before putting in order: what comes to pass from here on is noted anew. */
export function clearDisorder(arena: Arena, keeper: Block): void {
  change(arena, keeper, (seen) => seen & ~IN_DISORDER);
}

export function freeIfUnheld(arena: Arena, block: Block, by: OwnerId): void {
  if (!isAlive(arena, block)) return;
  const state = Atomics.load(arena.words, headOf(block) + BLOCK.STATE);
  freeUnheld(arena, headOf(block), state, block.generation, by);
}

/** Tells whether an envelope refers to the block; to be asked when no member holds it any more. */
export function isReferenced(arena: Arena, head: number, generation: number): boolean {
  const count = Atomics.load(arena.words, head + BLOCK.REFERENCES);
  if ((count & IN_DOUBT) === 0) return (count & COUNT_MASK) !== 0;
  let isFound = false;
  // One that is just being freed is none any more: who frees it looks here after that, as does the sweep in its place.
  visitBlocks(arena, KIND.ENVELOPE, (envelope) => {
    isFound ||= refersTo(arena, envelope.at, head, generation);
  });
  return isFound;
}
