import { Pool } from 'furca';

import type { Mode, Observation } from '../../runner/plan.js';
import { noop } from '../../tasks.js';
import { checkSum, countsOf } from './counts.js';
import { type BenchPool, WORKERS } from './pool-adapter.js';

/** `apply` as a promise pool, for the rows that all pools share. */
export function open(): BenchPool {
  const pool = new Pool(WORKERS);
  return {
    call: (x) => pool.apply(noop, [x]),
    end: async () => {
      await pool.close();
      await pool.join();
    },
  };
}

/** Tasks a second through `imapUnordered` with chunks of one. */
export async function observeStream(mode: Mode): Promise<Observation> {
  const { flightWarmUp, flightTasks } = countsOf(mode);
  const pool = new Pool(WORKERS);
  const drain = async (tasks: number): Promise<number> => {
    const items = Array.from({ length: tasks }, (_, index) => index);
    let sum = 0;
    const started = performance.now();
    for await (const result of pool.imapUnordered(noop, items, { chunkSize: 1 })) sum += result;
    const elapsed = performance.now() - started;
    checkSum(sum, tasks);
    return elapsed;
  };
  await drain(flightWarmUp);
  const elapsed = await drain(flightTasks);
  await pool.close();
  await pool.join();
  return { metrics: { perSecond: (flightTasks / elapsed) * 1_000 } };
}

/** One `map` of all items with furca's own choice of chunks. */
export async function observeMap(mode: Mode): Promise<Observation> {
  const { mapWarmUp, mapItems } = countsOf(mode);
  const pool = new Pool(WORKERS);
  await pool.map(
    noop,
    Array.from({ length: mapWarmUp }, (_, index) => index),
  );
  const items = Array.from({ length: mapItems }, (_, index) => index);
  const started = performance.now();
  const results = await pool.map(noop, items);
  const elapsed = performance.now() - started;
  checkSum(
    results.reduce((sum, value) => sum + value, 0),
    mapItems,
  );
  await pool.close();
  await pool.join();
  return { metrics: { milliseconds: elapsed } };
}
