import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lock, Pool, type Schedulable, type SchedulingPolicy, Value } from '../../src/index.js';
import { range, seededRandom, until } from '../fixtures/pool-outcomes.js';

const busyFor = (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};
interface Shared {
  readonly lock: Lock;
  /** Counted up by two steps, under the lock. */
  readonly counted: Value<'int32'>;
  /** Counted up by one step: what the other one has to come to. */
  readonly rounds: Value<'int32'>;
}
/** Allocates in the shared memory, locks, sends large and small results, and burns time, some of it under the lock. */
const work = (x: number, { lock, counted, rounds }: Shared): string => {
  const end = performance.now() + 3;
  let text = String(x);
  while (performance.now() < end) {
    text = String(x).padEnd(x % 7 === 0 ? 100_000 : 100, '.');
    lock.acquireSync();
    const seen = counted.value;
    const until = performance.now() + (x % 5 === 0 ? 0.5 : 0);
    while (performance.now() < until);
    counted.value = seen + 1;
    lock.release();
    rounds.add(1);
  }
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

test(`after ${ROUNDS} preemptions of workers that allocate, lock and send, every result is right and nobody is left stopped`, {
  timeout: 60_000 + ROUNDS * 500,
}, async () => {
  const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 3));
  const pool = new Pool(2, { schedule: 'mlfq', maxStopped: 3 });
  await pool.warmUp();
  const shared: Shared = {
    lock: new Lock(),
    counted: new Value('int32', 0, { lock: false }),
    rounds: new Value('int32', 0, { lock: false }),
  };
  let next = 0;
  let told = 0;
  while (pool.stats().preemptions < ROUNDS) {
    const items = range(20).map(() => next++);
    // The long ones first: the others wait when their time is up.
    const long = [1, 2].map(() => pool.apply(busyFor, [20 + random() * 60]));
    const results = await Promise.all(items.map((x) => pool.apply(work, [x, shared])));
    await Promise.all(long);
    assert.deepEqual(
      results.map((text) => Number.parseInt(text, 10)),
      items,
    );
    const { preemptions } = pool.stats();
    if (preemptions >= told + 500) {
      told = preemptions;
      process.stderr.write(`${preemptions} preemptions, ${shared.rounds.value} times locked\n`);
    }
    assert.ok(pool.stats().blocked <= 3);
    assert.ok(pool.stats().workers <= 2 + 3 + 1);
  }
  await pool.close();
  assert.deepEqual([pool.stats().workers, pool.stats().lost], [0, 0]);
  assert.equal(shared.counted.value, shared.rounds.value);
  assert.equal(shared.lock.stats().ownerPid, null);
});

/** The later a task came the more urgent it is; it puts off all others, and makes way for none. */
class LastComeFirst implements SchedulingPolicy {
  readonly name = 'last come, first served';
  readonly #ready = new Set<Schedulable>();

  get size(): number {
    return this.#ready.size;
  }

  add(task: Schedulable): void {
    this.#ready.add(task);
  }

  peek(): Schedulable | undefined {
    return [...this.#ready].sort((a, b) => b.id - a.id)[0];
  }

  remove(task: Schedulable): void {
    this.#ready.delete(task);
  }

  shallYield(running: Schedulable): boolean {
    return (this.peek()?.id ?? 0) > running.id;
  }

  quantumMs(): number {
    return 1;
  }
}

test('who was stopped with a lock goes on as soon as another task waits for it, although no policy would have it', {
  timeout: 30_000,
}, async () => {
  await using pool = new Pool(1, { schedule: new LastComeFirst() });
  await pool.warmUp();
  const lock = new Lock();
  const isHeld = new Value('int32', 0, { lock: false });
  const holding = pool.apply(
    (ours: Lock, mark: Value<'int32'>) => {
      ours.acquireSync();
      mark.value = 1;
      const end = performance.now() + 300;
      while (performance.now() < end);
      ours.release();
      return 'held';
    },
    [lock, isHeld],
  );
  await until(() => isHeld.value === 1);
  // It has the only place, and waits for the lock of one that is stopped for it.
  const waiting = pool.apply((ours: Lock) => ours.runExclusive(() => 'got it'), [lock]);
  assert.deepEqual(await Promise.all([holding, waiting]), ['held', 'got it']);
  assert.ok(pool.stats().preemptions > 0);
});

test('who holds a lock that another waits for is not stopped', { timeout: 30_000 }, async () => {
  await using pool = new Pool(1, { schedule: new LastComeFirst() });
  await pool.warmUp();
  const lock = new Lock();
  const isHeld = new Value('int32', 0, { lock: false });
  const holding = pool.apply(
    (ours: Lock, mark: Value<'int32'>) => {
      ours.acquireSync();
      mark.value = 1;
      const end = performance.now() + 400;
      while (performance.now() < end);
      mark.value = 2;
      ours.release();
      return 'held';
    },
    [lock, isHeld],
  );
  await until(() => isHeld.value === 1);
  const mine = lock.acquire();
  await until(() => lock.stats().waiters === 1);
  const seenByLater = pool.apply((mark: Value<'int32'>) => mark.value, [isHeld]);
  assert.equal(await seenByLater, 2);
  assert.equal(await holding, 'held');
  await mine;
  lock.release();
});
