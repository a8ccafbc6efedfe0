import { join } from 'node:path';

import workerpool from 'workerpool';

import type { Mode, Observation } from '../../runner/plan.js';
import { observeLosses } from './losses.js';

const WORKER = join(import.meta.dirname, 'workerpool-worker.js');

export async function processes(mode: Mode): Promise<Observation> {
  const pool = workerpool.pool(WORKER, { workerType: 'process', minWorkers: 1, maxWorkers: 1 });
  return observeLosses(mode, {
    occupy: async () => {
      const pid = (await pool.exec('pid', [])) as number;
      const lost = Promise.resolve(pool.exec('hang', []));
      lost.catch(() => {});
      return { pid, lost };
    },
    call: async () => await pool.exec('pid', []),
    end: async () => {
      await pool.terminate();
    },
  });
}
