import { cpuCount } from '../process/cpu-count.js';
import { THREADS } from './crew/thread-body.js';
import type { PoolOptions } from './options/pool-options.js';
import type { InnerOptions } from './options/settings.js';
import { Pool } from './pool.js';

/** Options of {@link ThreadPool}: those of {@link Pool} without what processes alone can have. */
export type ThreadPoolOptions = Omit<PoolOptions, 'startMethod' | 'memoryBudgetBytes' | 'maxStopped'>;

const OF_THREADS: InnerOptions = { bodies: THREADS, isOnDemand: false, sendsAhead: true };

/**
 * Worker threads that run tasks: a {@link Pool} by another kind of workers, with the same methods and the same answers.
 *
 * A thread starts without a process, and what its tasks read of files, modules and memory is this process's own. Each has a heap of its
 * own, so that arguments and results are copied as between processes. A thread can be ended wherever it is, also in an endless loop;
 * `process.exit` in a task ends its thread alone. A thread cannot be stopped and continued: `schedule: 'mlfq'` decides who is next and
 * preempts nobody. What ends the whole process, such as a signal or a crash of native code, ends its threads, too: where that may
 * happen take a {@link Pool}. Processes that a task has started are not ended with it.
 *
 * In a process that was forked, Node 20 and 26 do not see the end of threads: there the constructor refuses.
 *
 * @example
 * const pool = new ThreadPool(2);
 * await pool.map((x: number) => x * x, [1, 2, 3]); // => [1, 4, 9]
 * await pool.close();
 */
export class ThreadPool extends Pool {
  /**
   * Starts the threads; they come up while the first tasks are already accepted.
   *
   * @param threads - Number of workers, at least 1. Default {@link cpuCount}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: a size or option that makes no sense, or that threads cannot have;
   * `ERR_FURCA_BOOTSTRAPPING`: a module that a child is loading makes it; `ERR_FURCA_UNSUPPORTED_RUNTIME`: this process was forked, and
   * this version of Node has no threads there: start it with `spawn`. Nothing was started.
   */
  constructor(
    threads: number = cpuCount(),
    options: ThreadPoolOptions = {},
    inner: Omit<InnerOptions, 'bodies'> = OF_THREADS,
  ) {
    super(threads, withName(options), { ...inner, bodies: THREADS });
  }
}

function withName(options: ThreadPoolOptions): PoolOptions {
  return typeof options === 'object' && options !== null ? { name: 'ThreadPool', ...options } : options;
}
