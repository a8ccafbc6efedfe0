import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  BrokenError,
  functionIn,
  getContext,
  NotSendableError,
  type Pool,
  type PoolOptions,
  type StartMethod,
  WorkerLostError,
} from '../../src/index.js';
import {
  type Failure,
  failureOf,
  isGone,
  killed,
  outcomesOf,
  range,
  seededRandom,
  toArray,
  until,
} from '../fixtures/pool-outcomes.js';

const square = (x: number): number => x * x;
const waitFor = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
const busyFor = (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};

function makePool(t: TestContext, size: number, options: PoolOptions = {}): Pool {
  const pool = new (getContext(options.startMethod ?? 'forkserver').Pool)(size, options);
  const alive = setInterval(() => {}, 1000);
  t.after(async () => {
    clearInterval(alive);
    const { pids } = pool.stats();
    await pool.terminate();
    await until(() => pids.every(isGone));
  });
  return pool;
}

/** The two workers of a pool, once both have done something and do nothing any more. */
async function pidsAtWork(pool: Pool): Promise<Set<number>> {
  const ownPid = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return process.pid;
  };
  for (;;) {
    const pids = new Set(await pool.map(ownPid, range(4), { chunkSize: 1 }));
    if (pids.size === 2) return pids;
  }
}

const methods: readonly StartMethod[] = ['forkserver', 'spawn'];

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

for (const startMethod of methods) {
  const count = startMethod === 'spawn' ? 500 : 2000;
  test(`${startMethod}: of ${count} tasks on 4 workers, one of which is killed every few hundredths of a second, each gets its result`, {
    timeout: 90_000,
  }, async (t) => {
    const random = seededRandom(startMethod === 'spawn' ? 7 : 42);
    const pool = makePool(t, 4, { startMethod, retries: 10 });
    const slowDouble = (x: number): number => {
      const end = performance.now() + 1.5;
      while (performance.now() < end);
      return x * 2;
    };
    let kills = 0;
    const most = startMethod === 'spawn' ? 12 : 80;
    const killing = setInterval(
      () => {
        const { pids } = pool.stats();
        const pid = pids[Math.floor(random() * pids.length)];
        if (pid !== undefined && kills < most && killed(pid)) kills++;
      },
      startMethod === 'spawn' ? 150 : 30,
    );
    t.after(() => clearInterval(killing));
    const quarter = range(count / 4);
    const [single, mapped, streamed, unordered] = await Promise.all([
      Promise.all(quarter.map((x) => pool.apply(slowDouble, [x]))),
      pool.map(slowDouble, quarter),
      toArray(pool.imap(slowDouble, quarter, { chunkSize: 5 })),
      toArray(pool.imapUnordered(slowDouble, quarter)),
    ]);
    clearInterval(killing);
    const expected = quarter.map((x) => x * 2);
    assert.deepEqual(single, expected);
    assert.deepEqual(mapped, expected);
    assert.deepEqual(streamed, expected);
    assert.deepEqual(
      unordered.sort((a, b) => a - b),
      expected,
    );
    assert.ok(kills > 0);
    assert.ok(pool.stats().lost <= kills);
    assert.deepEqual(await pool.map(square, range(100)), range(100).map(square));
    assert.equal(pool.stats().workers, 4);
  });

  test(`${startMethod}: a worker that dies while idle is replaced, and nothing fails`, {
    timeout: 90_000,
  }, async (t) => {
    const pool = makePool(t, 2, { startMethod });
    for (let round = 1; round <= 5; round++) {
      for (const pid of await pidsAtWork(pool)) killed(pid);
      assert.deepEqual(await pool.map(square, range(20)), range(20).map(square));
      await until(() => pool.stats().lost === 2 * round && pool.stats().pids.length === 2);
      assert.equal(pool.stats().workers, 2);
    }
  });

  test(`${startMethod}: workers killed before they came up are replaced, and their tasks are run`, {
    timeout: 90_000,
  }, async (t) => {
    const pool = makePool(t, 2, { startMethod });
    const results = pool.map(square, range(50), { chunkSize: 5 });
    await until(() => pool.stats().pids.length > 0);
    for (const pid of pool.stats().pids) killed(pid);
    assert.deepEqual(await results, range(50).map(square));
  });
}

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

test('with one worker stuck in a long task the other does all the rest, every time', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  await pool.map(busyFor, range(200).fill(0));
  const order: string[] = [];
  const long = pool.apply(busyFor, [2000]).then(() => order.push('long'));
  for (let round = 0; round < 5; round++) {
    const short = range(60).map(() => pool.apply(busyFor, [0]).then(() => order.push('short')));
    await Promise.all(short);
    await pool.map(busyFor, range(300).fill(0)).then(() => order.push('map'));
    await toArray(pool.imap(busyFor, range(50).fill(0))).then(() => order.push('imap'));
  }
  assert.equal(order.indexOf('long'), -1, 'the short tasks had to wait for the long one');
  assert.equal(order.length, 5 * 62);
  await long;
});

test('short tasks that were sent behind a long one before it was known to be long are taken back', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  // The pool learns that this function is quick, and sends ahead.
  await Promise.all(range(500).map(() => pool.apply(busyFor, [0])));
  const order: number[] = [];
  const calls = [2000, ...range(100).fill(0)].map((ms) =>
    pool.apply(busyFor, [ms]).then((took) => order.push(took)),
  );
  await Promise.all(calls);
  assert.equal(order.at(-1), 2000);
  assert.deepEqual(order.slice(0, -1), range(100).fill(0));
  assert.deepEqual(await pool.map(square, range(50)), range(50).map(square));
});

test('long asynchronous tasks hold up nothing either, and what was taken back runs once', {
  timeout: 90_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'runs');
  const pool = makePool(t, 2);
  const note = async (path: string, x: number, ms: number): Promise<number> => {
    const { appendFileSync } = await import('node:fs');
    appendFileSync(path, `${x}\n`);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    return x;
  };
  await Promise.all(range(300).map((x) => pool.apply(note, [file, -1 - x, 0])));
  const order: number[] = [];
  const calls = range(101).map((x) =>
    pool.apply(note, [file, x, x === 0 ? 1500 : 0]).then((done) => order.push(done)),
  );
  await Promise.all(calls);
  assert.equal(order.at(-1), 0);
  const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  assert.equal(runs.length, 401);
  assert.equal(new Set(runs).size, 401);
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
