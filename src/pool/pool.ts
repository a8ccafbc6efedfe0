import type { WaitOptions } from '../arena/parking.js';
import { MODULES } from '../base/programs.js';
import { cpuCount } from '../process/cpu-count.js';
import { joinOrFoundFamily } from '../process/family.js';
import { assertMayStart } from '../process/launch.js';
import { checkedStartMethod, defaultStartMethod } from '../process/methods.js';
import type { StartMethod } from '../process/start-request.js';
import { joinStacks } from '../wire/errors.js';
import type { AnyFunction } from '../wire/functions.js';
import { Dispatcher } from './dispatcher.js';
import { badOption, badSize, poolClosed, stillOpen } from './failures.js';
import { CallJob, MapJob } from './jobs.js';
import { type SettledItem, StreamJob } from './stream-job.js';
import { makeTask, type TaskFunction } from './task.js';
import { TaskFunctions } from './task-functions.js';

/** Options of {@link Pool}. */
export interface PoolOptions {
  /** Name for people; workers are called `<name>Worker-N`. Default `Pool`. */
  readonly name?: string;
  /** How to start the workers. Default {@link getStartMethod}. */
  readonly startMethod?: StartMethod;
  /** How often an item is run again after the worker that ran it was lost. Default 0. */
  readonly retries?: number;
  /** Longest time one item may run, in milliseconds, from the start of its run; its worker is then killed. Default `Infinity`. */
  readonly taskTimeoutMs?: number;
}

/** Options of the calls that work on many items. */
export interface MapOptions {
  /** Items that travel together, at least 1. Default: by the measured time of the items. */
  readonly chunkSize?: number;
}

/** Options of the calls that stream. */
export interface ImapOptions extends MapOptions {
  /** Items that may be read from the input and not yet be taken as results, at least 1. Default: a few chunks for each worker. */
  readonly bufferItems?: number;
}

/** Options of {@link Pool.imapSettled}. */
export interface ImapSettledOptions extends ImapOptions {
  /** Yield items as they are ready instead of in input order. Default `false`. */
  readonly unordered?: boolean;
}

/** A snapshot of what a pool is doing. */
export interface PoolStats {
  readonly workers: number;
  readonly pids: readonly number[];
  readonly queued: number;
  readonly running: number;
  /** Messages of work answered so far; a chunk counts once. */
  readonly completed: number;
  /** Workers that ended before they were told to. */
  readonly lost: number;
}

/** Where the inputs of a task come from. */
export type Inputs<Item> = Iterable<Item> | AsyncIterable<Item>;

/**
 * A fixed number of worker processes that run tasks.
 *
 * Every task is answered: with its result, with what it threw, or with a `WorkerLostError` when its worker ended while it
 * ran. Workers are daemons: they end with this process, and a program that forgets to close its pool ends all the same.
 *
 * @example
 * const pool = new Pool(2);
 * await pool.map((x: number) => x * x, [1, 2, 3]); // => [1, 4, 9]
 * await pool.close();
 */
