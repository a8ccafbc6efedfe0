import { PROCESSES } from '../pool/crew/process-body.js';
import { Pool } from '../pool/pool.js';
import { cpuCount } from '../process/cpu-count.js';
import type { StartMethod } from '../process/start-request.js';
import { checkedWorkers, type ExecutorOptions, PoolExecutor } from './pool-executor.js';

/** Options of {@link ProcessPoolExecutor}. */
export interface ProcessPoolExecutorOptions extends ExecutorOptions {
  /** Most workers at a time, at least 1. Default {@link cpuCount}. */
  readonly maxWorkers?: number;
  readonly startMethod?: StartMethod;
  /** Tasks a worker is given before a fresh one takes its place, at least 1. Default `Infinity`. */
  readonly maxTasksPerChild?: number;
}

/**
 * Runs tasks in processes, as Python's `concurrent.futures.ProcessPoolExecutor`.
 *
 * Workers are started as they are needed, and a task is given to a worker only when the worker is free: what has not begun can
 * be cancelled. A crash fails its own task alone, unless `strict`.
 *
 * @example
 * await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
 * const future = executor.submit((x: number, y: number) => x ** y, 2, 8);
 * await future.result(); // => 256
 */
export class ProcessPoolExecutor extends PoolExecutor {
  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; nothing was started. */
  constructor(options: ProcessPoolExecutorOptions = {}) {
    const { maxWorkers = cpuCount(), strict = false, ...rest } = options;
    checkedWorkers(maxWorkers, strict);
    const inner = { bodies: PROCESSES, isOnDemand: true, sendsAhead: false };
    super(new Pool(maxWorkers, { ...rest, name: 'ProcessPoolExecutor' }, inner), strict);
  }

  /** Ends the workers by SIGTERM, with whatever they run; futures that are not done fail with `ERR_FURCA_TERMINATED`. */
  terminateWorkers(): Promise<void> {
    return this.endWorkers('SIGTERM');
  }

  /** As {@link ProcessPoolExecutor.terminateWorkers}, by SIGKILL. */
  killWorkers(): Promise<void> {
    return this.endWorkers('SIGKILL');
  }

  /** Process ids of the workers that run now. */
  get pids(): readonly number[] {
    return this.pool.stats().pids;
  }
}
