import { ThreadPool } from '../pool/thread-pool.js';
import { cpuCount } from '../process/cpu-count.js';
import { badOption } from './failures.js';
import { checkedWorkers, type ExecutorOptions, PoolExecutor } from './pool-executor.js';

/** More than so many are not started by default, whatever number of CPUs there is: as in Python. */
const MOST_BY_DEFAULT = 32;

/** Options of {@link ThreadPoolExecutor}. */
export interface ThreadPoolExecutorOptions extends ExecutorOptions {
  /** Most workers at a time, at least 1. Default: four more than {@link cpuCount}, at most 32. */
  readonly maxWorkers?: number;
  /** Threads are called `<prefix>Worker`. Default `ThreadPoolExecutor`. */
  readonly threadNamePrefix?: string;
}

/**
 * Runs tasks in worker threads of this process, as Python's `concurrent.futures.ThreadPoolExecutor`.
 *
 * Threads are started as they are needed, and a task is given to a thread only when it is free: what has not begun can be cancelled. Other
 * than Python's, each thread has a heap of its own: arguments and results are copied, and tasks compute at the same time.
 *
 * @example
 * await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
 * const future = executor.submit((x: number, y: number) => x ** y, 2, 8);
 * await future.result(); // => 256
 */
export class ThreadPoolExecutor extends PoolExecutor {
  /**
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; `ERR_FURCA_UNSUPPORTED_RUNTIME`: this process was forked, and this version
   * of Node (20 and 26) has no threads there. Nothing was started.
   */
  constructor(options: ThreadPoolExecutorOptions = {}) {
    const { maxWorkers = Math.min(MOST_BY_DEFAULT, cpuCount() + 4), strict = false, ...rest } = options;
    const { threadNamePrefix: name = 'ThreadPoolExecutor', ...others } = rest;
    checkedWorkers(maxWorkers, strict);
    if (typeof name !== 'string') throw badOption('threadNamePrefix', 'a string');
    super(new ThreadPool(maxWorkers, { ...others, name }, { isOnDemand: true, sendsAhead: false }), strict);
  }

  /**
   * Ends the threads at once, also in an endless loop; futures that are not done fail with `ERR_FURCA_TERMINATED`. Python's threads cannot
   * be ended.
   */
  terminateWorkers(): Promise<void> {
    return this.endWorkers('SIGTERM');
  }

  /** Node's numbers of the threads that run now. */
  get threadIds(): readonly number[] {
    return this.pool.stats().threadIds;
  }
}
