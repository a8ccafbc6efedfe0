import type { WaitOptions } from '../../arena/parking.js';
import { notReady, waitedFor } from '../failures.js';

/** What becomes of a failure that nobody reads. */
export interface UnreadFailures {
  /** The failure of a result that was dropped, or was never asked for before its pool ended. */
  report(error: unknown): void;
}

interface Outcome {
  isRead: boolean;
  failure: { readonly error: unknown } | undefined;
  readonly owner: UnreadFailures;
}

/** Called when somebody drops a result unread. */
const dropped = new FinalizationRegistry<Outcome>(reportUnread);

function reportUnread(outcome: Outcome): void {
  if (outcome.isRead || outcome.failure === undefined) return;
  outcome.isRead = true;
  outcome.owner.report(outcome.failure.error);
}

/** Callbacks of the calls that answer at once. */
export interface CallbackOptions<Result> {
  /** Called with the result, once. What it throws goes to the pool's `error` event. */
  readonly callback?: (result: Result) => void;
  /** Called with what the task threw, once; the failure then counts as read. */
  readonly errorCallback?: (error: unknown) => void;
}

/**
 * The result of a call that goes on in the background, as Python's `AsyncResult`. It can be awaited.
 *
 * A failure that nobody reads, by `await`, `get` or `errorCallback`, is no unhandled rejection: it goes to the `error` event of
 * the pool, once this object was dropped or the pool has ended.
 *
 * @example
 * const pool = new Pool(1);
 * const result = pool.applyAsync((x: number) => x + 1, [1]);
 * await result.get({ timeoutMs: 60_000 }); // => 2
 * result.successful(); // => true
 * await pool.close();
 */
export class AsyncResult<Result> implements PromiseLike<Result> {
  readonly #promise: Promise<Result>;
  readonly #outcome: Outcome;
  #isReady = false;

  /** Made by a pool. */
  constructor(promise: Promise<Result>, owner: UnreadFailures, callbacks: CallbackOptions<Result>) {
    const outcome: Outcome = { isRead: callbacks.errorCallback !== undefined, failure: undefined, owner };
    this.#promise = promise;
    this.#outcome = outcome;
    promise.then(
      (value) => {
        this.#isReady = true;
        kept.get(owner)?.delete(outcome);
        call(owner, callbacks.callback, value);
      },
      (error: unknown) => {
        this.#isReady = true;
        outcome.failure = { error };
        call(owner, callbacks.errorCallback, error);
      },
    );
    dropped.register(this, outcome);
    keepFor(owner, outcome);
  }

  /**
   * The result, once it is there.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; the task goes on. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait; the task goes on.
   * @throws What the task threw; {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  async get(options: WaitOptions = {}): Promise<Result> {
    await this.#settled(options, 'Getting the result');
    this.#outcome.isRead = true;
    return this.#promise;
  }

  /**
   * Resolves once the task is through, however it ended, or when time is up.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @returns whether it is through.
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    try {
      await this.#settled(options, 'Waiting for the result');
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
    }
    return this.#isReady;
  }

  /** Whether the task is through. */
  ready(): boolean {
    return this.#isReady;
  }

  /**
   * Whether the task returned, and did not throw.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it is not through.
   */
  successful(): boolean {
    if (!this.#isReady) throw notReady();
    return this.#outcome.failure === undefined;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is meant to be awaited
  then<Fulfilled = Result, Rejected = never>(
    onFulfilled?: ((value: Result) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#outcome.isRead = true;
    return this.#promise.then(onFulfilled, onRejected);
  }

  /** As a promise's; a failure that reaches `onRejected` is read. */
  catch<Rejected = never>(
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Result | Rejected> {
    return this.then(null, onRejected);
  }

  /** As a promise's. */
  finally(onSettled?: (() => void) | null): Promise<Result> {
    this.#outcome.isRead = true;
    return this.#promise.finally(onSettled);
  }

  #settled({ timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions, what: string): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#isReady) return Promise.resolve();
    const done = this.#promise.then(
      () => {},
      () => {},
    );
    if (timeoutMs === Number.POSITIVE_INFINITY && signal === undefined) return done;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason);
      const timer = Number.isFinite(timeoutMs)
        ? setTimeout(() => reject(waitedFor(what, timeoutMs)), Math.max(0, timeoutMs))
        : undefined;
      signal?.addEventListener('abort', onAbort, { once: true });
      void done.then(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

const kept = new WeakMap<UnreadFailures, Set<Outcome>>();

function keepFor(owner: UnreadFailures, outcome: Outcome): void {
  let outcomes = kept.get(owner);
  if (outcomes === undefined) {
    outcomes = new Set();
    kept.set(owner, outcomes);
  }
  outcomes.add(outcome);
  // Read ones are of no further interest.
  if (outcomes.size % 1024 !== 0) return;
  for (const one of outcomes) if (one.isRead) outcomes.delete(one);
}

/** The pool has ended: what failed and was never read is reported now. */
export function reportAllUnread(owner: UnreadFailures): void {
  for (const outcome of kept.get(owner) ?? []) reportUnread(outcome);
  kept.delete(owner);
}

function call<Value>(
  owner: UnreadFailures,
  callback: ((value: Value) => void) | undefined,
  value: Value,
): void {
  try {
    callback?.(value);
  } catch (error) {
    owner.report(error);
  }
}
