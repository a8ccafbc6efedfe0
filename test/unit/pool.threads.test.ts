import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process, ThreadPool, Value, WorkerLostError } from '../../src/index.js';
import { failureOf, range, until } from '../fixtures/pool-outcomes.js';

const DOOR = new URL('../../src/index.js', import.meta.url).href;

test('what only processes can have is refused of a ThreadPool before anything starts', async () => {
  for (const options of [
    { startMethod: 'spawn' },
    { memoryBudgetBytes: 1e9 },
    { memoryBudgetBytes: 'cgroup' },
  ]) {
    const error = await failureOf(() => new ThreadPool(1, options as object));
    assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT', JSON.stringify(options));
  }
  for (const options of [null, 7])
    assert.equal(
      (await failureOf(() => new ThreadPool(1, options as unknown as object))).code,
      'ERR_FURCA_INVALID_ARGUMENT',
    );
});

test('a task of a ThreadPool runs in this process, each worker with a global object of its own', async () => {
  await using pool = new ThreadPool(2);
  await pool.warmUp();
  const { pids, threadIds } = pool.stats();
  assert.deepEqual([pids, threadIds.length], [[], 2]);
  assert.deepEqual(new Set(await pool.map(() => process.pid, range(8))), new Set([process.pid]));
  (globalThis as { here?: number }).here = 1;
  assert.equal(await pool.apply(() => (globalThis as { here?: number }).here), undefined);
});

test('a lost thread tells its number, its exit code and what it wrote to stderr last', async () => {
  await using pool = new ThreadPool(1, { name: 'Lost' });
  await pool.warmUp();
  const [threadId] = pool.stats().threadIds;
  const error = await failureOf(
    pool.apply(() => {
      console.error('its last words');
      process.exit(4);
    }),
  );
  assert.ok(error instanceof WorkerLostError);
  const { pid, exitCode, signal, reason, startMethod } = error;
  assert.deepEqual(
    { pid, threadId: error.threadId, exitCode, signal, reason, startMethod },
    { pid: process.pid, threadId, exitCode: 4, signal: null, reason: 'exit', startMethod: 'thread' },
  );
  assert.match(error.stderrTail, /its last words/);
  const uncaught = await failureOf(
    pool.apply(async () => {
      setTimeout(() => {
        throw new RangeError('in a callback');
      });
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }),
  );
  assert.ok(uncaught instanceof WorkerLostError);
  assert.match(uncaught.stderrTail, /in a callback/);
});

test('resourceLimits bound the heap of each thread, and one that needs more ends alone', async () => {
  await using pool = new ThreadPool(2, { resourceLimits: { maxOldGenerationSizeMb: 24 } });
  const fill = (): never => {
    // Small things: a thread that takes large ones in one step is faster than Node 24 and 26 are at ending it.
    const all: object[] = [];
    for (;;) all.push({ numbers: [1, 2, 3], text: String(all.length) });
  };
  const other = pool.apply(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return 'goes on';
  });
  const full = await failureOf(pool.apply(fill));
  assert.ok(full instanceof WorkerLostError);
  assert.equal(full.reason, 'heap');
  assert.equal(await other, 'goes on');
});

test('a thread whose heap has grown beyond maxMemoryPerChildBytes is replaced after its task', async () => {
  await using pool = new ThreadPool(1, { maxMemoryPerChildBytes: 80e6 });
  const keep = (megabytes: number): number => {
    (globalThis as { kept?: unknown }).kept = Buffer.alloc(megabytes * 1e6, 1);
    return process.getBuiltinModule('node:worker_threads').threadId;
  };
  const first = await pool.apply(keep, [1]);
  assert.equal(await pool.apply(keep, [1]), first);
  await pool.apply(keep, [100]);
  await until(() => !pool.stats().threadIds.includes(first));
  assert.notEqual(await pool.apply(keep, [1]), first);
  assert.equal(pool.stats().lost, 0);
});

test('under mlfq no thread is ever stopped, and every task is answered', async () => {
  await using pool = new ThreadPool(1, { schedule: 'mlfq' });
  const busyFor = (ms: number): number => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return ms;
  };
  const long = pool.apply(busyFor, [150]);
  const short = range(5).map(() => pool.apply(busyFor, [1]));
  assert.deepEqual(await Promise.all([long, ...short]), [150, 1, 1, 1, 1, 1]);
  assert.equal(pool.stats().preemptions, 0);
});

test('threads share locks and memory with their process', async () => {
  await using pool = new ThreadPool(2);
  const count = new Value('int32');
  const add = async (to: Value<'int32'>): Promise<void> => {
    for (let i = 0; i < 100; i++) to.add(1);
  };
  await pool.map(add, [count, count, count]);
  assert.equal(count.value, 300);
});

test('in a process that was forked threads work, or the error names spawn, as the version of Node has it', {
  timeout: 120_000,
}, async () => {
  const told = new Value('int32', 0, { lock: false });
  const tryIt = async (door: string, seen: Value<'int32'>): Promise<void> => {
    const furca = (await import(door)) as typeof import('../../src/index.js');
    try {
      const pool = new furca.ThreadPool(1);
      seen.value = await pool.apply(() => 1);
      await pool.close();
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === 'ERR_FURCA_UNSUPPORTED_RUNTIME' && message.includes("'spawn'")) seen.value = 2;
      else throw error;
    }
  };
  const major = Number(process.versions.node.split('.')[0]);
  for (const startMethod of ['forkserver', 'spawn'] as const) {
    const child = new Process({ target: tryIt, args: [DOOR, told], startMethod });
    await child.start();
    await child.join();
    const isRefused = startMethod === 'forkserver' && [20, 26].includes(major);
    assert.deepEqual([child.exitCode, told.value], [0, isRefused ? 2 : 1], startMethod);
  }
});
