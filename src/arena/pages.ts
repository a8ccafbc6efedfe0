import { givePagesBack } from '../kernel/memory.js';
import type { Arena } from './arena.js';
import { BLOCK, FIRST_PAGE, HEADER, PAGE, PAGE_BYTES, pageEntry, pageTag, pageWord } from './layout.js';
import { type OwnerId, slotOf } from './slots.js';

/** Set in a block's state word while its owner takes or frees it; a death in between is then visible. */
export const IN_TRANSITION: number = 0x80000000 | 0;

/**
 * Takes `count` neighbouring free pages: claims each, marks a run's block as in transition, then commits by one store
 * into the first entry. A death before that store leaves claims of the dead, which the sweep frees; a death after it leaves a run in
 * transition, which the sweep frees as a block.
 */
export function takePages(arena: Arena, owner: OwnerId, count: number, committed: number): number {
  const { words } = arena;
  for (let first = findFreePages(arena, count, FIRST_PAGE); first !== -1; ) {
    const taken = claimPages(arena, owner, first, count);
    if (taken < count) {
      // Another came first at that page; go on behind it.
      first = findFreePages(arena, count, first + taken + 1);
      continue;
    }
    const isRun = pageTag(committed) === PAGE.RUN;
    if (isRun) Atomics.store(words, (first * PAGE_BYTES) / 4 + BLOCK.STATE, owner | IN_TRANSITION);
    Atomics.store(words, pageWord(first), committed);
    for (let page = first + 1; page < first + count; page++) {
      Atomics.store(words, pageWord(page), PAGE.BODY << 28);
    }
    return first;
  }
  return -1;
}

/** Looks, and touches nothing, so that a request for more than there is room for leaves no trace. */
function findFreePages(arena: Arena, count: number, from: number): number {
  let length = 0;
  for (let page = from; page < arena.pageCount; page++) {
    length = Atomics.load(arena.words, pageWord(page)) === PAGE.FREE ? length + 1 : 0;
    if (length === count) return page - count + 1;
  }
  return -1;
}

/** Claims `count` pages from `first` on, or none; answers how many were free before the first that was not. */
function claimPages(arena: Arena, owner: OwnerId, first: number, count: number): number {
  const { words } = arena;
  const claim = pageEntry(PAGE.CLAIM, slotOf(owner));
  // Raised before the claims, so that a sweep sees every one of them.
  raisePagesUsed(words, first + count);
  let length = 0;
  while (
    length < count &&
    Atomics.compareExchange(words, pageWord(first + length), PAGE.FREE, claim) === PAGE.FREE
  ) {
    length++;
  }
  if (length === count) return count;
  for (let page = first + length - 1; page >= first; page--) Atomics.store(words, pageWord(page), PAGE.FREE);
  return length;
}

function raisePagesUsed(words: Int32Array, end: number): void {
  for (;;) {
    const seen = Atomics.load(words, HEADER.PAGES_USED);
    if (seen >= end || Atomics.compareExchange(words, HEADER.PAGES_USED, seen, end) === seen) return;
  }
}

/** A free page is all zero: the memory goes back to the system before its entries say that they are free. */
export function releaseRun(arena: Arena, first: number, count: number, by: OwnerId): void {
  const { words } = arena;
  const claim = pageEntry(PAGE.CLAIM, slotOf(by));
  for (let page = first + count - 1; page > first; page--) Atomics.store(words, pageWord(page), claim);
  // From here on these are claimed pages and no block any more; the sweep treats them as such.
  Atomics.store(words, pageWord(first), claim);
  givePagesBack(arena.byteAddress(first * PAGE_BYTES), count * PAGE_BYTES);
  for (let page = first + count - 1; page >= first; page--) Atomics.store(words, pageWord(page), PAGE.FREE);
}
