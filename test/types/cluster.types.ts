/**
 * Holds when it compiles: what the types of a cluster promise. Nothing here is ever run.
 */
import { type ClusterItem, ClusterPool, type ClusterQueue } from '../../src/cluster.js';
import type { AsyncResult, SettledItem } from '../../src/index.js';
import { type Equal, must } from './exactly.js';

declare const pool: ClusterPool;
declare const queue: ClusterQueue<{ readonly to: string }>;
declare function twice(x: number): number;
declare function load(path: string): Promise<Date>;

export async function results(): Promise<void> {
  const one = pool.apply(twice, [1]);
  must<Equal<typeof one, Promise<number>>>();
  const dates = pool.map(load, ['a']);
  must<Equal<typeof dates, Promise<Date[]>>>();
  const later = pool.applyAsync(load, ['a']);
  must<Equal<typeof later, AsyncResult<Date>>>();
  const stream = pool.imap(load, ['a']);
  must<Equal<typeof stream, AsyncIterableIterator<Date>>>();
  const settled = pool.imapSettled(twice, [1]);
  must<Equal<typeof settled, AsyncIterableIterator<SettledItem<number>>>>();
  const item = queue.get();
  must<Equal<typeof item, Promise<ClusterItem<{ readonly to: string }>>>>();
}

export function misuse(): void {
  // @ts-expect-error - an item of the wrong type
  void pool.map(twice, ['a']);
  // @ts-expect-error - an argument is missing
  void pool.apply(twice);
  // @ts-expect-error - an option of the local pool
  void pool.map(twice, [1], { cost: 1 });
  // @ts-expect-error - no app
  new ClusterPool({ connection: 'redis://127.0.0.1', queue: 'q' });
  // @ts-expect-error - another kind of item
  void queue.put({ from: 'x' });
}
