import type { Arena } from '../arena.js';
import { SLOT_COUNT, WAITING } from '../layout.js';
import { wake } from '../parking.js';
import { currentIn, type OwnerId, slotOf } from '../slots.js';

/**
 * Which members wait for a primitive: one bit for each slot, whatever number of flows waits in a member. There is no queue that a death
 * could tear: the dead are taken off by clearing their bit.
 *
 * A waiter joins, looks once more, sleeps; who makes something free does so, then looks for waiters. One of the two sees the other.
 * Members are woken by turns, in the order of their slots, so that each is woken before another is woken twice.
 */

const SET_WORDS = SLOT_COUNT / 32;

export function joinWaiters(arena: Arena, word: number, owner: OwnerId): void {
  const slot = slotOf(owner);
  const bit = 1 << (slot & 31);
  // Counted before the bit is set, and below after it is cleared: a death in between leaves a count that is too high, never one too low.
  Atomics.add(arena.words, word + WAITING.COUNT, 1);
  if ((Atomics.or(arena.words, word + WAITING.SET + (slot >>> 5), bit) & bit) !== 0)
    Atomics.sub(arena.words, word + WAITING.COUNT, 1);
}

/** Takes `owner` off those who wait, and off the place of the one that is served first. */
export function leaveWaiters(arena: Arena, word: number, owner: OwnerId): void {
  const slot = slotOf(owner);
  const bit = 1 << (slot & 31);
  if ((Atomics.and(arena.words, word + WAITING.SET + (slot >>> 5), ~bit) & bit) !== 0)
    Atomics.sub(arena.words, word + WAITING.COUNT, 1);
  Atomics.compareExchange(arena.words, word + WAITING.HUNGRY, owner, 0);
}

/** Tells whether anybody but `owner` waits. */
export function othersWait(arena: Arena, word: number, owner: OwnerId): boolean {
  if (Atomics.load(arena.words, word + WAITING.COUNT) === 0) return false;
  const slot = slotOf(owner);
  for (let i = 0; i < SET_WORDS; i++) {
    const bits = Atomics.load(arena.words, word + WAITING.SET + i);
    if (bits !== 0 && (i !== slot >>> 5 || (bits & ~(1 << (slot & 31))) !== 0)) return true;
  }
  return false;
}

/** The members that wait. */
export function waitersOf(arena: Arena, word: number): OwnerId[] {
  const found: OwnerId[] = [];
  for (let i = 0; i < SET_WORDS; i++) {
    let bits = Atomics.load(arena.words, word + WAITING.SET + i);
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      found.push(currentIn(arena, i * 32 + bit));
      bits &= bits - 1;
    }
  }
  return found;
}

/** Asks to be served before all others. One member at a time can be; who is not is so later. */
export function claimNextTurn(arena: Arena, word: number, owner: OwnerId): void {
  Atomics.compareExchange(arena.words, word + WAITING.HUNGRY, 0, owner);
}

/** `owner` has been served, or did not come: what comes free next is anybody's. */
export function endTurn(arena: Arena, word: number, owner: OwnerId): void {
  if (Atomics.load(arena.words, word + WAITING.HUNGRY) === owner)
    Atomics.compareExchange(arena.words, word + WAITING.HUNGRY, owner, 0);
}

/** Whom what is free is kept for, if it is another than `owner`; else 0. */
export function keptForAnother(arena: Arena, word: number, owner: OwnerId): OwnerId {
  const hungry = Atomics.load(arena.words, word + WAITING.HUNGRY);
  return hungry === owner ? 0 : hungry;
}

/** Wakes the member whose turn it is, if anybody waits. */
export function wakeNext(arena: Arena, word: number): void {
  if (Atomics.load(arena.words, word + WAITING.COUNT) === 0) return;
  const hungry = Atomics.load(arena.words, word + WAITING.HUNGRY);
  if (hungry !== 0) {
    wake(arena, hungry);
    return;
  }
  const next = slotAfter(arena, word, Atomics.load(arena.words, word + WAITING.TURN));
  if (next === -1) return;
  // Two may do so at once and wake the same one: it passes on what it does not take.
  Atomics.store(arena.words, word + WAITING.TURN, next);
  wake(arena, currentIn(arena, next));
}

/** Wakes all who wait. */
export function wakeAll(arena: Arena, word: number): void {
  for (const owner of waitersOf(arena, word)) wake(arena, owner);
}

/** The first slot behind `turn`, going round, that waits; -1 when none does. */
function slotAfter(arena: Arena, word: number, turn: number): number {
  const first = (turn + 1) & (SLOT_COUNT - 1);
  for (let step = 0; step <= SET_WORDS; step++) {
    const index = ((first >>> 5) + step) % SET_WORDS;
    let bits = Atomics.load(arena.words, word + WAITING.SET + index);
    // The word of `first` is looked at twice: at first what is not before it, at last what is.
    if (step === 0) bits &= -1 << (first & 31);
    if (step === SET_WORDS) bits &= ~(-1 << (first & 31));
    if (bits !== 0) return index * 32 + 31 - Math.clz32(bits & -bits);
  }
  return -1;
}
