import { mean, quantile } from '../../report/figures.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { checkSum, countsOf } from './counts.js';
import type { BenchPool } from './pool-adapter.js';

/** One call at a time: the next is made when the last was answered. */
export async function observeCalls(mode: Mode, pool: BenchPool): Promise<Observation> {
  const { callWarmUp, calls } = countsOf(mode);
  for (let x = 0; x < callWarmUp; x++) await pool.call(x);
  const micros: number[] = [];
  for (let x = 0; x < calls; x++) {
    const started = performance.now();
    const answer = await pool.call(x);
    micros.push((performance.now() - started) * 1_000);
    if (answer !== x) throw new Error(`call ${x} was answered by ${answer}.`);
  }
  await pool.end();
  return { metrics: { p50: quantile(micros, 0.5), p95: quantile(micros, 0.95), mean: mean(micros) } };
}

/** Runs tasks 0 to `tasks - 1` with at most `inFlight` unanswered; returns the milliseconds it took. */
async function runWindowed(pool: BenchPool, tasks: number, inFlight: number): Promise<number> {
  let next = 0;
  let sum = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks) {
      const answer = await pool.call(next++);
      sum += answer;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const elapsed = performance.now() - started;
  checkSum(sum, tasks);
  return elapsed;
}

/** Many unanswered calls at any time, each an own task. */
export async function observeFlight(mode: Mode, pool: BenchPool): Promise<Observation> {
  const { flightWarmUp, flightTasks, inFlight } = countsOf(mode);
  await runWindowed(pool, flightWarmUp, inFlight);
  const elapsed = await runWindowed(pool, flightTasks, inFlight);
  await pool.end();
  return { metrics: { perSecond: (flightTasks / elapsed) * 1_000 } };
}

/** What a pool without `map` needs for as many items, extrapolated from fewer. */
export async function observeExtrapolatedMap(mode: Mode, pool: BenchPool): Promise<Observation> {
  const { flightWarmUp, inFlight, mapItems, peerMapItems } = countsOf(mode);
  await runWindowed(pool, flightWarmUp, inFlight);
  const elapsed = await runWindowed(pool, peerMapItems, inFlight);
  await pool.end();
  return { metrics: { milliseconds: (elapsed * mapItems) / peerMapItems } };
}
