import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool, Value } from '../../src/index.js';
import { range, seededRandom } from '../fixtures/pool-outcomes.js';

const busyFor = (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};
/** Allocates in the shared memory, sends large and small results, and burns time. */
const work = (x: number): string => {
  const end = performance.now() + 3;
  let text = '';
  while (performance.now() < end) text = String(x).padEnd(x % 7 === 0 ? 100_000 : 100, '.');
  return text;
};

const ROUNDS = Number(process.env['FURCA_PREEMPTIONS'] ?? 150);

test('under mlfq short tasks are answered while every worker has a long one, which under fcfs they are not', {
  timeout: 30_000,
}, async () => {
  const order: Record<string, string[]> = {};
  for (const schedule of ['fcfs', 'mlfq'] as const) {
    await using pool = new Pool(2, { schedule });
    await pool.warmUp();
    const done: string[] = [];
    order[schedule] = done;
    const long = range(2).map(() => pool.apply(busyFor, [1500]).then(() => done.push('long')));
    await new Promise((resolve) => setTimeout(resolve, 150));
    const short = range(5).map(() => pool.apply(busyFor, [1]).then(() => done.push('short')));
    await Promise.all([...short, ...long]);
    if (schedule === 'mlfq') assert.ok(pool.stats().preemptions > 0);
  }
  assert.equal(order['fcfs']?.[0], 'long');
  assert.deepEqual(
    order['mlfq']?.slice(0, 5),
    range(5)
      .fill(0)
      .map(() => 'short'),
  );
});

test(`after ${ROUNDS} preemptions of workers that allocate and send, every result is right and nobody is left stopped`, {
  timeout: 60_000 + ROUNDS * 50,
}, async () => {
  const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 3));
  const pool = new Pool(2, { schedule: 'mlfq', maxStopped: 3 });
  await pool.warmUp();
  let next = 0;
  while (pool.stats().preemptions < ROUNDS) {
    const items = range(20).map(() => next++);
    // The long ones first: the others wait when their time is up.
    const long = [1, 2].map(() => pool.apply(busyFor, [20 + random() * 60]));
    const results = await Promise.all(items.map((x) => pool.apply(work, [x])));
    await Promise.all(long);
    assert.deepEqual(
      results.map((text) => Number.parseInt(text, 10)),
      items,
    );
    assert.ok(pool.stats().blocked <= 3);
    assert.ok(pool.stats().workers <= 2 + 3 + 1);
  }
  await pool.close();
  assert.deepEqual([pool.stats().workers, pool.stats().lost], [0, 0]);
});

test('a task that was through just when it was stopped is not put on again: no item runs twice', {
  timeout: 30_000,
}, async () => {
  const items = range(100);
  const runs = new Value('int32');
  const square = (x: number): number => {
    runs.add(1);
    return x * x;
  };
  // Three pools at once on two CPUs: their quanta end in the middle of things.
  const round = async (): Promise<void> => {
    const pool = new Pool(2, { schedule: 'mlfq' });
    const [calls, mapped] = await Promise.all([
      Promise.all(items.map((x) => pool.apply(square, [x]))),
      pool.map(square, items),
    ]);
    assert.deepEqual(
      calls,
      items.map((x) => x * x),
    );
    assert.deepEqual(mapped, calls);
    await pool.close();
  };
  for (let turn = 0; turn < 8; turn++) await Promise.all([round(), round(), round()]);
  assert.equal(runs.value, 8 * 3 * 200);
});
