import { Pool } from 'furca';
import type { Mode, Observation } from '../../runner/plan.js';
import { percentiles } from './percentiles.js';

const WORKERS = 2;

const forever = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600_000));

/** Kills a worker in the middle of a task: how long until the task is rejected, and until another worker can take tasks. */
export async function losses(mode: Mode): Promise<Observation> {
  const pool = new Pool(WORKERS);
  await pool.warmUp();
  const rejected: number[] = [];
  const replaced: number[] = [];
  for (let kill = 0; kill < (mode === 'full' ? 200 : 5); kill++) {
    const task = pool.apply(forever).catch(() => performance.now());
    let pid: number | undefined;
    while (pid === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      pid = pool.stats().tasks.find(({ state }) => state === 'running')?.pid;
    }
    const began = performance.now();
    process.kill(pid, 'SIGKILL');
    const endedAt = (await task) as number;
    rejected.push(endedAt - began);
    await pool.warmUp();
    replaced.push(performance.now() - began);
  }
  await pool.close();
  const [rejection, replacement] = [percentiles(rejected), percentiles(replaced)];
  return {
    metrics: {
      rejectedP99: rejection.p99,
      rejectedP50: rejection.p50,
      replacedP50: replacement.p50,
      replacedP99: replacement.p99,
    },
    samples: rejected,
  };
}
