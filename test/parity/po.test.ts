import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClosedError, NotSendableError, type StartMethod } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import { failureOf, isGone, outcomesOf, range, toArray, until } from '../fixtures/pool-outcomes.js';

/** Of one test: a guard against hangs, also where the machine has much else to do. */
const HANG_MS = 300_000;

const square = (x: number): number => x * x;

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProgram(name: string, ...args: string[]): Ended {
  const program = fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
  const options = {
    encoding: 'utf8',
    timeout: 280_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, NODE_OPTIONS: '' },
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  return { status, signal, stdout, stderr };
}

test('PO-03: an item that cannot be sent makes map reject at once, and nothing hangs', {
  timeout: HANG_MS,
}, async (t) => {
  const pool = makePool(t, 2);
  const error = await failureOf(pool.map((x: unknown) => typeof x, [{ weak: new WeakMap() }]));
  assert.ok(error instanceof NotSendableError);
  await pool.close();
});

test('PO-06: imap keeps the order of 1,000 items in chunks of 100, then is done', {
  timeout: HANG_MS,
}, async (t) => {
  const pool = makePool(t, 4);
  assert.deepEqual(
    await toArray(pool.imap(square, range(1000), { chunkSize: 100 })),
    range(1000).map(square),
  );
  const results = pool.imap(square, range(10));
  for (const x of range(10)) assert.deepEqual(await results.next(), { done: false, value: x * x });
  assert.deepEqual(await results.next(), { done: true, value: undefined });
});

function* failing(at: number, total: number): Generator<number> {
  for (const x of range(total)) {
    if (x === at) throw new SyntaxError('the input failed');
    yield x;
  }
}

for (const [at, total, chunkSize] of [
  [3, 10, 1],
  [7, 20, 2],
  [7, 20, 4],
] as const) {
  test(`PO-07, PO-08: input that fails at item ${at} of ${total} in chunks of ${chunkSize} gives what was read before, then the error once`, {
    timeout: HANG_MS,
  }, async (t) => {
    const pool = makePool(t, 2);
    // Python throws away the items of the chunk that was not full yet; furca answers every item that was read.
    for (const method of ['imap', 'imapUnordered'] as const) {
      const outcomes = await outcomesOf(pool[method](square, failing(at, total), { chunkSize }));
      const values = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      assert.deepEqual(
        values.sort((a, b) => a - b),
        range(at).map(square),
      );
      const errors = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
      assert.deepEqual(errors.map(String), ['SyntaxError: the input failed']);
      assert.ok(errors[0] instanceof SyntaxError);
    }
  });
}

test('PO-08: imapUnordered yields the same items as imap, in any order', { timeout: HANG_MS }, async (t) => {
  const pool = makePool(t, 4);
  const found = await toArray(pool.imapUnordered(square, range(1000), { chunkSize: 53 }));
  assert.deepEqual(
    found.sort((a, b) => a - b),
    range(1000).map(square),
  );
});

test('PO-10: a pool of 3 has 3 workers', { timeout: HANG_MS }, async (t) => {
  const pool = makePool(t, 3);
  await until(() => pool.stats().pids.length === 3);
  assert.equal(new Set(pool.stats().pids).size, 3);
  assert.equal(pool.stats().workers, 3);
});

test('PO-14: the error of a worker carries the worker’s trace; the error of an input does not', {
  timeout: HANG_MS,
}, async (t) => {
  const pool = makePool(t, 1);
  const remote = await failureOf(
    pool.apply(function thisOneFails() {
      throw Object.assign(new RangeError('in the worker'), { args: [123, [1, 2]] });
    }),
  );
  assert.ok(remote instanceof RangeError);
  assert.deepEqual((remote as RangeError & { args?: unknown }).args, [123, [1, 2]]);
  assert.match(remote.stack ?? '', /thisOneFails/);
  assert.match(remote.stack ?? '', /po\.test/);
  const local = await failureOf(pool.imap(square, failing(0, 1)).next());
  assert.doesNotMatch(local.stack ?? '', /caller/);
});

test('PO-15: with an error of 1 MB from each task, map rejects, and close and join wait for both tasks', {
  timeout: HANG_MS,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ended');
  const pool = makePool(t, 2);
  const failLater = async (path: string, ms: number): Promise<never> => {
    const { appendFileSync } = await import('node:fs');
    await new Promise((resolve) => setTimeout(resolve, ms));
    appendFileSync(path, `${ms}\n`);
    throw new Error('x'.repeat(1024 * 1024));
  };
  await pool.map(square, range(8), { chunkSize: 1 });
  const errors = Promise.all([20, 400].map((ms) => failureOf(pool.apply(failLater, [file, ms]))));
  await pool.close();
  await pool.join();
  for (const error of await errors) assert.equal(error.message.length, 1024 * 1024);
  assert.deepEqual(readFileSync(file, 'utf8').split('\n').sort(), ['', '20', '400']);
});

test('PO-22: nothing is left of a pool that was refused', { timeout: HANG_MS }, () => {
  const { status, stdout, stderr } = runProgram('pool-refused');
  assert.deepEqual([status, stdout], [0, 'ERR_FURCA_INVALID_ARGUMENT 0\n'], stderr);
});

test('PO-23: a pool of 200 workers sums 1,000 squares, with nothing on stderr', { timeout: HANG_MS }, () => {
  const { status, stdout, stderr } = runProgram('pool-of-200');
  assert.deepEqual([status, stdout, stderr], [0, '332833500\n', '']);
});

test('PO-24: arguments and results are let go of once a task is done', { timeout: HANG_MS }, () => {
  const { status, stdout, stderr } = runProgram('pool-lets-go');
  assert.deepEqual([status, stdout], [0, 'collected\n'], stderr);
});

for (const workers of ['forkserver', 'spawn', 'thread'] satisfies (StartMethod | 'thread')[]) {
  test(`PO-24: a program that forgets to close its pool ends by itself with code 0 and leaves no worker (${workers})`, {
    timeout: HANG_MS,
  }, async () => {
    for (const kind of ['used', 'unused', 'streaming']) {
      const { status, signal, stdout, stderr } = runProgram('pool-forgotten', workers, kind);
      assert.deepEqual([status, signal, stderr], [0, null, ''], `${kind}: ${stdout}`);
      const [result, pids] = JSON.parse(stdout) as [unknown, number[]];
      assert.deepEqual(result, kind === 'unused' ? [] : [1, 4, 9]);
      await until(() => pids.every(isGone));
    }
  });
}

test('work that was given to a pool keeps the program alive until it is done', { timeout: HANG_MS }, () => {
  const { status, stdout, stderr } = runProgram('pool-keeps-alive');
  // The order is that of the results where each is taken as it comes; they may also be found together.
  assert.deepEqual(stdout.split('\n').sort(), ['', 'apply 1', 'imap 4', 'map 2,3']);
  assert.deepEqual([status, stderr], [0, '']);
});

test('a closed pool raises ClosedError where Python raises ValueError: Pool not running', {
  timeout: HANG_MS,
}, async (t) => {
  const pool = makePool(t, 1);
  await pool.close();
  assert.ok((await failureOf(pool.apply(square, [1]))) instanceof ClosedError);
});
