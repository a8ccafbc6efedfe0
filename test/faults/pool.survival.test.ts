import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BrokenError, functionIn, NotSendableError, WorkerLostError } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import {
  type Failure,
  failureOf,
  isGone,
  outcomesOf,
  range,
  toArray,
  until,
} from '../fixtures/pool-outcomes.js';

const square = (x: number): number => x * x;
const waitFor = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};

/** Appends a line at each run of an item, and kills its worker at the first `deaths` ones. */
const dieAtFirst = async (file: string, deaths: number): Promise<number> => {
  const { appendFileSync, readFileSync: read } = await import('node:fs');
  appendFileSync(file, 'run\n');
  const runs = read(file, 'utf8').length / 4;
  if (runs <= deaths) process.kill(process.pid, 'SIGKILL');
  return runs;
};

test('with retries a task whose worker was lost is run again, and gives up with the number of attempts', {
  timeout: 90_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pool = makePool(t, 2, { retries: 3 });
  const runsOf = (file: string): number => readFileSync(file, 'utf8').length / 4;

  const good = join(folder, 'good');
  assert.equal(await pool.apply(dieAtFirst, [good, 3]), 4);
  assert.equal(runsOf(good), 4);
  assert.equal(pool.stats().lost, 3);

  const bad = join(folder, 'bad');
  const error = await failureOf(pool.apply(dieAtFirst, [bad, 99]));
  assert.ok(error instanceof WorkerLostError);
  assert.equal(error.attempts, 4);
  assert.equal(runsOf(bad), 4);
  assert.equal(await pool.apply(square, [3]), 9);
});

test('with retries a map goes through although its workers are lost, each item in its place', {
  timeout: 90_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pool = makePool(t, 2, { retries: 1 });
  const dieOnce = async ({ x, file }: { x: number; file: string }): Promise<number> => {
    const { existsSync, writeFileSync } = await import('node:fs');
    if (x % 10 === 3 && !existsSync(file)) {
      writeFileSync(file, '');
      process.kill(process.pid, 'SIGKILL');
    }
    return x * 2;
  };
  const items = range(40).map((x) => ({ x, file: join(folder, String(x)) }));
  for (const chunkSize of [1, 7, 40]) {
    assert.deepEqual(
      await pool.map(dieOnce, items, { chunkSize }),
      range(40).map((x) => x * 2),
    );
    assert.deepEqual(
      await toArray(pool.imap(dieOnce, items, { chunkSize })),
      range(40).map((x) => x * 2),
    );
    for (const { file } of items) rmSync(file, { force: true });
  }
  assert.equal(pool.stats().lost, 12);
});

test('a rejection that nobody handles ends the worker after its task was answered, and it is replaced', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1);
  const later = (x: number): number => {
    setTimeout(() => void Promise.reject(new Error('nobody handles this (printed on purpose)')), 5);
    return x;
  };
  assert.equal(await pool.apply(later, [1]), 1);
  await until(() => pool.stats().lost === 1);
  assert.equal(await pool.apply(square, [4]), 16);
});

test('no result is lost while the main thread is blocked', { timeout: 90_000 }, async (t) => {
  const pool = makePool(t, 2);
  const text = (x: number): string => String(x).padEnd(1000, '.');
  const block = (): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  };
  await pool.map(text, range(10));
  const mapped = pool.map(text, range(5000), { chunkSize: 10 });
  const single = Promise.all(range(2000).map((x) => pool.apply(text, [x])));
  const streamed = toArray(pool.imap(text, range(2000), { bufferItems: 1500 }));
  await new Promise((resolve) => setImmediate(resolve));
  block();
  await new Promise((resolve) => setImmediate(resolve));
  block();
  assert.deepEqual(await mapped, range(5000).map(text));
  assert.deepEqual(await single, range(2000).map(text));
  assert.deepEqual(await streamed, range(2000).map(text));
});

