import { FixedQueue, Piscina } from 'piscina';

import { type BenchPool, TASK_NAME, TASKS_URL, WORKERS } from './pool-adapter.js';

/** @param concurrentTasksPerWorker - Tasks handed to a thread before it answered the first; default 1. */
export function open(concurrentTasksPerWorker: number): BenchPool {
  const pool = new Piscina<number, number>({
    filename: TASKS_URL.href,
    name: TASK_NAME,
    minThreads: WORKERS,
    maxThreads: WORKERS,
    taskQueue: new FixedQueue(),
    recordTiming: false,
    concurrentTasksPerWorker,
  });
  return { call: (x) => pool.run(x), end: () => pool.destroy() };
}
