import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'furca';
import { makePolicy, type PolicyName, simulate, type TraceJob } from 'furca/scheduling';
import type { Mode, Observation } from '../../runner/plan.js';

/** Four jobs of 8, 4, 9 and 5 units that come one unit after another: the example that textbooks explain shortest job first by. */
const UNITS: readonly (readonly [arrival: number, run: number])[] = [
  [0, 8],
  [1, 4],
  [2, 9],
  [3, 5],
];

const busyFor = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

/** Mean turnaround of the trace in a pool of one worker, and how much more it is than that of the same policy on an ideal machine. */
export async function textbook(policy: PolicyName, mode: Mode): Promise<Observation> {
  const unitMs = mode === 'full' ? 60 : 10;
  const jobs = UNITS.map(
    ([arrival, run], at): TraceJob => ({
      name: `P${at + 1}`,
      arrivalMs: arrival * unitMs,
      runMs: run * unitMs,
    }),
  );
  const ideal = simulate(jobs, makePolicy(policy)).meanTurnaroundMs;
  const pool = new Pool(1, { schedule: policy });
  await pool.warmUp();
  await pool.apply(busyFor, [1]);
  const origin = performance.now();
  const turnarounds = await Promise.all(
    jobs.map(async ({ arrivalMs, runMs }) => {
      await delay(origin + arrivalMs - performance.now());
      const came = performance.now();
      await pool.apply(busyFor, [runMs], { cost: runMs });
      return performance.now() - came;
    }),
  );
  await pool.close();
  const mean = turnarounds.reduce((a, b) => a + b, 0) / turnarounds.length;
  return { metrics: { turnaround: mean, excess: (mean / ideal - 1) * 100 }, samples: turnarounds };
}
