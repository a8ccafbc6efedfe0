import type { Arena } from '../arena.js';
import { EVENT } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { leaveWaiters, wakeAll } from './wait-set.js';

/** An event: one word that counts how often it was set, so that who waits is released even if it is cleared before that one looks. */

export function eventState(arena: Arena, word: number): number {
  return Atomics.load(arena.words, word + EVENT.STATE);
}

export function isSet(state: number): boolean {
  return (state & 1) === 1;
}

/** Tells whether the event is set, or was set since `state` was read. */
export function wasSetSince(arena: Arena, word: number, state: number): boolean {
  const now = eventState(arena, word);
  return isSet(now) || now >> 1 !== state >> 1;
}

export function setEvent(arena: Arena, word: number): void {
  for (;;) {
    const seen = eventState(arena, word);
    if (isSet(seen)) break;
    // Counts and sets by one exchange: pairs with the looks of those who wait.
    if (Atomics.compareExchange(arena.words, word + EVENT.STATE, seen, (seen + 3) | 0) === seen) break;
  }
  wakeAll(arena, word);
}

export function clearEvent(arena: Arena, word: number): void {
  Atomics.and(arena.words, word + EVENT.STATE, ~1);
}

/** The dead may have set it and not come to wake anybody. */
export function sweepEvent(arena: Arena, word: number, dead: OwnerId): void {
  leaveWaiters(arena, word, dead);
  wakeAll(arena, word);
}
