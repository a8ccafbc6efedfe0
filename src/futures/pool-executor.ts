import { FurcaError, WorkerLostError } from '../base/errors.js';
import type { Pool } from '../pool/pool.js';
import { badOption, executorBroken, shutDown } from './failures.js';
import { Future } from './future.js';

/** Options that all executors have. */
export interface ExecutorOptions {
  /** Called in each worker before its first task; if it throws, all tasks fail with what it threw. */
  readonly initializer?: (...args: never) => unknown;
  readonly initArgs?: readonly unknown[];
  /** As in Python: a worker that ends abruptly breaks the executor, and every future that is not done fails. Default `false`. */
  readonly strict?: boolean;
}

/** Options of {@link PoolExecutor.map}. */
export interface ExecutorMapOptions {
  /** Longest time for all results, in milliseconds, from the call on; the rest is cancelled. Default `Infinity`. */
  readonly timeoutMs?: number;
  /** Items that travel together, at least 1. Default 1. */
  readonly chunkSize?: number;
  /** Items that may be read ahead of the consumer, at least 1. Default: all. */
  readonly bufferSize?: number;
}

/**
 * What the executors have in common: tasks become futures.
 *
 * Workers are started as they are needed, and a task is given to a worker only when the worker is free: what has not begun can
 * be cancelled. A crash fails its own task alone, unless `strict`.
 */
export abstract class PoolExecutor implements AsyncDisposable {
  protected readonly pool: Pool;
  readonly #isStrict: boolean;
  readonly #pending = new Map<Future<unknown>, AbortController>();
  #isShutDown = false;
  #breakage: Error | undefined;

  protected constructor(pool: Pool, isStrict: boolean) {
    this.pool = pool;
    this.#isStrict = isStrict;
  }

  /**
   * Gives a task to the executor.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was shut down; {@link BrokenError} `ERR_FURCA_BROKEN`: it is strict, and broken.
   */
  submit<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...args: NoInfer<Args>
  ): Future<Awaited<Result>> {
    this.#assertOpen();
    const controller = new AbortController();
    const result = this.pool.applyAsync(fn as (...args: readonly unknown[]) => Result, args, {
      signal: controller.signal,
      errorCallback: () => {},
    });
    const isRunning = (): boolean => !result.ready() && this.pool.hasBegun(result);
    const future = new Future<Awaited<Result>>({
      isRunning,
      cancel: () => {
        if (result.ready() || isRunning()) return false;
        controller.abort();
        return true;
      },
    });
    this.#pending.set(future as Future<unknown>, controller);
    result.then(
      (value) => this.#settle(future, () => future.setResult(value as Awaited<Result>)),
      (error: unknown) => {
        const isBreaking = this.#isStrict && error instanceof WorkerLostError;
        if (isBreaking) this.#break(error);
        const shown = isBreaking ? executorBroken(error) : this.#errorFor(error);
        this.#settle(future, () => future.setException(shown));
      },
    );
    return future;
  }

  /**
   * Calls `fn` with each item and yields the results in order. What was not begun when the consumer leaves is cancelled.
   *
   * @throws What a task threw; {@link TimeoutError} `ERR_FURCA_DEADLINE`; {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  map<Item, Result>(
    fn: (item: Item) => Result,
    items: Iterable<Item> | AsyncIterable<Item>,
    options: ExecutorMapOptions = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    this.#assertOpen();
    const { timeoutMs, chunkSize = 1, bufferSize } = options;
    if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
      throw badOption('timeoutMs', 'at least 0');
    return this.pool.imap(fn, items, {
      chunkSize,
      ...(bufferSize === undefined ? {} : { bufferItems: bufferSize }),
      ...(timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }),
    });
  }

  /**
   * Takes no further task, and resolves once all are done and the workers have ended.
   *
   * @param options.wait - `false` resolves at once; what was given is done all the same. Default `true`.
   * @param options.cancelFutures - Cancels what has not begun. Default `false`.
   */
  async shutdown(options: { readonly wait?: boolean; readonly cancelFutures?: boolean } = {}): Promise<void> {
    this.#isShutDown = true;
    if (options.cancelFutures === true) for (const future of this.#pending.keys()) future.cancel();
    const closed = this.pool.close();
    if (options.wait !== false) await closed;
    else closed.catch(() => {});
  }

  /** Ends the workers, with whatever they run; futures that are not done fail with `ERR_FURCA_TERMINATED`. */
  protected endWorkers(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isShutDown = true;
    return this.pool.terminate(signal);
  }

  /** Shuts the executor down and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #settle<Result>(future: Future<Result>, settle: () => void): void {
    this.#pending.delete(future);
    if (!future.done()) settle();
  }

  #errorFor(error: unknown): unknown {
    const isOurs =
      this.#breakage !== undefined && FurcaError.is(error) && error.code === 'ERR_FURCA_TERMINATED';
    // Each future an error of its own, so that nothing one of them adds to it shows up in another.
    return isOurs ? executorBroken(this.#breakage as Error) : error;
  }

  #break(cause: Error): void {
    if (this.#breakage !== undefined) return;
    this.#breakage = cause;
    void this.pool.terminate('SIGKILL').catch(() => {});
  }

  #assertOpen(): void {
    if (this.#breakage !== undefined) throw executorBroken(this.#breakage);
    if (this.#isShutDown) throw shutDown();
  }
}

/** Finds the mistakes in what a caller wishes, before a pool is made. */
export function checkedWorkers(maxWorkers: unknown, strict: unknown): void {
  if (!Number.isInteger(maxWorkers) || (maxWorkers as number) < 1)
    throw badOption('maxWorkers', 'a whole number greater than 0');
  if (typeof strict !== 'boolean') throw badOption('strict', 'a boolean');
}
