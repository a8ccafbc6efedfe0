import { Pool } from 'furca';
import type { Mode, Observation } from '../../runner/plan.js';
import { noop } from '../../tasks.js';

const WORKERS = 2;
const MIB = 2 ** 20;

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

async function drain(pool: Pool, items: number, each?: (taken: number) => void): Promise<void> {
  let sum = 0;
  let taken = 0;
  for await (const x of pool.imapUnordered(noop, numbers(items))) {
    sum += x;
    taken++;
    each?.(taken);
  }
  if (sum !== (items * (items - 1)) / 2) throw new Error(`the sum is ${sum}`);
}

/** Items a second, and how much the memory of this process grows between the first tenth and the end. */
export async function streamed(mode: Mode): Promise<Observation> {
  const items = mode === 'full' ? 1_000_000 : 20_000;
  const pool = new Pool(WORKERS);
  await drain(pool, items / 10);
  let first = 0;
  let most = 0;
  const began = performance.now();
  await drain(pool, items, (taken) => {
    if (taken % 10_000 !== 0) return;
    const bytes = process.memoryUsage.rss();
    if (taken <= items / 10) first = Math.max(first, bytes);
    most = Math.max(most, bytes);
  });
  const elapsed = performance.now() - began;
  await pool.close();
  return { metrics: { perSecond: (items / elapsed) * 1_000, growth: (most - first) / MIB } };
}

/** The same items by `map`, which has them all at once. */
export async function mapped(mode: Mode): Promise<Observation> {
  const items = mode === 'full' ? 1_000_000 : 20_000;
  const pool = new Pool(WORKERS);
  const all = Array.from({ length: items }, (_, at) => at);
  await pool.map(noop, all.slice(0, items / 10));
  const before = process.memoryUsage.rss();
  const began = performance.now();
  const results = await pool.map(noop, all);
  const elapsed = performance.now() - began;
  const growth = (process.memoryUsage.rss() - before) / MIB;
  if (results.length !== items) throw new Error(`there are ${results.length} results`);
  await pool.close();
  return { metrics: { perSecond: (items / elapsed) * 1_000, growth } };
}
