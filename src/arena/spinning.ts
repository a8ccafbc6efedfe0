import { availableParallelism } from 'node:os';
import type { Arena } from './arena.js';
import { HEADER, SPINNER_PLACES } from './layout.js';
import type { OwnerId } from './slots.js';

/** Looks between two readings of the clock. */
const LOOKS = 64;

/** After spinning in vain again and again, as many waits at the most go by without. */
const MOST_SKIPPED = 31;
let toSkip = 0;
let skippedLast = 0;

/** As many may spin as there are CPUs besides the one that makes work; on one CPU nobody does. */
const places = Math.min(availableParallelism() - 1, SPINNER_PLACES);

/**
 * Looks for `isReady` without sleeping, `spinMs` at the longest: being woken costs more than most short waits last. Gives up
 * at once when as many members spin as there are CPUs to spare, for then spinning takes the CPU from who is waited for.
 */
export function spinUntil(arena: Arena, owner: OwnerId, isReady: () => boolean, spinMs: number): boolean {
  // Where it was in vain the CPUs are busy, or what is waited for takes longer: then it only keeps a CPU from who is waited for.
  if (toSkip > 0) {
    toSkip--;
    return isReady();
  }
  const place = takePlace(arena, owner);
  if (place === -1) return false;
  try {
    const deadline = performance.now() + spinMs;
    do {
      for (let look = 0; look < LOOKS; look++) {
        if (!isReady()) continue;
        skippedLast = 0;
        return true;
      }
    } while (performance.now() < deadline);
    skippedLast = Math.min(2 * skippedLast + 1, MOST_SKIPPED);
    toSkip = skippedLast;
    return false;
  } finally {
    Atomics.compareExchange(arena.words, place, owner, 0);
  }
}

function takePlace(arena: Arena, owner: OwnerId): number {
  for (let place = HEADER.SPINNERS; place < HEADER.SPINNERS + places; place++) {
    if (Atomics.compareExchange(arena.words, place, 0, owner) === 0) return place;
  }
  return -1;
}

/** Frees the place of a member that died spinning. */
export function sweepSpinner(arena: Arena, dead: OwnerId): void {
  for (let place = HEADER.SPINNERS; place < HEADER.SPINNERS + SPINNER_PLACES; place++) {
    Atomics.compareExchange(arena.words, place, dead, 0);
  }
}
