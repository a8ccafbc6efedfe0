import type { Arena } from '../arena.js';
import { CONDITION } from '../layout.js';
import { wake } from '../parking.js';
import { currentIn, type OwnerId, pidOf, slotOf } from '../slots.js';

/**
 * Who waits for a condition, in the order in which they came: one place for each waiting flow. A place names its member; a notification
 * turns the sign, by one exchange. A flow that has the lock again frees its place: until then its notification is not used up, and
 * is handed on should it die.
 *
 * Places are given out, and notified, by who has the condition's lock; only giving up, dying and sweeping go without.
 */

const NOTIFIED = 0x80000000 | 0;
const OWNER_MASK = 0x7fffffff;

export const CONDITION_BYTES: number = (CONDITION.FIRST_PLACE + CONDITION.PLACES) * 4;

function placeAt(word: number, ticket: number): number {
  return word + CONDITION.FIRST_PLACE + ((ticket >>> 0) % CONDITION.PLACES);
}

/** Takes the next place for a flow of `me`; answers its word, or -1 when all are taken. */
export function takePlace(arena: Arena, word: number, me: OwnerId): number {
  for (let tried = 0; tried < CONDITION.PLACES; tried++) {
    const at = placeAt(word, nextTicket(arena, word));
    if (Atomics.compareExchange(arena.words, at, 0, me) === 0) return at;
  }
  return -1;
}

/** Tickets go round with the places, so that a wrap of the number is no jump among them. */
function nextTicket(arena: Arena, word: number): number {
  const ticket = Atomics.load(arena.words, word + CONDITION.TAIL);
  Atomics.store(arena.words, word + CONDITION.TAIL, (ticket + 1) % CONDITION.PLACES);
  return ticket;
}

/** Tells whether the flow at this place was notified. */
export function isNotified(arena: Arena, at: number): boolean {
  return Atomics.load(arena.words, at) < 0;
}

/** Leaves a place whose notification did not come; `false` when it came after all. */
export function giveUpPlace(arena: Arena, at: number, me: OwnerId): boolean {
  return Atomics.compareExchange(arena.words, at, me, 0) === me;
}

/** Leaves a place whose notification is used up. */
export function freePlace(arena: Arena, at: number): void {
  Atomics.store(arena.words, at, 0);
}

/** Notifies up to `count` flows, the longest waiting first; answers how many. */
export function notifyPlaces(arena: Arena, word: number, count: number): number {
  const { words } = arena;
  const oldest = Atomics.load(words, word + CONDITION.TAIL);
  let notified = 0;
  for (let step = 0; step < CONDITION.PLACES && notified < count; step++) {
    const at = placeAt(word, oldest + step);
    const owner = Atomics.load(words, at);
    if (owner <= 0 || Atomics.compareExchange(words, at, owner, owner | NOTIFIED) !== owner) continue;
    notified++;
    wake(arena, owner);
  }
  return notified;
}

/** Pids of those who wait, once for each flow. */
export function waitingPids(arena: Arena, word: number): number[] {
  const places = arena.words.subarray(
    word + CONDITION.FIRST_PLACE,
    word + CONDITION.FIRST_PLACE + CONDITION.PLACES,
  );
  return [...places].filter((owner) => owner > 0).map((owner) => pidOf(arena, owner));
}

/** Owner ids of those who wait, once for each flow. */
export function waitingOwners(arena: Arena, word: number): OwnerId[] {
  const first = word + CONDITION.FIRST_PLACE;
  return [...arena.words.subarray(first, first + CONDITION.PLACES)].filter((owner) => owner > 0);
}

/** Frees the places of the dead and hands their notifications on. Every step may be done twice, for then a flow too many is woken. */
export function sweepCondition(arena: Arena, word: number, dead: OwnerId): void {
  const { words } = arena;
  const end = word + CONDITION.FIRST_PLACE + CONDITION.PLACES;
  for (let at = word + CONDITION.FIRST_PLACE; at < end; at++) {
    const seen = Atomics.load(words, at);
    if (seen === 0) continue;
    if ((seen & OWNER_MASK) === dead) freePlaceOfDead(arena, word, at, dead);
    // The dead may have been about to wake it.
    else if (seen < 0) wake(arena, currentIn(arena, slotOf(seen & OWNER_MASK)));
  }
}

function freePlaceOfDead(arena: Arena, word: number, at: number, dead: OwnerId): void {
  // A notification may come at the last moment, from one that does not know of the death: it is handed on, too.
  if (Atomics.compareExchange(arena.words, at, dead, 0) === dead) return;
  const notified = dead | NOTIFIED;
  if (Atomics.load(arena.words, at) !== notified) return;
  // Before the place is free: dying in between notifies one too many, which no waiter may mind.
  notifyPlaces(arena, word, 1);
  Atomics.compareExchange(arena.words, at, notified, 0);
}
