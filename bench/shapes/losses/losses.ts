/** A worker is killed in the middle of its task: how long until the task is answered, and until the pool has a worker again. */
import { percentiles } from '../../percentiles.js';
import type { Mode, Observation } from '../../runner/plan.js';

/** A pool of one worker. */
export interface LosingPool {
  /** Resolves with the worker's pid once it runs a task that will not end; `lost` rejects when the pool knows that it is gone. */
  occupy(): Promise<{ readonly pid: number; readonly lost: Promise<unknown> }>;
  /** A no-op, answered by whoever is the worker then. */
  call(): Promise<unknown>;
  end(): Promise<void>;
}

export async function observeLosses(mode: Mode, pool: LosingPool): Promise<Observation> {
  const kills = mode === 'full' ? 200 : 5;
  const rejected: number[] = [];
  const replaced: number[] = [];
  // The first ones are not counted: nothing has been compiled by then.
  for (let kill = -5; kill < kills; kill++) {
    const { pid, lost } = await pool.occupy();
    const began = performance.now();
    process.kill(pid, 'SIGKILL');
    const wasLost = await lost.then(
      () => false,
      () => true,
    );
    if (!wasLost) throw new Error('a task of a killed worker was answered with a result');
    const known = performance.now() - began;
    await pool.call();
    if (kill < 0) continue;
    rejected.push(known);
    replaced.push(performance.now() - began);
  }
  await pool.end();
  const [known, again] = [percentiles(rejected), percentiles(replaced)];
  return {
    metrics: {
      rejectedP50: known.p50,
      rejectedP99: known.p99,
      replacedP50: again.p50,
      replacedP99: again.p99,
    },
  };
}
