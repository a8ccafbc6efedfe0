import type { WaitOptions } from '../arena/parking.js';
import { TimeoutError } from '../base/errors.js';
import { alreadyDone, notDone, wasCancelled } from './failures.js';

/** Where a future stands. */
export type FutureState = 'pending' | 'running' | 'cancelled' | 'finished';

type Outcome<Result> =
  | { readonly status: 'returned'; readonly value: Result }
  | { readonly status: 'threw'; readonly error: unknown };

/** What an executor may do to its futures. */
export interface FutureOwner {
  /** Gives the task up if it has not begun; tells whether it could. */
  cancel(): boolean;
  /** Whether a worker runs it now. */
  isRunning(): boolean;
}

/**
 * The result of a task to come, as Python's `concurrent.futures.Future`. It is no promise, so that it can be handed about, say by
 * `asCompleted`, without being awaited on the way; `result()` gives one. A failure that nobody reads is no unhandled rejection.
 *
 * @example
 * const future = new Future<number>();
 * future.setResult(5);
 * await future.result(); // => 5
 */
export class Future<Result> {
  readonly #owner: FutureOwner | undefined;
  readonly #callbacks: (() => void)[] = [];
  #outcome: Outcome<Result> | undefined;
  #isCancelled = false;

  /** Executors make them; one made by hand is settled by `setResult` or `setException`. */
  constructor(owner?: FutureOwner) {
    this.#owner = owner;
  }

  get state(): FutureState {
    if (this.#isCancelled) return 'cancelled';
    if (this.#outcome !== undefined) return 'finished';
    return this.#owner?.isRunning() === true ? 'running' : 'pending';
  }

  /** Gives the task up; `false` when it runs or is done, and then nothing happens. */
  cancel(): boolean {
    if (this.#isCancelled) return true;
    if (this.#outcome !== undefined || this.#owner?.cancel() === false) return false;
    this.#isCancelled = true;
    this.#notify();
    return true;
  }

  cancelled(): boolean {
    return this.#isCancelled;
  }

  running(): boolean {
    return this.state === 'running';
  }

  /** It was cancelled, or its task is through. */
  done(): boolean {
    return this.#isCancelled || this.#outcome !== undefined;
  }

  /**
   * What the task returned.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; the task goes on. Default `Infinity`.
   * @throws What the task threw; {@link TimeoutError} `ERR_FURCA_TIMEOUT`; {@link UsageError} `ERR_FURCA_CANCELLED`.
   */
  async result(options: WaitOptions = {}): Promise<Result> {
    await this.#settled(options);
    if (this.#outcome?.status === 'returned') return this.#outcome.value;
    throw this.#outcome === undefined ? wasCancelled() : this.#outcome.error;
  }

  /** What the task threw, `undefined` if it returned; else as {@link Future.result}. */
  async exception(options: WaitOptions = {}): Promise<unknown> {
    await this.#settled(options);
    if (this.#outcome === undefined) throw wasCancelled();
    return this.#outcome.status === 'threw' ? this.#outcome.error : undefined;
  }

  /** Calls `callback` once it is done, at once if it is. What it throws becomes a process warning. */
  addDoneCallback(callback: (future: Future<Result>) => void): void {
    const call = (): void => callback(this);
    if (this.done()) tryCall(call);
    else this.#callbacks.push(call);
  }

  /** @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it is done. */
  setResult(value: Result): void {
    this.#settle({ status: 'returned', value }, 'Setting the result');
  }

  /** @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it is done. */
  setException(error: unknown): void {
    this.#settle({ status: 'threw', error }, 'Setting the exception');
  }

  /** The result of one that is done. */
  resultNow(): Result {
    if (this.#outcome?.status === 'returned') return this.#outcome.value;
    throw notDone('Asking for the result');
  }

  #settle(outcome: Outcome<Result>, what: string): void {
    if (this.done()) throw alreadyDone(what);
    this.#outcome = outcome;
    this.#notify();
  }

  #notify(): void {
    for (const callback of this.#callbacks.splice(0)) tryCall(callback);
  }

  #settled({ timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason);
      const timer = Number.isFinite(timeoutMs)
        ? setTimeout(() => reject(late(timeoutMs)), Math.max(0, timeoutMs))
        : undefined;
      signal?.addEventListener('abort', onAbort, { once: true });
      this.addDoneCallback(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

/** One callback that throws keeps no other from being called. */
function tryCall(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    process.emitWarning(`A callback of a Future threw: ${String(error)}`, { code: 'FURCA_CALLBACK' });
  }
}

function late(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Waiting for the future failed: not within ${timeoutMs} ms. Its task goes on.`,
    timeoutMs,
  );
}