export class Pool implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #size: number;
  readonly #functions = new TaskFunctions();
  #state: 'open' | 'closed' | 'terminated' = 'open';

  /**
   * Starts the workers; they come up while the first tasks are already accepted.
   *
   * @param processes - Number of workers, at least 1. Default {@link cpuCount}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: a size or option that makes no sense; nothing was started.
   * @throws {@link UsageError} `ERR_FURCA_DAEMONIC_CHILD`, `ERR_FURCA_BOOTSTRAPPING`: as for {@link Process.start}.
   */
  constructor(processes: number = cpuCount(), options: PoolOptions = {}) {
    if (!Number.isInteger(processes) || processes < 1) throw badSize(processes);
    if (typeof options !== 'object' || options === null) throw badOption('the options', 'an object');
    const { name = 'Pool', retries = 0, taskTimeoutMs = Number.POSITIVE_INFINITY } = options;
    if (typeof name !== 'string') throw badOption('name', 'a string');
    if (!Number.isInteger(retries) || retries < 0) throw badOption('retries', 'a whole number, at least 0');
    if (typeof taskTimeoutMs !== 'number' || !(taskTimeoutMs > 0))
      throw badOption('taskTimeoutMs', 'above 0');
    assertMayStart();
    this.#size = processes;
    this.#dispatcher = new Dispatcher(joinOrFoundFamily(), {
      name: `${name}Worker`,
      size: processes,
      startMethod: checkedStartMethod(options.startMethod ?? defaultStartMethod()),
      isTimed: Number.isFinite(taskTimeoutMs),
      retries,
      taskTimeoutMs,
    });
  }

  /**
   * Calls `fn` with `args` in a worker.
   *
   * @returns What `fn` returned; a promise is awaited in the worker.
   * @throws What `fn` threw, rebuilt, its stack continued by the caller's.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: function, argument or result cannot travel.
   * @throws {@link WorkerLostError} `ERR_FURCA_WORKER_LOST`: the worker ended while it ran the task.
   * @throws {@link TimeoutError} `ERR_FURCA_TASK_TIMEOUT`: it ran longer than `taskTimeoutMs`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`; {@link TerminatedError} `ERR_FURCA_TERMINATED`.
   *
   * @example
   * const pool = new Pool(1);
   * await pool.apply((a: number, b: number) => a + b, [1, 2]); // => 3
   * await pool.close();
   */
  async apply<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...[args]: Args extends readonly [] ? [args?: readonly []] : [args: NoInfer<Args>]
  ): Promise<Awaited<Result>> {
    this.#assertOpen();
    const task = this.#describe(fn);
    if (args !== undefined && !Array.isArray(args)) throw badOption('args', 'an array');
    try {
      return (await new Promise<unknown>((resolve, reject) => {
        this.#dispatcher.add(makeTask(new CallJob(resolve, reject), task, true, args ?? [], 0));
      })) as Awaited<Result>;
    } catch (error) {
      throw continuedHere(error, 'Pool.apply');
    }
  }

  /**
   * Calls `fn` with each item; resolves with the results in the order of the items. The first error rejects; items that were
   * not given to a worker by then are dropped.
   *
   * @throws as {@link Pool.apply}; also what reading `items` throws.
   */
  async map<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: MapOptions = {},
  ): Promise<Awaited<Result>[]> {
    this.#assertOpen();
    const taskFunction = this.#describe(fn);
    const chunkSize = checkedCount('chunkSize', options.chunkSize);
    // A copy: later changes to the caller's array stay there.
    const all = Array.isArray(items)
      ? (items as readonly Item[]).slice()
      : await collect(checkedInputs(items));
    const job = new MapJob(taskFunction, all, chunkSize);
    this.#dispatcher.addSource(job);
    try {
      return (await job.promise) as Awaited<Result>[];
    } catch (error) {
      throw continuedHere(error, 'Pool.map');
    }
  }

  /**
   * Calls `fn` with each item and yields the results in the order of the items, each as soon as it is there. Reads
   * `items` only as fast as results are taken. An item that failed makes that `next()` reject; the following ones go on.
   */
  imap<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapOptions = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    return valuesOf(this.#stream(fn, items, { ...options, unordered: false }), 'Pool.imap');
  }

  /** As {@link Pool.imap}, but yields results as they are ready. */
  imapUnordered<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapOptions = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    return valuesOf(this.#stream(fn, items, { ...options, unordered: true }), 'Pool.imapUnordered');
  }

  /** As {@link Pool.imap}, but yields how each item ended, with its index; it rejects only when reading `items` does. */
  imapSettled<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ImapSettledOptions = {},
  ): AsyncIterableIterator<SettledItem<Awaited<Result>>> {
    const job = this.#stream(fn, items, options);
    return iterate(job, (item) => item as SettledItem<Awaited<Result>>);
  }

  /** Takes no further task; what was accepted is finished, then the workers end. May be called twice. */
  close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closed';
      this.#dispatcher.close();
    }
    return this.#dispatcher.whenEmpty();
  }

  /** Ends the workers at once; tasks that are not done reject with `ERR_FURCA_TERMINATED`. May be called twice. */
  terminate(): Promise<void> {
    this.#state = 'terminated';
    this.#dispatcher.terminate();
    return this.#dispatcher.whenEmpty();
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
    if (this.#state === 'open') throw stillOpen();
    await this.#dispatcher.whenEmpty(options);
  }

  /** Closes the pool and waits for its workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What the pool is doing now. */
  stats(): PoolStats {
    const { workers, queued, running, completed, lost } = this.#dispatcher;
    const pids = workers.flatMap(({ handle }) => (handle === undefined ? [] : [handle.pid]));
    return Object.freeze({ workers: workers.length, pids, queued, running, completed, lost });
  }

  #stream(fn: AnyFunction, items: Inputs<unknown>, options: ImapSettledOptions): StreamJob {
    this.#assertOpen();
    const settings = {
      isOrdered: options.unordered !== true,
      chunkSize: checkedCount('chunkSize', options.chunkSize),
      bufferItems: checkedCount('bufferItems', options.bufferItems),
      workers: this.#size,
    };
    const dispatcher = this.#dispatcher;
    const changed = (): void => dispatcher.sourceChanged();
    const job = new StreamJob(this.#describe(fn), checkedInputs(items), settings, changed);
    dispatcher.addSource(job);
    return job;
  }

  #describe(fn: AnyFunction): TaskFunction {
    if (typeof fn !== 'function') throw badOption('the task', 'a function');
    return this.#functions.describe(fn);
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw poolClosed();
  }
}

/** The package's own files: their frames tell a caller nothing. */
const OWN_FOLDER = MODULES.href;

/**
 * Continues the stack of a worker's error with that of the caller, which V8 knows here, behind the `await`, from who waits
 * for the promise: nothing is captured unless something fails.
 */
function continuedHere(error: unknown, via: string): unknown {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, continuedHere);
  const frames = (holder.stack ?? '').split('\n').filter((line) => !line.includes(OWN_FOLDER));
  joinStacks(error, frames.join('\n'), via);
  return error;
}

function checkedCount(name: string, count: number | undefined): number | undefined {
  if (count === undefined || (Number.isInteger(count) && count >= 1)) return count;
  throw badOption(name, 'a whole number, at least 1');
}

function checkedInputs<Item>(items: Inputs<Item>): Inputs<Item> {
  const isIterable =
    Object(items) !== items
      ? typeof items === 'string'
      : Symbol.iterator in items || Symbol.asyncIterator in items;
  if (isIterable) return items;
  throw badOption('the items', 'an iterable');
}

async function collect<Item>(items: Inputs<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item as Item);
  return all;
}

function valuesOf<Result>(job: StreamJob, via: string): AsyncIterableIterator<Result> {
  return iterate(job, (item) => {
    if (item.status === 'rejected') throw continuedHere(item.reason, via);
    return item.value as Result;
  });
}

function iterate<Result>(
  job: StreamJob,
  read: (item: SettledItem<unknown>) => Result,
): AsyncIterableIterator<Result> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const item = await job.next();
      return item === undefined ? { done: true, value: undefined } : { done: false, value: read(item) };
    },
    async return() {
      await job.cancel();
      return { done: true, value: undefined };
    },
  };
}
