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

/** Runs until it is let go. */
const busyUntil = (isFree: Value<'int32'>): string => {
  while (isFree.value === 0);
  return 'long';
};

test('under mlfq short tasks are answered while every worker has a long one', {
  timeout: 60_000,
}, async () => {
  await using pool = new Pool(2, { schedule: 'mlfq' });
  await pool.warmUp();
  const isFree = new Value('int32', 0, { lock: false });
  const long = range(2).map(() => pool.apply(busyUntil, [isFree]));
  const short = range(5).map(() => pool.apply(busyFor, [1]));
  assert.deepEqual(await Promise.all(short), [1, 1, 1, 1, 1]);
  assert.ok(pool.stats().preemptions > 0);
  isFree.value = 1;
  assert.deepEqual(await Promise.all(long), ['long', 'long']);
});

test('under fcfs short tasks wait while every worker has a long one', { timeout: 60_000 }, async () => {
  await using pool = new Pool(2, { schedule: 'fcfs' });
  await pool.warmUp();
  const isFree = new Value('int32', 0, { lock: false });
  let answered = 0;
  const long = range(2).map(() => pool.apply(busyUntil, [isFree]));
  const short = range(5).map(() => pool.apply(busyFor, [1]).then(() => answered++));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(answered, 0);
  isFree.value = 1;
  await Promise.all([...long, ...short]);
  assert.equal(pool.stats().preemptions, 0);
});

test(`after ${ROUNDS} preemptions of workers that allocate, lock and send, every result is right and nobody is left stopped`, {
  timeout: 100_000 + ROUNDS * 500,
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
  timeout: 60_000,
}, async () => {
  await using pool = new Pool(1, { schedule: new LastComeFirst() });
  await pool.warmUp();
  const lock = new Lock();
  const isHeld = new Value('int32', 0, { lock: false });
  const holding = pool.apply(
    (ours: Lock, mark: Value<'int32'>) => {
      ours.acquireSync();
      mark.value = 1;
      while (ours.stats().waiters === 0);
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

test('who holds a lock that another waits for is not stopped', { timeout: 60_000 }, async () => {
  await using pool = new Pool(1, { schedule: new LastComeFirst() });
  await pool.warmUp();
  const lock = new Lock();
  const mark = new Value('int32', 0, { lock: false });
  const HELD = 1;
  const MAY_END = 2;
  const holding = pool.apply(
    (ours: Lock, step: Value<'int32'>) => {
      ours.acquireSync();
      step.value = 1;
      while (step.value === 1);
      ours.release();
      return 'held';
    },
    [lock, mark],
  );
  await until(() => mark.value === HELD);
  const mine = lock.acquire();
  await until(() => lock.stats().waiters === 1);
  let seenByLater = 0;
  const later = pool
    .apply((step: Value<'int32'>) => step.value, [mark])
    .then((seen) => {
      seenByLater = seen;
    });
  // Time enough to stop it, were that allowed.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([seenByLater, pool.stats().preemptions], [0, 0]);
  mark.value = MAY_END;
  assert.equal(await holding, 'held');
  await mine;
  await later;
  assert.equal(seenByLater, MAY_END);
  lock.release();
});
