import { TimeoutError } from '../base/errors.js';
import { openPipeOf } from '../kernel/descriptor.js';
import { Doorbell, ring } from '../kernel/doorbell.js';
import { futexWait, futexWake } from '../kernel/futex.js';
import { closeNoted, noteOpened } from '../kernel/thread-descriptors.js';
import type { Arena } from './arena.js';
import { SLOT, slotWord } from './layout.js';
import { currentIn, isCurrent, type OwnerId, slotOf } from './slots.js';

/** How a member sleeps, in the PARK word of its slot. Only its owner leaves AWAKE, only a waker goes back to it. */
const AWAKE = 0;
/** Its thread blocks in a futex on this very word. */
const ASLEEP_IN_FUTEX = 1;
/** Its event loop waits; the doorbell wakes it. */
const ASLEEP_BEHIND_DOORBELL = 2;

/**
 * A sleeper looks around at least this often, whether its thread blocks or its event loop waits: handlers of signals run then, and
 * a waker that died between its store and its ring delays the sleeper by no more than this.
 */
const SLICE_MS = 1000;
/** Rounds of the event loop that look before the doorbell is armed: most answers arrive within them. */
const EAGER_ROUNDS = 20;

/** Descriptors of the doorbells this process has rung, by their owner. */
const openBells = new Map<OwnerId, number>();

/** Closes the doorbells of others; a forked child opens its own again when it rings. */
export function forgetBells(): void {
  for (const fd of openBells.values()) closeNoted(fd);
  openBells.clear();
}

/** Closes the doorbells of those who are gone; called when somebody is known to have ended. */
export function closeBellsOfTheDead(arena: Arena): void {
  for (const [owner, fd] of openBells) {
    if (isCurrent(arena, owner)) continue;
    closeNoted(fd);
    openBells.delete(owner);
  }
}

/**
 * Wakes `owner` if it sleeps. Call it after the store that the sleeper waits for: the sleeper says that it sleeps, then looks once
 * more, then sleeps, so that either it sees the store or this sees it asleep.
 */
export function wake(arena: Arena, owner: OwnerId): void {
  const park = slotWord(slotOf(owner)) + SLOT.PARK;
  if (Atomics.load(arena.words, park) === AWAKE || !isCurrent(arena, owner)) return;
  // Should `owner` die right here and another take its slot, that one is woken for nothing: whoever was put to AWAKE must be rung for.
  const state = Atomics.exchange(arena.words, park, AWAKE);
  if (state === ASLEEP_IN_FUTEX) futexWake(arena.wordAddress(park), 1);
  else if (state === ASLEEP_BEHIND_DOORBELL) ringBellOf(arena, currentIn(arena, slotOf(owner)));
}

function ringBellOf(arena: Arena, owner: OwnerId): void {
  const known = openBells.get(owner);
  if (known !== undefined) {
    if (ring(known)) return;
    // Full, and then it was rung already; or the owner has closed this one and may have another.
    closeNoted(known);
    openBells.delete(owner);
  }
  if (openBells.size > 256) forgetBells();
  const at = slotWord(slotOf(owner));
  const pid = Atomics.load(arena.words, at + SLOT.PID);
  const fd = openPipeOf(pid, Atomics.load(arena.words, at + SLOT.DOORBELL) - 1);
  if (fd < 0) return;
  noteOpened(fd);
  openBells.set(owner, fd);
  ring(fd);
}

/** For a member that blocks on descriptors: tells where its doorbell is. */
export function publishBell(arena: Arena, owner: OwnerId, writeFd: number): void {
  Atomics.store(arena.words, slotWord(slotOf(owner)) + SLOT.DOORBELL, writeFd + 1);
}

/** For a member that blocks on descriptors: says that it sleeps. It must look once more before it does. */
export function fallAsleepBehindBell(arena: Arena, owner: OwnerId): void {
  Atomics.store(arena.words, slotWord(slotOf(owner)) + SLOT.PARK, ASLEEP_BEHIND_DOORBELL);
}

/** For a member that blocks on descriptors: says that it is awake, so that nobody need ring. */
export function wakeUp(arena: Arena, owner: OwnerId): void {
  Atomics.store(arena.words, slotWord(slotOf(owner)) + SLOT.PARK, AWAKE);
}

/** How long a wait may last, and what ends it early. */
export interface WaitOptions {
  /** Longest wait in milliseconds; `0` never waits. Default `Infinity`. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it ends the wait; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Looks for what it waits for, takes it, and tells whether there was anything. Must not throw. */
export type Poller = () => boolean;

/** The sleeping place of one member: whoever waits in this process, blocking or in the event loop, waits here. */
export class Parking {
  readonly #arena: Arena;
  readonly #owner: OwnerId;
  readonly #park: number;
  readonly #pollers = new Set<Poller>();
  /** Pollers that keep the event loop alive. */
  readonly #anchors = new Set<Poller>();
  #doorbell: Doorbell | undefined;
  #nextRound: NodeJS.Immediate | undefined;
  /** Runs while anybody waits in the event loop; keeps no program alive. */
  #lookAround: NodeJS.Timeout | undefined;
  #eagerRounds = 0;

  constructor(arena: Arena, owner: OwnerId) {
    this.#arena = arena;
    this.#owner = owner;
    this.#park = slotWord(slotOf(owner)) + SLOT.PARK;
  }

