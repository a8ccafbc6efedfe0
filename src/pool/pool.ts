import { EventEmitter } from 'node:events';
import type { WaitOptions } from '../arena/parking.js';
import { cpuCount } from '../process/cpu-count.js';
import { PROCESSES } from './crew/process-body.js';
import { badOption, badSize, stillOpen } from './failures.js';
import { AsyncResult, type CallbackOptions, reportAllUnread } from './jobs/async-result.js';
import { iterate, iterateGenerated, valuesOf } from './jobs/iteration.js';
import { ProgressMeter } from './jobs/progress-meter.js';
import type { SettledItem, StreamJob } from './jobs/stream-job.js';
import type { Job, TaskFunction } from './jobs/task.js';
import {
  type ApplyOptions,
  type CallPlan,
  planOf,
  type RepeatOptions,
  type StreamOptions,
} from './options/call-plan.js';
import { checkedCount, checkedInputs, collect, type Inputs } from './options/inputs.js';
import type {
  ApplyAsyncOptions,
  ImapOptions,
  ImapSettledOptions,
  MapAsyncOptions,
  MapOptions,
  Rest,
  Streaming,
} from './options/method-options.js';
import type { PoolOptions } from './options/pool-options.js';
import { type InnerOptions, settingsOf } from './options/settings.js';
import { continuedHere, PoolCore } from './pool-core.js';
import { noteClosed, noteOpen } from './seeing/open-pools.js';
import { type PoolStats, statsOf } from './seeing/pool-stats.js';

/** Events of a {@link Pool}. */
export interface PoolEvents {
  /** A failure that nobody read: of an {@link AsyncResult}, or of a callback. Without a listener it becomes a process warning. */
  error: [error: unknown];
}

const OF_PROCESSES: InnerOptions = { bodies: PROCESSES, isOnDemand: false, sendsAhead: true };

/**
 * Worker processes that run tasks.
 *
 * Every task is answered: with its result, with what it threw, or with a `WorkerLostError` that says why its worker ended while it
 * ran. Without `retries` no item is ever begun twice; a finished result is not lost with its worker. Workers are daemons: they end
 * with this process, and a program that forgets to close its pool ends all the same.
 *
 * @example
 * const pool = new Pool(2);
 * await pool.map((x: number) => x * x, [1, 2, 3]); // => [1, 4, 9]
 * await pool.close();
 */
export class Pool extends EventEmitter<PoolEvents> implements AsyncDisposable {
  readonly #core: PoolCore;
  readonly #jobs = new WeakMap<AsyncResult<unknown>, Job>();
  readonly #unread = { report: (error: unknown) => this.#reportUnread(error) };

  /**
   * Starts the workers; they come up while the first tasks are already accepted.
   *
   * @param processes - Number of workers, at least 1. Default {@link cpuCount}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: a size or option that makes no sense; nothing was started.
   * @throws {@link UsageError} `ERR_FURCA_DAEMONIC_CHILD`, `ERR_FURCA_BOOTSTRAPPING`: as for {@link Process.start}.
   */
  constructor(processes: number = cpuCount(), options: PoolOptions = {}, inner: InnerOptions = OF_PROCESSES) {
    super();
    if (!Number.isInteger(processes) || processes < 1) throw badSize(processes);
    if (typeof options !== 'object' || options === null) throw badOption('the options', 'an object');
    const settings = settingsOf(processes, options, inner);
    inner.bodies.assertMayStart();
    this.#core = new PoolCore(settings, options.trace, options.name ?? 'Pool');
    noteOpen(this, options.name ?? 'Pool');
  }

