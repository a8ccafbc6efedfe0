import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import { ownMembership } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import {
  CONDITION_BYTES,
  freePlace,
  giveUpPlace,
  isNotified,
  notifyPlaces,
  takePlace,
  waitingPids,
} from '../arena/primitives/condition-words.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { checkedTimeout, type Gate, passGate, passGateSync, type SyncWaitOptions } from '../arena/waiting.js';
import { LimitError, TimeoutError, UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import type { Guard } from './guard.js';
import { Lock } from './lock.js';
import { RLock } from './rlock.js';

/** What a condition is doing, at the moment of the call. */
export interface ConditionStats {
  /** Processes that wait, once for each flow. */
  readonly waiterPids: readonly number[];
  /** Process that has the lock; `null` while it is free. */
  readonly ownerPid: number | null;
}

const WAITING = 'Waiting for the condition';

/**
 * Lets processes, threads and async flows that have a lock wait until another says that something has changed.
 *
 * Waiters are notified in the order in which they came. One that dies is passed over, and a notification it had got and not used goes to
 * the next. Up to 960 flows can wait at once.
 *
 * @example
 * const condition = new Condition();
 * await condition.runExclusive(() => condition.notify()); // => 0
 */
export class Condition extends SharedObject {
  /** The lock that goes with it. */
  readonly lock: Lock | RLock;
  /** Made with it and for it alone. */
  readonly #ownsLock: boolean;

  /**
   * @param lock - The lock to use. Default: an {@link RLock} of its own.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: it is neither a Lock nor an RLock.
   */
  constructor(lock?: Lock | RLock);
  /** @internal */
  constructor(given: Lock | RLock, handle?: Handle);
  constructor(given?: Lock | RLock, handle?: Handle) {
    const lock = given ?? new RLock();
    if (!(lock instanceof Lock) && !(lock instanceof RLock)) {
      throw new UsageError('Making a condition failed: lock must be a Lock or an RLock.');
    }
    super(handle ?? takeBlock(KIND.CONDITION, CONDITION_BYTES).handle);
    this.lock = lock;
    this.#ownsLock = given === undefined;
  }

  /** Takes the lock; as its own `acquire`. */
  acquire(options: WaitOptions = {}): Promise<void> {
    return this.lock.acquire(options);
  }

  /** Takes the lock if that needs no wait; as its own `tryAcquire`. */
  tryAcquire(): boolean {
    return this.lock.tryAcquire();
  }

  /** Takes the lock and blocks this thread meanwhile; as its own `acquireSync`. */
  acquireSync(options: SyncWaitOptions = {}): void {
    this.lock.acquireSync(options);
  }

  /** Gives the lock back. */
  release(): void {
    this.lock.release();
  }

  /** Takes the lock; resolves with a guard that gives it back. */
  guard(options: WaitOptions = {}): Promise<Guard> {
    return this.lock.guard(options);
  }

  /** Runs `section` while this flow has the lock. */
  runExclusive<T>(section: (guard: Guard) => T | PromiseLike<T>, options: WaitOptions = {}): Promise<T> {
    return this.lock.runExclusive(section, options);
  }

  /**
   * Gives the lock back, waits to be notified, and takes the lock again, as often as it was taken: whatever happened, this flow has it
   * when the promise settles.
   *
   * @param options.timeoutMs - Longest wait for the notification in milliseconds; then the answer is `false`. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @returns Whether it was notified.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this flow has not got the lock.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: 960 flows wait.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    checkedTimeout(options.timeoutMs, WAITING);
    options.signal?.throwIfAborted();
    const place = this.#begin();
    const before = this.lock.releaseWhole();
    let failure: unknown;
    try {
      await passGate(placeGate(this, place), WAITING, options);
    } catch (error) {
      failure = error;
    }
    await this.lock.acquireWhole(before);
    const isInTime = this.#end(place);
    if (failure !== undefined && !isInTime && !(failure instanceof TimeoutError)) throw failure;
    return isInTime;
  }

  /** As {@link Condition.wait}, but blocks this thread; its event loop stands still meanwhile. */
  waitSync(options: SyncWaitOptions = {}): boolean {
    checkedTimeout(options.timeoutMs, WAITING);
    const place = this.#begin();
    const before = this.lock.releaseWhole();
    try {
      passGateSync(placeGate(this, place), WAITING, options.timeoutMs);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
    this.lock.acquireWholeSync(before);
    return this.#end(place);
  }

  #begin(): number {
    const word = this.open(WAITING);
    this.#needLock(WAITING);
    const place = takePlace(this.arena, word, me());
    if (place !== -1) return place;
    throw new LimitError(`${WAITING} failed: as many flows wait as can. Let fewer wait at once.`);
  }

  /** With the lock again: a notification is used up only now, for until now it could be handed on. */
  #end(place: number): boolean {
    if (giveUpPlace(this.arena, place, me())) return false;
    freePlace(this.arena, place);
    return true;
  }

  /**
   * Waits until `predicate` holds, which is asked with the lock held: at first, and after each notification.
   *
   * @param predicate - Must not wait.
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @returns What the predicate answered last: something falsy if time was up.
   * @throws As {@link Condition.wait}, and what `predicate` throws.
   */
  async waitFor<T>(predicate: () => T, options: WaitOptions = {}): Promise<T> {
    const looks = this.#looks(predicate, options.timeoutMs);
    for (;;) {
      const { done, value } = looks.next();
      if (done) return value;
      await this.wait({ ...options, timeoutMs: value });
    }
  }

  /** As {@link Condition.waitFor}, but blocks this thread. */
  waitForSync<T>(predicate: () => T, options: SyncWaitOptions = {}): T {
    const looks = this.#looks(predicate, options.timeoutMs);
    for (;;) {
      const { done, value } = looks.next();
      if (done) return value;
      this.waitSync({ timeoutMs: value });
    }
  }

  /** One look after the other, with how long to wait before the next one, in milliseconds; at the end what the predicate answered last. */
  *#looks<T>(predicate: () => T, timeoutMs: number | undefined): Generator<number, T> {
    const deadline = performance.now() + checkedTimeout(timeoutMs, WAITING);
    this.open(WAITING);
    this.#needLock(WAITING);
    for (;;) {
      const answer = predicate();
      const leftMs = deadline - performance.now();
      if (answer || leftMs <= 0) return answer;
      yield leftMs;
    }
  }

  /**
   * Wakes flows that wait; they go on once they get the lock.
   *
   * @param count - How many at the most. Default 1.
   * @returns How many there were.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this flow has not got the lock.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `count` is no positive number.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  notify(count = 1): number {
    const word = this.open('Notifying');
    if (!(count >= 1)) throw new UsageError(`Notifying failed: ${count} is no positive number of waiters.`);
    this.#needLock('Notifying');
    return notifyPlaces(this.arena, word, count);
  }

  /** Wakes all flows that wait; errors as {@link Condition.notify}. */
  notifyAll(): number {
    return this.notify(Number.POSITIVE_INFINITY);
  }

  #needLock(doing: string): void {
    if (this.lock.isMine()) return;
    throw new UsageError(
      `${doing} failed: it needs the condition's lock. Acquire it first.`,
      'ERR_FURCA_INVALID_STATE',
    );
  }

  /** Who waits, and who has the lock. */
  stats(): ConditionStats {
    const word = this.open('Asking the condition');
    return Object.freeze({
      waiterPids: waitingPids(this.arena, word),
      ownerPid: this.lock.stats().ownerPid,
    });
  }

  /** As {@link SharedObject.close}; a lock that was made with it is closed with it. */
  override close(): void {
    if (this.#ownsLock) this.lock.close();
    super.close();
  }

  /** @internal */
  isNotifiedAt(place: number): boolean {
    return isNotified(this.arena, place);
  }
}

/** Whoever notifies finds the place: nothing is to be done on arrival. */
function placeGate(condition: Condition, place: number): Gate {
  const pass = (): boolean => condition.isNotifiedAt(place);
  return { tryPass: pass, pass, arrive: () => void ownMembership(), leave: () => {} };
}

registerHandleKind<Condition>(Condition, {
  id: KIND.CONDITION,
  handleOf: openHandleOf,
  partsOf: ({ lock }) => lock,
  revive: (handle, lock) => new Condition(lock as Lock | RLock, handle),
});