test('a module that throws while it is imported rejects each call with its error as cause', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  const fn = functionIn<(x: number) => number>(
    new URL('../fixtures/pool-throws-on-import.js', import.meta.url),
    'work',
  );
  for (const outcome of [
    ...(await Promise.allSettled(range(4).map((x) => pool.apply(fn, [x])))),
    ...(await outcomesOf(pool.imap(fn, range(4)))),
  ]) {
    assert.ok(outcome.status === 'rejected');
    const error = outcome.reason as NotSendableError;
    assert.ok(error instanceof NotSendableError);
    assert.equal(error.stage, 'receive');
    assert.ok(error.cause instanceof RangeError);
    assert.equal(error.cause.message, 'thrown while importing');
  }
  assert.equal(pool.stats().lost, 0);
  assert.equal(await pool.apply(square, [5]), 25);
});

test('a module that ends its process while it is imported loses no other task', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  const fn = functionIn<(x: number) => number>(
    new URL('../fixtures/pool-exits-on-import.js', import.meta.url),
    'work',
  );
  const others = Promise.all(range(50).map((x) => pool.apply(square, [x])));
  const errors = await Promise.all(range(3).map((x) => failureOf(pool.apply(fn, [x]))));
  for (const error of errors) assert.equal(error.code, 'ERR_FURCA_WORKER_LOST');
  assert.deepEqual(await others, range(50).map(square));
});

test('a pool whose workers cannot come up rejects every task with ERR_FURCA_BROKEN, and works once they can', {
  timeout: 90_000,
}, async (t) => {
  const { NODE_OPTIONS } = process.env;
  process.env['NODE_OPTIONS'] = '--require=/nonexistent/furca-test.cjs';
  const restore = (): void => {
    if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = NODE_OPTIONS;
  };
  t.after(restore);
  const pool = makePool(t, 1, { startMethod: 'spawn' });
  const outcomes = await Promise.all([
    failureOf(pool.apply(square, [1])),
    failureOf(pool.map(square, range(100))),
    failureOf(pool.imap(square, range(100)).next()),
  ]);
  for (const error of outcomes) {
    assert.ok(error instanceof BrokenError, String(error));
    assert.equal(error.code, 'ERR_FURCA_BROKEN');
  }
  // An input longer than the buffer: later items are answered too.
  const streamed = await outcomesOf(pool.imap(square, range(10), { bufferItems: 4 }));
  assert.equal(streamed.length, 10);
  assert.ok(
    streamed.every((one) => one.status === 'rejected' && (one.reason as Failure).code === 'ERR_FURCA_BROKEN'),
  );
  restore();
  assert.equal(await pool.apply(square, [6]), 36);
});

test('tasks that wait in the queue of a pool that was closed are finished although workers die', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  const results = Promise.allSettled(
    range(60).map((x) =>
      pool.apply(
        (y: number) => {
          if (y % 20 === 7) process.exit(1);
          return y;
        },
        [x],
      ),
    ),
  );
  await pool.close();
  const outcomes = await results;
  assert.deepEqual(
    outcomes.flatMap((one, at) => (one.status === 'rejected' ? [at] : [])),
    [7, 27, 47],
  );
  assert.equal(pool.stats().workers, 0);
});

test('a worker that is stopped holds up nobody else, and close still waits for its task', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  const pidOf = (): number => process.pid;
  await pool.map(waitFor, [1, 1, 1, 1], { chunkSize: 1 });
  await until(() => pool.stats().pids.length === 2);
  const stoppedPid = await pool.apply(pidOf);
  process.kill(stoppedPid, 'SIGSTOP');
  t.after(() => {
    if (!isGone(stoppedPid)) process.kill(stoppedPid, 'SIGCONT');
  });
  // Whatever was sent to the stopped one comes late; all that follows goes on.
  const first = pool.apply(square, [2]);
  const others = Promise.all(range(100).map((x) => pool.apply(square, [x + 3])));
  await Promise.race([others, first]);
  process.kill(stoppedPid, 'SIGCONT');
  assert.equal(await first, 4);
  assert.deepEqual(
    await others,
    range(100).map((x) => (x + 3) ** 2),
  );
  await pool.close();
});
