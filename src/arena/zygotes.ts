import type { Arena } from './arena.js';
import { ZYGOTE_PLACES, zygoteWord } from './layout.js';
import type { OwnerId } from './slots.js';

/*
 * A zygote serves those who want children with the flags it was started with: V8 takes most of them at its start only. Each set of flags
 * has a place for good, found by its key; who serves there changes when a zygote dies.
 */

/**
 * The place of the zygotes for `key`, taken by the first who asks; -1 when all are taken.
 *
 * @param key - Any number but 0.
 */
export function zygotePlace(arena: Arena, key: number): number {
  for (let place = 0; place < ZYGOTE_PLACES; place++) {
    // Whoever loses against another with the same key finds it here.
    const found = Atomics.compareExchange(arena.words, zygoteWord(place), 0, key);
    if (found === 0 || found === key) return place;
  }
  return -1;
}

/** Owner id of the zygote that takes the requests of a place, 0 while there is none. */
export function currentZygote(arena: Arena, place: number): OwnerId {
  return Atomics.load(arena.words, zygoteWord(place) + 1);
}

/** Puts `next` in the place of the zygote `former`; `false` when another came first. */
export function replaceZygote(arena: Arena, place: number, former: OwnerId, next: OwnerId): boolean {
  return Atomics.compareExchange(arena.words, zygoteWord(place) + 1, former, next) === former;
}

/** Tells whether the member takes requests for children. */
export function isZygote(arena: Arena, owner: OwnerId): boolean {
  for (let place = 0; place < ZYGOTE_PLACES; place++) if (currentZygote(arena, place) === owner) return true;
  return false;
}
