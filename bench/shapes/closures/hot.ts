/** What a function costs the caller that has been sent before: the time of the call itself, before anything is awaited. */
import { Pool } from 'furca';

import { percentiles } from '../../percentiles.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { noop } from '../../tasks.js';

const WARM_UP = 2_000;
/** Calls in one go, so that the clock's own time does not count. */
const BURST = 20;

type Call = (pool: Pool) => Promise<unknown>;

/** A closure over constants. */
export function constants(mode: Mode): Promise<Observation> {
  const [offset, label] = [7, 'x'];
  const task = (x: number): string => label + (x + offset);
  return observe(mode, (pool) => pool.apply(task, [1]));
}

/** A closure over an object whose content may have changed since: it is read at every call. */
export function object(mode: Mode): Promise<Observation> {
  const settings = { factor: 3, names: ['a', 'b'], nested: { deep: true } };
  const task = (x: number): number => x * settings.factor;
  return observe(mode, (pool) => {
    settings.factor++;
    return pool.apply(task, [1]);
  });
}

/** A closure among the arguments of a task. */
export function argument(mode: Mode): Promise<Observation> {
  const offset = 7;
  const inner = (x: number): number => x + offset;
  const task = (fn: (x: number) => number): number => fn(1);
  return observe(mode, (pool) => pool.apply(task, [inner]));
}

/** A closure over a variable that is assigned again and again: only V8's inspector knows what it holds. */
export function reassigned(mode: Mode): Promise<Observation> {
  let count = 0;
  const task = (x: number): number => x + count;
  return observe(mode, (pool) => {
    count++;
    return pool.apply(task, [1]);
  });
}

/** What all the others are compared with: a function of a module, which travels by its name. */
export function reference(mode: Mode): Promise<Observation> {
  return observe(mode, (pool) => pool.apply(noop, [1]));
}

async function observe(mode: Mode, call: Call): Promise<Observation> {
  const pool = new Pool(1);
  const bursts = mode === 'full' ? 1_000 : 20;
  for (let i = 0; i < WARM_UP; i += BURST) await burst(pool, call);
  const samples: number[] = [];
  for (let i = 0; i < bursts; i++) samples.push(await burst(pool, call));
  await pool.close();
  await pool.join();
  const { p50, p95 } = percentiles(samples);
  return { metrics: { p50, p95 } };
}

/** Microseconds of one call. */
async function burst(pool: Pool, call: Call): Promise<number> {
  const calls: Promise<unknown>[] = [];
  const began = performance.now();
  for (let i = 0; i < BURST; i++) calls.push(call(pool));
  const took = performance.now() - began;
  await Promise.all(calls);
  return (took * 1_000) / BURST;
}
