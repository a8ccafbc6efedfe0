import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import {
  freePermits,
  initSemaphore,
  MAX_TOKENS,
  permitOwners,
  permitsOut,
  releasePermit,
  semaphoreBytes,
} from '../arena/primitives/semaphore-words.js';
import { waitersOf } from '../arena/primitives/wait-set.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { pidOf } from '../arena/slots.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { passGate, passGateSync } from '../arena/waiting.js';
import { UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import { Guard } from './guard.js';
import { LocalSemaphore } from './semaphore-gate.js';

/** What a semaphore is doing, at the moment of the call. */
export interface SemaphoreStats {
  /** Permits that are free. */
  readonly value: number;
  /** Processes that have permits with an owner, once for each permit. */
  readonly ownerPids: readonly number[];
  /** Processes and threads that wait. */
  readonly waiters: number;
}

/** Options of a semaphore. */
export interface SemaphoreOptions {
  /**
   * Whether the permits of a process that dies come back. Default `true`. `false` where one process acquires and another releases, so that
   * permits say how much there is of something and belong to nobody.
   */
  readonly returnsPermits?: boolean;
}

const MAX_VALUE = 0x7fffffff;
const ACQUIRING = 'Acquiring the semaphore';

/**
 * A number of permits, taken and given back by processes, threads and async flows.
 *
 * The permits it begins with, up to 1,024, note who has them: those of a process that dies, even by SIGKILL, are free again. Permits that
 * `release()` adds beyond these, and all permits of one made with `returnsPermits: false`, have no owner and do not come back by
 * themselves. Nobody who waits starves.
 *
 * @example
 * const semaphore = new Semaphore(2);
 * await semaphore.acquire();
 * semaphore.value; // => 1
 * semaphore.release();
 */
export class Semaphore extends SharedObject {
  readonly #local: LocalSemaphore;

  /**
   * @param value - Permits at the beginning, 0 to 2,147,483,647. Default 1.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such number of permits.
   */
  constructor(value?: number, options?: SemaphoreOptions);
  /** @internal */
  constructor(value?: number | Handle, options?: SemaphoreOptions, isBounded?: boolean);
  constructor(value: number | Handle = 1, options: SemaphoreOptions = {}, isBounded = false) {
    super(typeof value === 'object' ? value : makeSemaphore(value, options, isBounded));
    this.#local = LocalSemaphore.of(this.handle.local);
  }

  /**
   * Takes a permit; resolves once it has one.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async acquire(options: WaitOptions = {}): Promise<void> {
    this.open(ACQUIRING);
    await passGate(this.#local.newGate(), ACQUIRING, options);
  }

  /** Takes a permit if one is free; never waits. Answers whether it took one. */
  tryAcquire(): boolean {
    this.open(ACQUIRING);
    return this.#local.tryTake();
  }

  /** As {@link Semaphore.acquire}, but blocks this thread; its event loop stands still meanwhile. */
  acquireSync(options: SyncWaitOptions = {}): void {
    this.open(ACQUIRING);
    passGateSync(this.#local.newGate(), ACQUIRING, options.timeoutMs);
  }

  /**
   * Gives permits back, or adds some.
   *
   * @param count - How many. Default 1.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `count` is no positive integer.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: the value would become too large; of a {@link BoundedSemaphore} larger than it was
   * at the beginning. Nothing was given back then, unless others give permits back at the same time.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  release(count = 1): void {
    const word = this.open('Releasing the semaphore');
    if (!Number.isInteger(count) || count < 1) {
      throw new UsageError(`Releasing the semaphore failed: ${count} is no positive number of permits.`);
    }
    if (count > permitsOut(this.arena, word)) throw tooManyReleases();
    for (let released = 0; released < count; released++) {
      if (!releasePermit(this.arena, word, me())) throw tooManyReleases();
    }
  }

  /** Permits that are free. */
  get value(): number {
    return freePermits(this.arena, this.open('Asking the semaphore'));
  }

  /** As {@link Semaphore.acquire}; resolves with a guard that gives the permit back, for `using`. */
  async guard(options: WaitOptions = {}): Promise<Guard> {
    await this.acquire(options);
    return new Guard(0, () => this.release());
  }

  /** As {@link Semaphore.acquireSync}; answers a guard that gives the permit back, for `using`. */
  guardSync(options: SyncWaitOptions = {}): Guard {
    this.acquireSync(options);
    return new Guard(0, () => this.release());
  }

  /** Runs `section` while this flow has a permit, and answers what it returned; errors as {@link Semaphore.acquire}. */
  async runExclusive<T>(section: () => T | PromiseLike<T>, options: WaitOptions = {}): Promise<T> {
    using _guard = await this.guard(options);
    return await section();
  }

  /** What is free, who has permits, and how many wait. */
  stats(): SemaphoreStats {
    const word = this.open('Asking the semaphore');
    return Object.freeze({
      value: freePermits(this.arena, word),
      ownerPids: permitOwners(this.arena, word).map((owner) => pidOf(this.arena, owner)),
      waiters: waitersOf(this.arena, word).length,
    });
  }
}

/**
 * A semaphore whose value never exceeds what it was at the beginning: a release too many is an error. Otherwise as {@link Semaphore}.
 *
 * @example
 * const places = new BoundedSemaphore(3);
 * places.value; // => 3
 */
export class BoundedSemaphore extends Semaphore {
  /** As {@link Semaphore}. */
  constructor(value?: number, options?: SemaphoreOptions);
  /** @internal */
  constructor(value?: number | Handle, options?: SemaphoreOptions);
  constructor(value: number | Handle = 1, options: SemaphoreOptions = {}) {
    super(value as number, options, true);
  }
}

function tooManyReleases(): UsageError {
  return new UsageError(
    'Releasing the semaphore failed: it was released too many times, so many permits are not out.',
    'ERR_FURCA_INVALID_STATE',
  );
}

function makeSemaphore(
  value: number,
  { returnsPermits = true }: SemaphoreOptions,
  isBounded: boolean,
): Handle {
  if (!Number.isInteger(value) || value < 0 || value > MAX_VALUE) {
    throw new UsageError(
      `Making a semaphore failed: ${value} is no number of permits. Use an integer from 0 on.`,
    );
  }
  const tokens = returnsPermits ? Math.min(value, MAX_TOKENS) : 0;
  const { arena, handle } = takeBlock(KIND.SEMAPHORE, semaphoreBytes(tokens));
  const extra = value - tokens;
  initSemaphore(arena, handle.word, tokens, extra, isBounded ? extra : MAX_VALUE - tokens);
  return handle;
}

const isBounded = (semaphore: Semaphore): boolean => semaphore instanceof BoundedSemaphore;

registerHandleKind<Semaphore>(Semaphore, {
  id: KIND.SEMAPHORE,
  handleOf: openHandleOf,
  partsOf: isBounded,
  revive: (handle, parts) =>
    parts === true ? new BoundedSemaphore(handle as never) : new Semaphore(handle as never),
});