  /**
   * Calls `fn` with `args` in a worker; {@link ApplyOptions} may follow them.
   *
   * @returns What `fn` returned; a promise is awaited in the worker.
   * @throws What `fn` threw, rebuilt, its stack continued by the caller's; the reason of an aborted signal.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: function, argument or result cannot travel.
   * @throws {@link WorkerLostError} `ERR_FURCA_WORKER_LOST`: the worker ended while it ran the task; `ERR_FURCA_POISONED`.
   * @throws {@link TimeoutError} `ERR_FURCA_TASK_TIMEOUT`, `ERR_FURCA_QUEUE_TIMEOUT`, `ERR_FURCA_DEADLINE`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`; {@link TerminatedError} `ERR_FURCA_TERMINATED`.
   *
   * @example
   * const pool = new Pool(1);
   * await pool.apply((a: number, b: number) => a + b, [1, 2]); // => 3
   * await pool.close();
   */
  async apply<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...rest: Rest<Args, ApplyOptions>
  ): Promise<Awaited<Result>> {
    this.#core.assertOpen();
    const [args = [], options] = rest as [args?: readonly unknown[], options?: ApplyOptions];
    try {
      return (await this.#core.call(this.#core.describe(fn), args, this.#planOf(options))) as Awaited<Result>;
    } catch (error) {
      throw continuedHere(error, 'Pool.apply');
    }
  }

  /** As {@link Pool.apply}, but answers at once; throws only what is the caller's mistake. */
  applyAsync<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...rest: Rest<Args, ApplyAsyncOptions<Awaited<Result>>>
  ): AsyncResult<Awaited<Result>> {
    this.#core.assertOpen();
    const [args = [], options = {}] = rest as [
      args?: readonly unknown[],
      options?: ApplyAsyncOptions<Awaited<Result>>,
    ];
    const { job, promise } = this.#core.submit(this.#core.describe(fn), args, this.#planOf(options));
    const result = this.#answer(promise as Promise<Awaited<Result>>, options, 'Pool.applyAsync');
    this.#jobs.set(result, job);
    return result;
  }

  /** Whether the task behind a result of {@link Pool.applyAsync} has begun; it stays so when it is through. */
  hasBegun(result: AsyncResult<unknown>): boolean {
    const job = this.#jobs.get(result);
    return job !== undefined && this.#core.dispatcher.hasBegun(job);
  }

  /**
   * Calls `fn` with each item; resolves with the results in the order of the items. The first error rejects; items that were
   * not given to a worker by then are dropped.
   *
   * @throws as {@link Pool.apply}; also what reading `items` throws.
   */
  map<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: MapOptions<Item> = {},
  ): Promise<Awaited<Result>[]> {
    return this.#map(() => this.#core.describe(fn), items, options, 'Pool.map') as Promise<Awaited<Result>[]>;
  }

  /** As {@link Pool.map}, but answers at once; throws only what is the caller's mistake. */
  mapAsync<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: MapAsyncOptions<Item, Awaited<Result>[]> = {},
  ): AsyncResult<Awaited<Result>[]> {
    this.#core.assertOpen();
    const known = this.#core.describe(fn);
    this.#checkMap(items, options);
    const promise = this.#map(() => known, items, options, 'Pool.mapAsync');
    return this.#answer(promise as Promise<Awaited<Result>[]>, options, 'Pool.mapAsync');
  }

  /**
   * As {@link Pool.map}, but each item is the list of the arguments of one call.
   *
   * @example
   * const pool = new Pool(1);
   * await pool.starmap((x: number, y: number) => x ** y, [[2, 3], [3, 2]]); // => [8, 9]
   * await pool.close();
   */
  starmap<const Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    items: Inputs<NoInfer<Args>>,
    options: MapOptions<Args> = {},
  ): Promise<Awaited<Result>[]> {
    return this.#map(() => this.#core.describe(fn, true), items, options, 'Pool.starmap') as Promise<
      Awaited<Result>[]
    >;
  }

  /** As {@link Pool.starmap}, but answers at once; throws only what is the caller's mistake. */
  starmapAsync<const Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    items: Inputs<NoInfer<Args>>,
    options: MapAsyncOptions<Args, Awaited<Result>[]> = {},
  ): AsyncResult<Awaited<Result>[]> {
    this.#core.assertOpen();
    const known = this.#core.describe(fn, true);
    this.#checkMap(items, options);
    const promise = this.#map(() => known, items, options, 'Pool.starmapAsync');
    return this.#answer(promise as Promise<Awaited<Result>[]>, options, 'Pool.starmapAsync');
  }

  /**
   * Calls `fn` with each item and yields the results in the order of the items, each as soon as it is there. Reads
   * `items` only as fast as results are taken. An item that failed makes that `next()` reject; the following ones go on.
   *
   * Who takes no more results has to call `return`, as leaving a `for await` does: until then, or until the garbage collector has found the
   * iterator, `close` waits for the rest to be taken.
   */
  imap<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapOptions<Item> = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    return valuesOf(this.#stream(fn, items, { ...options, unordered: false }), 'Pool.imap');
  }

  /** As {@link Pool.imap}, but yields results as they are ready. */
  imapUnordered<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapOptions<Item> = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    return valuesOf(this.#stream(fn, items, { ...options, unordered: true }), 'Pool.imapUnordered');
  }

  /** As {@link Pool.imap}, but yields how each item ended, with its index; it rejects only when reading `items` does. */
  imapSettled<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapSettledOptions<Item> = {},
  ): AsyncIterableIterator<SettledItem<Awaited<Result>>> {
    const job = this.#stream(fn, items, options);
    return iterate(job, (item) => item as SettledItem<Awaited<Result>>);
  }

  /**
   * Calls `fn`, a generator, in a worker and yields what it yields, each value as it comes. The generator is at most 64 values
   * ahead of its consumer. It is never run again after a loss; leaving the loop asks it to stop, as an aborted signal does.
   *
   * @throws as {@link Pool.apply}, after the values that came before.
   *
   * @example
   * const pool = new Pool(1);
   * const values: number[] = [];
   * for await (const x of pool.stream(async function* (n: number) { for (let i = 0; i < n; i++) yield i; }, [3])) values.push(x);
   * values; // => [0, 1, 2]
   * await pool.close();
   */
  stream<Args extends readonly unknown[], Value>(
    fn: (...args: Args) => Streaming<Value>,
    ...rest: Rest<Args, StreamOptions>
  ): AsyncIterableIterator<Awaited<Value>> {
    this.#core.assertOpen();
    const [args = [], options = {}] = rest as [args?: readonly unknown[], options?: StreamOptions];
    if ((options as RepeatOptions).retries !== undefined)
      throw badOption('retries', 'left out of a stream, which is never run again');
    const job = this.#core.generate(this.#core.describe(fn), args, this.#planOf(options));
    return iterateGenerated(job, this.#core.dispatcher, 'Pool.stream');
  }

  /**
   * Resolves once all workers have come up and their initializers have run.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @throws What the initializer threw; {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  async warmUp(options: WaitOptions = {}): Promise<void> {
    this.#core.assertOpen();
    await this.#core.dispatcher.whenUp(options);
  }

  /**
   * Changes the number of workers. New ones are started at once; superfluous ones end when they have done what they have.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  resize(processes: number): void {
    this.#core.assertOpen();
    if (!Number.isInteger(processes) || processes < 1) throw badSize(processes);
    this.#core.dispatcher.resize(processes);
  }

  /** Takes no further task; what was accepted is finished, then the workers end. May be called twice. */
  close(): Promise<void> {
    if (this.#core.state === 'open') {
      this.#core.state = 'closed';
      this.#core.dispatcher.close();
    }
    return this.#ended();
  }

  /**
   * Ends the workers at once; tasks that are not done reject with `ERR_FURCA_TERMINATED`. May be called twice.
   *
   * @param signal - What to end them with; who does not heed SIGTERM is killed after half a second.
   */
  terminate(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#core.state = 'terminated';
    this.#core.dispatcher.terminate(signal);
    return this.#ended();
  }

  /**
   * Resolves once all workers have ended.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: neither `close` nor `terminate` was called.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    if (this.#core.state === 'open') throw stillOpen();
    await this.#core.dispatcher.whenEmpty(options);
  }

  /** Closes the pool and waits for its workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What the pool is doing now, and how long things took so far. */
  stats(): PoolStats {
    return statsOf(this.#core.dispatcher);
  }

  async #map(
    describe: () => TaskFunction,
    items: Inputs<unknown>,
    options: MapOptions<never>,
    via: string,
  ): Promise<unknown[]> {
    this.#core.assertOpen();
    const fn = describe();
    const chunkSize = checkedCount('chunkSize', options.chunkSize);
    const plan = this.#planOf(options);
    // A copy: later changes to the caller's array stay there.
    const all = Array.isArray(items) ? items.slice() : await collect(checkedInputs(items));
    const progress = ProgressMeter.of(options.progress, all.length);
    try {
      return await this.#core.map(fn, all, chunkSize, plan, progress);
    } catch (error) {
      throw continuedHere(error, via);
    }
  }

  #stream<Item>(
    fn: (item: Item) => unknown,
    items: Inputs<Item>,
    options: ImapSettledOptions<Item>,
  ): StreamJob {
    this.#core.assertOpen();
    const wishes = {
      isOrdered: options.unordered !== true,
      chunkSize: checkedCount('chunkSize', options.chunkSize),
      bufferItems: checkedCount('bufferItems', options.bufferItems),
      plan: this.#planOf(options),
    };
    const known = this.#core.describe(fn);
    const inputs = checkedInputs(items);
    const total = Array.isArray(items) ? items.length : null;
    return this.#core.stream(known, inputs, {
      ...wishes,
      progress: ProgressMeter.of(options.progress, total),
    });
  }

  #answer<Result>(
    promise: Promise<Result>,
    callbacks: CallbackOptions<Result>,
    via: string,
  ): AsyncResult<Result> {
    const continued = promise.catch((error: unknown) => {
      throw continuedHere(error, via);
    });
    return new AsyncResult(continued, this.#unread, callbacks);
  }

  async #ended(): Promise<void> {
    await this.#core.dispatcher.whenEmpty();
    noteClosed(this);
    this.#core.tracer?.end();
    reportAllUnread(this.#unread);
  }

  #reportUnread(error: unknown): void {
    if (this.listenerCount('error') > 0) {
      this.emit('error', error);
      return;
    }
    const said = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    process.emitWarning(`A task of a pool failed, and nobody asked for its result: ${said}`, {
      code: 'FURCA_UNREAD_FAILURE',
    });
  }

  /** Finds the caller's mistakes before anything happens. */
  #checkMap(items: Inputs<unknown>, options: MapOptions<never>): void {
    checkedInputs(items);
    checkedCount('chunkSize', options.chunkSize);
    this.#planOf(options);
  }

  #planOf(options: Parameters<typeof planOf>[0]): CallPlan {
    return planOf(options, this.#core.plain);
  }
}
