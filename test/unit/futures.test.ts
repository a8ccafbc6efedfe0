import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCompleted, Future, ProcessPoolExecutor, wait } from '../../src/futures.js';
import { Event } from '../../src/index.js';
import { type Failure, failureOf, range, toArray, until } from '../fixtures/pool-outcomes.js';

const sleep = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
const die = (): never => process.exit(9);
const ownPid = (): number => process.pid;
/** Runs until the gate opens. */
const pass = (gate: Event): boolean => gate.waitSync({ timeoutMs: 60_000 });

test('submit gives a future of the result; what is thrown keeps its class (PE-01, PE-09)', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  assert.equal(await executor.submit((x: number, y: number) => x ** y, 2, 8).result(), 256);
  const failed = executor.submit(() => {
    throw new RangeError('no');
  });
  assert.ok((await failed.exception()) instanceof RangeError);
  assert.equal((await failureOf(failed.result())).message, 'no');
});

test('idle workers are used again: tasks one after another take one process (PE-13)', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 4 });
  assert.deepEqual(executor.pids, []);
  const pids = new Set<number>();
  for (let i = 0; i < 3; i++) pids.add(await executor.submit(ownPid).result());
  assert.equal(pids.size, 1);
});

test('no more futures run than there are workers, and any that has not begun can be cancelled (W-11)', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  const gate = new Event();
  const futures = range(4).map(() => executor.submit(pass, gate));
  await until(() => futures[0]?.running() === true);
  assert.deepEqual(
    futures.map((future) => future.state),
    ['running', 'pending', 'pending', 'pending'],
  );
  assert.deepEqual(
    futures.map((future) => future.cancel()),
    [false, true, true, true],
  );
  assert.equal((await failureOf(futures[1]?.result() as Promise<boolean>)).code, 'ERR_FURCA_CANCELLED');
  gate.set();
  assert.equal(await futures[0]?.result(), true);
});

test('a task that is through, and whose result is still on its way, counts as running: it cannot be cancelled', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  const gate = new Event();
  const future = executor.submit(pass, gate);
  await until(() => future.running());
  gate.set();
  // Takes nothing in meanwhile: blocked until the worker has left the function behind it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  assert.equal(future.state, 'running');
  assert.equal(future.cancel(), false);
  assert.equal(await future.result(), true);
});

test('one crash fails its own future alone (W-10); of a strict executor it fails all, each with an error of its own (PE-08)', async () => {
  const task = (x: number): number => (x === 2 ? process.exit(9) : x);
  await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
  const futures = range(5).map((x) => executor.submit(task, x));
  const outcomes = await Promise.all(futures.map((future) => future.exception()));
  assert.deepEqual(
    outcomes.map((error) => (error as { code?: string } | undefined)?.code),
    [undefined, undefined, 'ERR_FURCA_WORKER_LOST', undefined, undefined],
  );
  const strict = new ProcessPoolExecutor({ maxWorkers: 1, strict: true });
  const all = [strict.submit(die), strict.submit(ownPid), strict.submit(ownPid)];
  const errors = (await Promise.all(all.map((future) => (future as Future<unknown>).exception()))) as Error[];
  assert.deepEqual(
    errors.map((error) => (error as { code?: string }).code),
    ['ERR_FURCA_BROKEN', 'ERR_FURCA_BROKEN', 'ERR_FURCA_BROKEN'],
  );
  assert.equal(new Set(errors).size, 3);
  assert.match(String(errors[1]?.cause), /exited with code 9/);
  assert.equal((await failureOf(() => strict.submit(ownPid))).code, 'ERR_FURCA_BROKEN');
  await strict.shutdown();
});

test('map yields in order, in any chunks; time that is up ends it after what was in time (PE-02, PE-04)', async (t) => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
  for (const chunkSize of [1, 3, 50]) {
    const doubled = await toArray(executor.map((x: number) => x * 2, range(40), { chunkSize }));
    assert.deepEqual(
      doubled,
      range(40).map((x) => x * 2),
    );
  }
  // By a clock that stands still until it is told to go on: what is to be in time is, however long it takes.
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const [open, shut] = [new Event(), new Event()];
  open.set();
  const late = executor.map(pass, [open, open, shut], { timeoutMs: 1500 });
  assert.deepEqual([(await late.next()).value, (await late.next()).value], [true, true]);
  t.mock.timers.tick(1500);
  t.mock.timers.reset();
  assert.equal((await failureOf(late.next())).code, 'ERR_FURCA_DEADLINE');
  await executor.killWorkers();
});