  /**
   * Blocks this thread until `isReady`, `timeoutMs` at the longest.
   *
   * @returns `true` when ready; `false` when time is up, or after a signal, so that its handler can run.
   */
  blockUntil(isReady: () => boolean, timeoutMs: number): boolean {
    const { words } = this.#arena;
    if (isReady()) return true;
    const deadline = performance.now() + timeoutMs;
    try {
      for (;;) {
        if (isReady()) return true;
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return false;
        Atomics.store(words, this.#park, ASLEEP_IN_FUTEX);
        // Pairs with the store and look of a waker; see `wake`.
        if (isReady()) return true;
        const address = this.#arena.wordAddress(this.#park);
        const result = futexWait(address, ASLEEP_IN_FUTEX, Math.min(leftMs, SLICE_MS));
        if (result === 'interrupted') return isReady();
      }
    } finally {
      Atomics.store(words, this.#park, AWAKE);
      // What rings for the event loop may have arrived meanwhile.
      if (this.#pollers.size > 0) this.#schedule();
    }
  }

  /**
   * Resolves once `isReady`, in the event loop.
   *
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`, worded by `what`; or the signal's reason.
   */
  waitUntil(isReady: () => boolean, what: string, options: WaitOptions = {}): Promise<void> {
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (isReady()) return Promise.resolve();
    if (timeoutMs <= 0) return Promise.reject(timedOut(what, timeoutMs));
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.stopPolling(poller);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      const poller = (): boolean => {
        if (!isReady()) return false;
        settle(resolve);
        return true;
      };
      const onAbort = (): void => settle(() => reject(signal?.reason));
      const onTimeout = (): void => {
        // It may have come long ago, to a process that had no CPU until its time was up.
        if (!poller()) settle(() => reject(timedOut(what, timeoutMs)));
      };
      const timer = Number.isFinite(timeoutMs) ? setTimeout(onTimeout, timeoutMs) : undefined;
      signal?.addEventListener('abort', onAbort, { once: true });
      this.poll(poller, true);
    });
  }

  /** Calls `poller` in the event loop whenever something may have come for this member. */
  poll(poller: Poller, keepsLoopAlive: boolean): void {
    this.#pollers.add(poller);
    if (keepsLoopAlive) this.#anchors.add(poller);
    this.#eagerRounds = 0;
    this.#schedule();
  }

  stopPolling(poller: Poller): void {
    this.#pollers.delete(poller);
    this.#anchors.delete(poller);
    if (this.#anchors.size === 0) this.#doorbell?.unref();
  }

  /** Says that an answer is likely soon: the next rounds of the event loop look for it. */
  expectSoon(): void {
    this.#eagerRounds = 0;
    this.#schedule();
  }

  /** Whether an immediate of the event loop is set to look; it counts among the loop's own. */
  get isDue(): boolean {
    return this.#nextRound?.hasRef() ?? false;
  }

  /** True of the doorbell's handle in this event loop. */
  owns(handle: unknown): boolean {
    return this.#doorbell?.owns(handle) ?? false;
  }

  /** Closes the doorbell: at the end of the process's part in the family, or on the copy in a forked child. */
  close(): void {
    this.#pollers.clear();
    this.#anchors.clear();
    clearInterval(this.#lookAround);
    this.#lookAround = undefined;
    this.#doorbell?.close();
    this.#doorbell = undefined;
  }

  #schedule(): void {
    this.#nextRound ??= setImmediate(() => {
      this.#nextRound = undefined;
      this.#round();
    });
    if (this.#anchors.size === 0) this.#nextRound.unref();
    else this.#nextRound.ref();
  }

  #round(): void {
    if (this.#pollers.size === 0) return;
    if (this.#runPollers()) this.#eagerRounds = 0;
    else this.#eagerRounds++;
    if (this.#pollers.size === 0) return;
    if (this.#eagerRounds < EAGER_ROUNDS) {
      this.#schedule();
      return;
    }
    this.#arm();
  }

  #runPollers(): boolean {
    let found = false;
    for (const poller of this.#pollers) if (poller()) found = true;
    return found;
  }

  #arm(): void {
    const bell = this.#openDoorbell();
    if (this.#anchors.size > 0) bell.ref();
    this.#keepLooking();
    Atomics.store(this.#arena.words, this.#park, ASLEEP_BEHIND_DOORBELL);
    // Pairs with the store and look of a waker; see `wake`.
    if (!this.#runPollers()) return;
    Atomics.store(this.#arena.words, this.#park, AWAKE);
    this.#eagerRounds = 0;
    this.#schedule();
  }

  /** The second line behind the doorbell: one look now and then, as a ring would bring, for a ring that never came. */
  #keepLooking(): void {
    this.#lookAround ??= setInterval(() => {
      if (this.#pollers.size > 0) {
        this.#eagerRounds = EAGER_ROUNDS;
        this.#schedule();
        return;
      }
      clearInterval(this.#lookAround);
      this.#lookAround = undefined;
    }, SLICE_MS).unref();
  }

  #openDoorbell(): Doorbell {
    if (this.#doorbell === undefined) {
      this.#doorbell = new Doorbell(() => {
        // The waker has set AWAKE; look at once, then keep looking for a while.
        this.#eagerRounds = 0;
        this.#round();
      });
      publishBell(this.#arena, this.#owner, this.#doorbell.writeFd);
    }
    return this.#doorbell;
  }
}

function timedOut(what: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `${what} failed: not within ${timeoutMs} ms. It goes on; wait again or end it.`,
    timeoutMs,
  );
}
