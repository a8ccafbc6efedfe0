import { join } from 'node:path';

import workerpool from 'workerpool';

import { type BenchPool, TASK_NAME, WORKERS } from './pool-adapter.js';

const WORKER = join(import.meta.dirname, 'workerpool-worker.js');

export function open(): BenchPool {
  const pool = workerpool.pool(WORKER, {
    workerType: 'process',
    minWorkers: WORKERS,
    maxWorkers: WORKERS,
  });
  return {
    call: (x) => pool.exec(TASK_NAME, [x]),
    end: async () => {
      await pool.terminate();
    },
  };
}