test('map with bufferSize reads only so far ahead, also of an endless input (PE-05)', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  let read = 0;
  function* endless(): Generator<number> {
    for (;;) yield read++;
  }
  const results = executor.map((x: number) => x, endless(), { bufferSize: 2 });
  for (let i = 0; i < 10; i++) assert.equal((await results.next()).value, i);
  assert.ok(read <= 13, String(read));
  await results.return?.();
});

test('shutdown finishes what was given, refuses more, and can cancel what has not begun (PE-20)', async () => {
  const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  const gate = new Event();
  const futures = range(8).map(() => executor.submit(pass, gate));
  await until(() => futures[0]?.running() === true);
  const closed = executor.shutdown({ cancelFutures: true });
  gate.set();
  await closed;
  assert.deepEqual(
    futures.map(({ state }) => state),
    ['finished', ...new Array<string>(7).fill('cancelled')],
  );
  assert.equal((await failureOf(() => executor.submit(ownPid))).code, 'ERR_FURCA_INVALID_STATE');
});

for (const [method, end] of [
  ['terminateWorkers', (executor: ProcessPoolExecutor) => executor.terminateWorkers()],
  ['killWorkers', (executor: ProcessPoolExecutor) => executor.killWorkers()],
] as const) {
  test(`${method} ends what runs, and is harmless on an executor that never started (PE-17)`, async () => {
    const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    const future = executor.submit(sleep, 60_000);
    await until(() => future.running());
    await end(executor);
    assert.equal(((await future.exception()) as { code: string }).code, 'ERR_FURCA_TERMINATED');
    assert.equal((await failureOf(() => executor.submit(ownPid))).code, 'ERR_FURCA_INVALID_STATE');
    await end(new ProcessPoolExecutor({ maxWorkers: 1 }));
  });
}

test('maxTasksPerChild: every so many tasks a fresh process, all results (PE-14)', async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1, maxTasksPerChild: 3 });
  const pids: number[] = [];
  for (let i = 0; i < 6; i++) pids.push(await executor.submit(ownPid).result());
  assert.equal(new Set(pids.slice(0, 3)).size, 1);
  assert.equal(new Set(pids).size, 2);
});

test('bad options are refused before anything happens (PE-06)', async () => {
  for (const maxWorkers of [0, -1, 1.5])
    assert.equal(
      (await failureOf(() => new ProcessPoolExecutor({ maxWorkers }))).code,
      'ERR_FURCA_INVALID_ARGUMENT',
    );
});

test('callbacks run once, at once if it is done, and one that throws keeps none from running (PE-24)', async () => {
  const future = new Future<number>();
  const heard: string[] = [];
  const warned = new Promise<Error>((resolve) =>
    process.on('warning', (warning) => {
      if ((warning as Failure).code === 'FURCA_CALLBACK') resolve(warning);
    }),
  );
  future.addDoneCallback(() => {
    throw new Error('in a callback');
  });
  future.addDoneCallback((one) => heard.push(one.state));
  future.setResult(1);
  future.addDoneCallback(() => heard.push('late'));
  assert.deepEqual(heard, ['finished', 'late']);
  assert.match((await warned).message, /in a callback/);
  assert.equal((await failureOf(() => future.setResult(2))).code, 'ERR_FURCA_INVALID_STATE');
  assert.equal((await failureOf(() => future.setException(new Error()))).code, 'ERR_FURCA_INVALID_STATE');
});

test('wait splits into done and not done, by first, first exception or all; time that is up is no error (PE-25)', async () => {
  const [a, b, c] = [new Future<number>(), new Future<number>(), new Future<number>()];
  a.setResult(1);
  c.cancel();
  assert.equal((await wait([a, b, a], { returnWhen: 'FIRST_COMPLETED' })).done.size, 1);
  assert.deepEqual((await wait([a, b], { timeoutMs: 10 })).notDone.has(b), true);
  const first = wait([a, b, c], { returnWhen: 'FIRST_EXCEPTION' });
  b.setException(new Error('b'));
  assert.equal((await first).done.size, 3);
  assert.deepEqual(await wait([]), { done: new Set(), notDone: new Set() });
});

test('asCompleted yields what is done first, each once, then says how many are unfinished (PE-26)', async () => {
  const futures = range(4).map(() => new Future<number>());
  futures[2]?.setResult(2);
  futures[1]?.setResult(1);
  const seen: Future<number>[] = [];
  const error = await failureOf(
    (async () => {
      for await (const future of asCompleted([...futures, ...futures], { timeoutMs: 20 })) seen.push(future);
    })(),
  );
  assert.equal(seen.length, 2);
  assert.equal(error.code, 'ERR_FURCA_TIMEOUT');
  assert.match(error.message, /2 \(of 4\) futures unfinished/);
});
