import type { Arena } from '../arena.js';
import { LOCK } from '../layout.js';
import { type OwnerId, pidOf } from '../slots.js';
import {
  claimNextTurn,
  endTurn,
  keptForAnother,
  leaveWaiters,
  othersWait,
  waitersOf,
  wakeNext,
} from './wait-set.js';

/**
 * A lock whose owner is a member. Taking a free one that nobody waits for is one exchange, and so is letting go of it.
 *
 * The sign bit says that somebody may sleep: who lets go then wakes the next. It is set by the sleeper before it sleeps, by the next
 * owner while others wait, and by a sweep: the dead may have been about to wake somebody.
 */

const SLEEPERS = 0x80000000 | 0;
const OWNER_MASK = 0x7fffffff;

/** Takes a lock that is free and not kept for one that has waited too long; never waits. */
export function tryTakeLock(arena: Arena, word: number, me: OwnerId): boolean {
  const at = word + LOCK.OWNER;
  if (keptForAnother(arena, word, me) !== 0) return false;
  // Pairs with the exchange in `releaseLock`: what was done under the lock before is seen here.
  const seen = Atomics.compareExchange(arena.words, at, 0, me);
  if (seen === 0) return true;
  return seen === SLEEPERS && Atomics.compareExchange(arena.words, at, seen, me | SLEEPERS) === seen;
}

/**
 * As a member of the wait set: takes the lock, or makes sure that whoever lets go of it wakes the next. `isOneOfSeveral`: more flows of this
 * member wait, and want to be woken, too.
 */
export function takeLockOrMark(arena: Arena, word: number, me: OwnerId, isOneOfSeveral: boolean): boolean {
  const at = word + LOCK.OWNER;
  for (;;) {
    const seen = Atomics.load(arena.words, at);
    if ((seen & OWNER_MASK) === 0 && keptForAnother(arena, word, me) === 0) {
      const mark = isOneOfSeveral || othersWait(arena, word, me) ? SLEEPERS : seen & SLEEPERS;
      if (Atomics.compareExchange(arena.words, at, seen, me | mark) !== seen) continue;
      endTurn(arena, word, me);
      return true;
    } else if (seen < 0 || Atomics.compareExchange(arena.words, at, seen, seen | SLEEPERS) === seen) {
      return false;
    }
  }
}

/** Asks for the lock before all others, because of a long wait. */
export function claimLock(arena: Arena, word: number, me: OwnerId): void {
  claimNextTurn(arena, word, me);
}

/** Whom a free lock is kept for, if it is another than `me`; 0 while somebody has it. */
export function lockKeptFor(arena: Arena, word: number, me: OwnerId): OwnerId {
  const kept = keptForAnother(arena, word, me);
  return kept === 0 || lockOwner(arena, word) !== 0 ? 0 : kept;
}

/** Lets go of a lock that `holder` has; `false`, and nothing is changed, when it has not. */
export function releaseLock(arena: Arena, word: number, holder: OwnerId): boolean {
  if (Atomics.compareExchange(arena.words, word + LOCK.OWNER, holder, 0) === holder) return true;
  const marked = holder | SLEEPERS;
  if (Atomics.compareExchange(arena.words, word + LOCK.OWNER, marked, 0) !== marked) return false;
  wakeNext(arena, word);
  return true;
}

/** Takes `me` off those who wait; hands on the wake-up that it may have got and made no use of. */
export function stopWaitingForLock(arena: Arena, word: number, me: OwnerId): void {
  leaveWaiters(arena, word, me);
  passOnLock(arena, word);
}

/** Sees to it that the lock comes to those who wait: wakes one if it is free, else makes its owner do so. */
function passOnLock(arena: Arena, word: number): void {
  const at = word + LOCK.OWNER;
  if (!othersWait(arena, word, 0)) return;
  for (;;) {
    const seen = Atomics.load(arena.words, at);
    if ((seen & OWNER_MASK) === 0) {
      wakeNext(arena, word);
      return;
    }
    if (seen < 0 || Atomics.compareExchange(arena.words, at, seen, seen | SLEEPERS) === seen) return;
  }
}

/** Owner id of who has the lock, 0 while it is free. */
export function lockOwner(arena: Arena, word: number): OwnerId {
  return Atomics.load(arena.words, word + LOCK.OWNER) & OWNER_MASK;
}

/** Pid of a former owner that died while it had the lock; 0 if none did. Asked by the new owner, who is told once. */
export function takeNoteOfDeath(arena: Arena, word: number): number {
  return arena.words[word + LOCK.DIED] === 0 ? 0 : Atomics.exchange(arena.words, word + LOCK.DIED, 0);
}

/** What a lock shows of itself. */
export interface LockView {
  readonly ownerPid: number | null;
  readonly waiters: number;
}

export function viewLock(arena: Arena, word: number): LockView {
  const owner = lockOwner(arena, word);
  return { ownerPid: owner === 0 ? null : pidOf(arena, owner), waiters: waitersOf(arena, word).length };
}

/** Takes the lock from a dead owner, and the dead off those who wait. Every step may be done twice. */
export function sweepLock(arena: Arena, word: number, dead: OwnerId, deadPid: number): void {
  const at = word + LOCK.OWNER;
  leaveWaiters(arena, word, dead);
  if (lockOwner(arena, word) === dead) {
    // Before the lock is free: its next owner looks after taking it.
    Atomics.store(arena.words, word + LOCK.DIED, deadPid);
    // Others may set the mark meanwhile, and only that; who sleeps is woken below, mark or not.
    const seen = Atomics.compareExchange(arena.words, at, dead, 0);
    if (seen !== dead) Atomics.compareExchange(arena.words, at, dead | SLEEPERS, 0);
  }
  passOnLock(arena, word);
}
