import { Tinypool } from 'tinypool';

import { type BenchPool, TASK_NAME, TASKS_URL, WORKERS } from './pool-adapter.js';

export type TinypoolRuntime = 'worker_threads' | 'child_process';

/** @param concurrentTasksPerWorker - Tasks handed to a worker before it answered the first; default 1. */
export function open(runtime: TinypoolRuntime, concurrentTasksPerWorker: number): BenchPool {
  const pool = new Tinypool({
    filename: TASKS_URL.href,
    name: TASK_NAME,
    runtime,
    minThreads: WORKERS,
    maxThreads: WORKERS,
    concurrentTasksPerWorker,
  });
  return { call: (x) => pool.run(x), end: () => pool.destroy() };
}
