import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCompleted, ThreadPoolExecutor, wait } from '../../src/futures.js';
import { Event } from '../../src/index.js';
import { failureOf, ownId, range, toArray, until } from '../fixtures/pool-outcomes.js';

const sleep = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
/** Runs until the gate opens. */
const pass = (gate: Event): boolean => gate.waitSync({ timeoutMs: 60_000 });
const forever = (): never => {
  for (;;);
};

test('threads: submit gives a future of the result; what is thrown keeps its class (PE-01, PE-09)', async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  assert.equal(await executor.submit((x: number, y: number) => x ** y, 2, 8).result(), 256);
  const failed = executor.submit(() => {
    throw new RangeError('no');
  });
  assert.ok((await failed.exception()) instanceof RangeError);
});

test('threads: idle ones are used again, and as many are started as there is work for (PE-13)', async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 3 });
  assert.deepEqual(executor.threadIds, []);
  const ids = new Set<number>();
  for (let i = 0; i < 3; i++) ids.add(await executor.submit(ownId).result());
  assert.equal(ids.size, 1);
  const futures = range(6).map(() => executor.submit(sleep, 30));
  await until(() => executor.threadIds.length === 3);
  assert.deepEqual(await toArray(asCompletedValues(futures)), range(6).fill(30));
  assert.equal(executor.threadIds.length, 3);
});

async function* asCompletedValues<T>(futures: readonly import('../../src/futures.js').Future<T>[]) {
  for await (const future of asCompleted(futures)) yield await future.result();
}

test('threads: map is in order in any chunks, and ends with ERR_FURCA_DEADLINE when its time is up (PE-02, PE-04)', async (t) => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
  for (const chunkSize of [1, 3, 50])
    assert.deepEqual(
      await toArray(executor.map((x: number) => x * x, range(40), { chunkSize })),
      range(40).map((x) => x * x),
    );
  // By a clock that stands still until it is told to go on: what is to be in time is, however long it takes.
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const [open, shut] = [new Event(), new Event()];
  open.set();
  const late = executor.map(pass, [open, shut], { timeoutMs: 1500 });
  assert.equal((await late.next()).value, true);
  t.mock.timers.tick(1500);
  t.mock.timers.reset();
  assert.equal((await failureOf(late.next())).code, 'ERR_FURCA_DEADLINE');
});

test('threads: what has not begun can be cancelled, and shutdown can cancel it (PE-20)', async () => {
  const executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const gate = new Event();
  const futures = range(4).map(() => executor.submit(pass, gate));
  await until(() => futures[0]?.running() === true);
  assert.equal(futures[1]?.cancel(), true);
  const closed = executor.shutdown({ cancelFutures: true });
  gate.set();
  await closed;
  assert.deepEqual(
    futures.map(({ state }) => state),
    ['finished', 'cancelled', 'cancelled', 'cancelled'],
  );
  assert.equal((await failureOf(() => executor.submit(sleep, 1))).code, 'ERR_FURCA_INVALID_STATE');
});

test('threads: a task that ends its thread fails alone; of a strict executor it fails all (PE-08)', async () => {
  const task = (x: number): number => (x === 2 ? process.exit(9) : x);
  await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
  const futures = range(5).map((x) => executor.submit(task, x));
  const outcomes = await Promise.all(futures.map((future) => future.exception()));
  assert.deepEqual(
    outcomes.map((error) => (error as { code?: string } | undefined)?.code),
    [undefined, undefined, 'ERR_FURCA_WORKER_LOST', undefined, undefined],
  );
  const strict = new ThreadPoolExecutor({ maxWorkers: 1, strict: true });
  const all = [strict.submit(task, 2), strict.submit(task, 1), strict.submit(task, 3)];
  const errors = (await Promise.all(all.map((future) => future.exception()))) as { code?: string }[];
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ERR_FURCA_BROKEN', 'ERR_FURCA_BROKEN', 'ERR_FURCA_BROKEN'],
  );
  assert.equal((await failureOf(() => strict.submit(task, 1))).code, 'ERR_FURCA_BROKEN');
  await strict.shutdown();
});

test('threads: terminateWorkers ends one in an endless loop (PE-17)', async () => {
  const executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const future = executor.submit(forever);
  await until(() => future.running());
  await executor.terminateWorkers();
  assert.equal(((await future.exception()) as { code?: string }).code, 'ERR_FURCA_TERMINATED');
  assert.deepEqual(executor.threadIds, []);
  assert.equal((await failureOf(() => executor.submit(sleep, 1))).code, 'ERR_FURCA_INVALID_STATE');
});

test('threads: an initializer runs in each before its first task, and fails all tasks when it throws (PE-18)', async () => {
  const initializer = (mark: string): void => {
    (globalThis as { mark?: string }).mark = mark;
  };
  await using executor = new ThreadPoolExecutor({ maxWorkers: 2, initializer, initArgs: ['set'] });
  const marks = range(4).map(() => executor.submit(() => (globalThis as { mark?: string }).mark));
  await wait(marks);
  assert.deepEqual(
    marks.map((future) => future.resultNow()),
    ['set', 'set', 'set', 'set'],
  );
  const broken = new ThreadPoolExecutor({
    maxWorkers: 1,
    initializer: () => {
      throw new RangeError('no start');
    },
  });
  assert.equal((await failureOf(broken.submit(sleep, 1).result())).message, 'no start');
  await broken.shutdown();
});

test('threads: options that make no sense are refused before anything starts (PE-06)', async () => {
  const bad = [
    { maxWorkers: 0 },
    { maxWorkers: -1 },
    { maxWorkers: 1.5 },
    { strict: 1 },
    { threadNamePrefix: 5 },
    { startMethod: 'fork' },
  ];
  for (const options of bad) {
    const error = await failureOf(() => new ThreadPoolExecutor(options as object));
    assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT', JSON.stringify(options));
  }
});
