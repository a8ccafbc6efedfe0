import type { Arena } from '../arena.js';
import { SEMAPHORE } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { endTurn, keptForAnother, leaveWaiters, othersWait, wakeNext } from './wait-set.js';

/**
 * A semaphore. The permits it begins with are words that name who has them, so that those of a dead member come back; permits beyond
 * these are a number and have no owner.
 */

/** As many permits have an owner at the most; what is beyond has none. */
export const MAX_TOKENS = 1024;

export function semaphoreBytes(tokens: number): number {
  return (SEMAPHORE.FIRST_TOKEN + tokens) * 4;
}

/** Prepares a fresh block. `maxExtra`: how many permits without an owner there may be. */
export function initSemaphore(
  arena: Arena,
  word: number,
  tokens: number,
  extra: number,
  maxExtra: number,
): void {
  arena.words[word + SEMAPHORE.TOKENS] = tokens;
  arena.words[word + SEMAPHORE.MAX_EXTRA] = maxExtra;
  Atomics.store(arena.words, word + SEMAPHORE.EXTRA, extra);
}

/** Takes a permit if one is free and not kept for another; never waits. */
export function tryTakePermit(arena: Arena, word: number, me: OwnerId): boolean {
  if (keptForAnother(arena, word, me) !== 0) return false;
  if (!exchangeToken(arena, word, 0, me) && !changeExtra(arena, word, -1)) return false;
  endTurn(arena, word, me);
  return true;
}

/** Whom a free permit is kept for, if it is another than `me`; 0 while none is free. */
export function permitKeptFor(arena: Arena, word: number, me: OwnerId): OwnerId {
  const kept = keptForAnother(arena, word, me);
  return kept === 0 || freePermits(arena, word) === 0 ? 0 : kept;
}

/** Finds a permit of `former` and makes it one of `next`. */
function exchangeToken(arena: Arena, word: number, former: OwnerId, next: OwnerId): boolean {
  const { words } = arena;
  const first = word + SEMAPHORE.FIRST_TOKEN;
  const end = first + (words[word + SEMAPHORE.TOKENS] as number);
  for (let at = first; at < end; at++) {
    if (Atomics.load(words, at) === former && Atomics.compareExchange(words, at, former, next) === former)
      return true;
  }
  return false;
}

function changeExtra(arena: Arena, word: number, by: 1 | -1): boolean {
  const at = word + SEMAPHORE.EXTRA;
  const max = arena.words[word + SEMAPHORE.MAX_EXTRA] as number;
  for (;;) {
    const seen = Atomics.load(arena.words, at);
    if (seen + by < 0 || seen + by > max) return false;
    if (Atomics.compareExchange(arena.words, at, seen, seen + by) === seen) return true;
  }
}

/** Gives a permit back, its own before another's; `false`, and nothing is changed, when that would be one too many. */
export function releasePermit(arena: Arena, word: number, me: OwnerId): boolean {
  if (!exchangeToken(arena, word, me, 0) && !freeAnyToken(arena, word) && !changeExtra(arena, word, 1))
    return false;
  wakeNext(arena, word);
  return true;
}

/** One takes and another gives back: so it is where a semaphore counts places in a buffer. */
function freeAnyToken(arena: Arena, word: number): boolean {
  const { words } = arena;
  const first = word + SEMAPHORE.FIRST_TOKEN;
  const end = first + (words[word + SEMAPHORE.TOKENS] as number);
  for (let at = first; at < end; at++) {
    const seen = Atomics.load(words, at);
    if (seen !== 0 && Atomics.compareExchange(words, at, seen, 0) === seen) return true;
  }
  return false;
}

/** Permits that are free. */
export function freePermits(arena: Arena, word: number): number {
  const { words } = arena;
  const first = word + SEMAPHORE.FIRST_TOKEN;
  let count = Atomics.load(words, word + SEMAPHORE.EXTRA);
  for (let at = first; at < first + (words[word + SEMAPHORE.TOKENS] as number); at++) {
    if (Atomics.load(words, at) === 0) count++;
  }
  return count;
}

/** How many permits could still be given back. */
export function permitsOut(arena: Arena, word: number): number {
  const { words } = arena;
  const most = (words[word + SEMAPHORE.TOKENS] as number) + (words[word + SEMAPHORE.MAX_EXTRA] as number);
  return most - freePermits(arena, word);
}

/** Owner ids of those who have permits, once for each. */
export function permitOwners(arena: Arena, word: number): OwnerId[] {
  const first = word + SEMAPHORE.FIRST_TOKEN;
  const tokens = arena.words.subarray(first, first + (arena.words[word + SEMAPHORE.TOKENS] as number));
  return [...tokens].filter((owner) => owner !== 0);
}

/** Takes `me` off those who wait; hands on the wake-up that it may have got and made no use of. */
export function stopWaitingForPermit(arena: Arena, word: number, me: OwnerId): void {
  leaveWaiters(arena, word, me);
  passOnPermits(arena, word);
}

/** Wakes the next while there is something free: a wake-up may have gone to one that died, or that took one of two permits. */
export function passOnPermits(arena: Arena, word: number): void {
  if (othersWait(arena, word, 0) && freePermits(arena, word) > 0) wakeNext(arena, word);
}

/** Gives the permits of the dead back. Every step may be done twice. */
export function sweepSemaphore(arena: Arena, word: number, dead: OwnerId): void {
  leaveWaiters(arena, word, dead);
  while (exchangeToken(arena, word, dead, 0));
  passOnPermits(arena, word);
}
