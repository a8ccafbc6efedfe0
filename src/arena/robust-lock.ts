import { futexWait, futexWake, RobustRegistration } from '../kernel/futex.js';
import type { Arena } from './arena.js';
import { enterCritical, leaveCritical } from './freezing.js';

/** Bits the kernel itself uses in a robust futex (linux/futex.h). */
const WAITERS = 0x80000000 | 0;
const OWNER_DIED = 0x40000000;
const THREAD_MASK = 0x3fffffff;
/** A wait is looked at again at least this often, so that signals and termination get their turn. */
const SLICE_MS = 50;

let registration: RobustRegistration | undefined;

/** For a thread: its list's head lies at `address`, in memory that the thread which started it takes back. Call it before any lock is taken. */
export function placeRobustHead(address: number): void {
  registration = new RobustRegistration(address);
}

/** Registers this thread anew with the kernel; called in every forked child. */
export function registerRobustThread(): void {
  registration?.register();
}

/**
 * Runs `section` while this thread alone holds the lock in word `index`.
 *
 * The word holds the owner's thread id, so that the kernel marks it and wakes the next in line when the owner dies (see README.md). A
 * thread holds at most one such lock at a time: `section` must be short, must not wait and must not take another.
 *
 * @param section - Told whether the former owner died inside: what it guarded may then be half done.
 */
export function withRobustLock<T>(arena: Arena, index: number, section: (ownerDied: boolean) => T): T {
  registration ??= new RobustRegistration();
  const address = arena.wordAddress(index);
  // Whoever is stopped in here would stop all that come after it.
  enterCritical(arena);
  // Announced before the word is taken: dying in between is harmless, since the kernel compares the id in the word.
  registration.announce(address);
  const ownerDied = acquire(arena.words, index, address, registration.threadId);
  try {
    return section(ownerDied);
  } finally {
    // Publishes everything done inside; pairs with the compareExchange in `acquire`.
    if ((Atomics.exchange(arena.words, index, 0) & WAITERS) !== 0) futexWake(address, 1);
    registration.clear();
    leaveCritical(arena);
  }
}

function acquire(words: Int32Array, index: number, address: number, threadId: number): boolean {
  // Once this thread has slept, others may sleep behind it: it takes the word with the waiters' bit set.
  let mine = threadId;
  for (;;) {
    const seen = Atomics.load(words, index);
    if ((seen & THREAD_MASK) === 0) {
      const taken = mine | (seen & WAITERS);
      if (Atomics.compareExchange(words, index, seen, taken) === seen) return (seen & OWNER_DIED) !== 0;
      continue;
    }
    const contended = seen | WAITERS;
    if (seen !== contended && Atomics.compareExchange(words, index, seen, contended) !== seen) continue;
    futexWait(address, contended, SLICE_MS);
    mine = threadId | WAITERS;
  }
}
