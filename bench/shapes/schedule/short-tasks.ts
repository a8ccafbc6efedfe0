import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'furca';
import { percentiles } from '../../percentiles.js';
import type { Mode, Observation } from '../../runner/plan.js';

const WORKERS = 2;
/** Between two short tasks. */
const PAUSE_MS = 40;

/** Keeps its worker busy for so long, by the clock. */
const busyFor = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

/** Every worker has a long task; then short ones of 1 ms come, one after another. Their response is from the call to the result. */
export async function shortTasks(schedule: 'fcfs' | 'mlfq', mode: Mode): Promise<Observation> {
  const longMs = mode === 'full' ? 10_000 : 600;
  const pool = new Pool(WORKERS, { schedule });
  await pool.warmUp();
  const long = Array.from({ length: WORKERS }, () => pool.apply(busyFor, [longMs]));
  await delay(longMs / 10);
  const samples: number[] = [];
  const short: Promise<void>[] = [];
  const until = performance.now() + longMs * 0.6;
  while (performance.now() < until) {
    const began = performance.now();
    short.push(
      pool.apply(busyFor, [1]).then(() => {
        samples.push(performance.now() - began);
      }),
    );
    await delay(PAUSE_MS);
  }
  await Promise.all([...short, ...long]);
  await pool.close();
  return { metrics: percentiles(samples), samples };
}
