import { futexWait, futexWake } from '../kernel/futex.js';
import { stateOf } from '../kernel/process-tree.js';
import type { Arena } from './arena.js';
import { SLOT, slotWord } from './layout.js';
import { holdsWhatOthersAwait } from './primitives/awaited.js';
import { currentIn, isCurrent, type OwnerId, slotOf } from './slots.js';

/** The FREEZE word of a slot. */
const GO = 0;
/** Its process is stopped, or shall stop as soon as it is outside of every critical section. */
const STOP = 1;

/** A stopped process looks this often whether it has missed its wake-up. */
const SLICE_MS = 1000;
/** Looks at a process that was just sent SIGSTOP, until it has stopped. Each is a few microseconds; one or two do. */
const LOOKS = 200;

let ownArena: Arena | undefined;
let ownWord = 0;

/** Called when this thread enters a family: from here on its critical sections are its slot's. */
export function watchFreezing(arena: Arena, owner: OwnerId): void {
  ownArena = arena;
  ownWord = slotWord(slotOf(owner));
  Atomics.store(arena.words, ownWord + SLOT.CRITICAL, 0);
  Atomics.store(arena.words, ownWord + SLOT.FREEZE, GO);
}

/** From here to {@link leaveCritical} a stop of this thread would hold up others. Sections may lie within one another. */
export function enterCritical(arena: Arena): void {
  // Pairs with the look in `freeze`, which comes after the stop: either the stop comes before this store, or the look sees it.
  if (ownArena === arena) Atomics.add(arena.words, ownWord + SLOT.CRITICAL, 1);
}

/** The end of a critical section: whoever was asked to stop meanwhile does it here, in a futex. */
export function leaveCritical(arena: Arena): void {
  if (ownArena !== arena) return;
  const { words } = arena;
  if (Atomics.sub(words, ownWord + SLOT.CRITICAL, 1) !== 1) return;
  const word = ownWord + SLOT.FREEZE;
  while (Atomics.load(words, word) === STOP) futexWait(arena.wordAddress(word), STOP, SLICE_MS);
}

/**
 * Stops the process of `owner`: at once if it is outside of every critical section, else as soon as it leaves the one it is in.
 *
 * First the wish is noted, then the process is stopped, and only then looked at: a process that runs may enter a section between look
 * and stop (a blind stop caught a lock held 6 to 132 times in 400).
 *
 * @returns `false` when it must not be stopped now: it holds what others wait for, or it is gone.
 */
export function freeze(arena: Arena, owner: OwnerId, pid: number): boolean {
  if (!isCurrent(arena, owner) || holdsWhatOthersAwait(arena, owner)) return false;
  const at = slotWord(slotOf(owner));
  Atomics.store(arena.words, at + SLOT.FREEZE, STOP);
  if (!signal(pid, 'SIGSTOP')) return false;
  for (let look = 0; look < LOOKS && !'TtZX'.includes(stateOf(pid)); look++);
  if (holdsWhatOthersAwait(arena, owner)) {
    thaw(arena, owner, pid);
    return false;
  }
  // Inside of a section: it runs on, and stops by itself at the end of it.
  if (Atomics.load(arena.words, at + SLOT.CRITICAL) > 0) signal(pid, 'SIGCONT');
  return true;
}

/** Lets a frozen process go on, however it was stopped. */
export function thaw(arena: Arena, owner: OwnerId, pid: number): void {
  if (!isCurrent(arena, owner) || currentIn(arena, slotOf(owner)) !== owner) return;
  const word = slotWord(slotOf(owner)) + SLOT.FREEZE;
  Atomics.store(arena.words, word, GO);
  futexWake(arena.wordAddress(word), 1);
  signal(pid, 'SIGCONT');
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
