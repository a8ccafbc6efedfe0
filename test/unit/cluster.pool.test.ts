import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  ClusterPool,
  type ClusterPoolOptions,
  ClusterWorker,
  type ClusterWorkerOptions,
} from '../../src/cluster.js';
import {
  BrokenError,
  type currentTask,
  FurcaError,
  ProgressFeed,
  registerError,
  WorkerLostError,
} from '../../src/index.js';
import { add, bulk, die, never, refuseOdd, slowly, triple } from '../fixtures/cluster-tasks.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { eventually } from '../harness/watchdog.js';

const app = fileURLToPath(new URL('..', import.meta.url));
const key = 'a key for tests alone';
const range = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

interface Failure extends Error {
  readonly code?: string;
}

async function failureOf(promise: PromiseLike<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return error as Failure;
  }
  return assert.fail('it did not fail');
}

describe('cluster pool', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  let count = 0;
  const owned: (ClusterPool | ClusterWorker)[] = [];
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    await redis?.stop();
  });

  function poolOn(queue: string, options: Partial<ClusterPoolOptions> = {}): ClusterPool {
    const pool = new ClusterPool({ connection: redis.url, queue, app, ...options });
    owned.unshift(pool);
    return pool;
  }

  async function workerOn(
    queue: string,
    options: Partial<ClusterWorkerOptions> = {},
  ): Promise<ClusterWorker> {
    const worker = new ClusterWorker({ connection: redis.url, queue, app, jobs: 1, ...options });
    owned.push(worker);
    await worker.start();
    return worker;
  }

  /** A test with a queue of its own; pools and workers are ended after it, and none of their processes is left. */
  function clusterTest(title: string, body: (queue: string) => Promise<void>): void {
    test(title, { timeout: 60_000 }, async () => {
      count += 1;
      try {
        await body(`queue-${count}`);
      } finally {
        for (const one of owned.splice(0)) await (one instanceof ClusterPool ? one.terminate() : one.close());
      }
    });
  }

  clusterTest('functions travel by reference without a key; by value they need one', async (queue) => {
    await workerOn(queue);
    const pool = poolOn(queue);
    assert.equal(await pool.apply(triple, [14]), 42);
    assert.deepEqual(
      await pool.starmap(add, [
        [1, 2],
        [3, 4],
      ]),
      [3, 7],
    );
    const refused = await failureOf(pool.map((x: number) => x + 1, [1]));
    assert.equal(refused.code, 'ERR_FURCA_REFUSED');
  });

  clusterTest(
    'errors come as classes that the caller knows, the others as the nearest of them',
    async (queue) => {
      class Known extends Error {}
      registerError(Known, 'test:Known');
      await workerOn(queue, { key });
      const pool = poolOn(queue, { key });
      assert.ok((await failureOf(pool.apply(refuseOdd, [1]))) instanceof RangeError);
      const settled = [];
      for await (const one of pool.imapSettled(refuseOdd, range(6), { chunkSize: 4 }))
        settled.push(one.status);
      assert.deepEqual(
        settled,
        range(6).map((x) => (x % 2 === 1 ? 'rejected' : 'fulfilled')),
      );
    },
  );

  clusterTest('each item has an index in its run and a key that names it in all attempts', async (queue) => {
    await workerOn(queue, { key });
    const pool = poolOn(queue, { key });
    const door = new URL('../../src/index.js', import.meta.url).href;
    const tell = async (url: string): Promise<unknown[]> => {
      const { index, attempt, idempotencyKey } = (
        (await import(url)) as { currentTask: typeof currentTask }
      ).currentTask();
      return [index, attempt, idempotencyKey];
    };
    const told = await pool.map(tell, [door, door, door], { runId: 'telling', chunkSize: 2 });
    assert.deepEqual(
      told,
      range(3).map((at) => [at, 1, `telling-${at}`]),
    );
    const [index, , name] = await pool.apply(tell, [door]);
    assert.equal(index, 0);
    assert.match(String(name), /^calls-.*-0-0$/);
  });

  clusterTest(
    'exactly the item that kills its process fails, and with retries it is tried again',
    async (queue) => {
      await workerOn(queue);
      const pool = poolOn(queue);
      const settled = [];
      for await (const one of pool.imapSettled(die, range(6), { chunkSize: 6 })) settled.push(one);
      const failed = settled.filter(({ status }) => status === 'rejected');
      assert.deepEqual(
        failed.map(({ index }) => index),
        [3],
      );
      const [first] = failed;
      assert.ok(first?.status === 'rejected' && first.reason instanceof WorkerLostError);
      assert.equal(first.reason.signal, 'SIGKILL');
      const patient = poolOn(queue, { retries: 5, poisonAfter: 2 });
      const error = await failureOf(patient.map(die, range(6)));
      assert.ok(error instanceof BrokenError);
      assert.equal(error.code, 'ERR_FURCA_POISONED');
    },
  );

  clusterTest(
    'taskTimeoutMs stops an item, timeoutMs a call, a signal both, and the worker is free again',
    async (queue) => {
      const worker = await workerOn(queue);
      const hasty = poolOn(queue, { taskTimeoutMs: 100 });
      assert.equal((await failureOf(hasty.apply(never))).code, 'ERR_FURCA_TASK_TIMEOUT');
      const pool = poolOn(queue);
      assert.equal((await failureOf(pool.apply(never, [], { timeoutMs: 300 }))).code, 'ERR_FURCA_DEADLINE');
      assert.equal((await failureOf(pool.map(never, [1], { timeoutMs: 300 }))).code, 'ERR_FURCA_DEADLINE');
      const controller = new AbortController();
      const aborted = failureOf(pool.apply(never, [], { signal: controller.signal }));
      controller.abort(new Error('enough'));
      assert.equal((await aborted).message, 'enough');
      assert.equal(await pool.apply(triple, [1]), 3);
      await eventually('nothing runs any more', () => worker.stats().active === 0);
    },
  );

  clusterTest('large results arrive whole, and nothing of a run is left in the engine', async (queue) => {
    await workerOn(queue);
    const pool = poolOn(queue);
    const sizes = [10, 70_000, 3_000_000];
    const results = await pool.map(bulk, sizes);
    assert.deepEqual(
      results.map(({ length }) => length),
      sizes,
    );
    assert.ok(results.every((bytes) => bytes.every((byte) => byte === 7)));
    for await (const bytes of pool.imap(bulk, sizes)) assert.equal(bytes[0], 7);
    await pool.close();
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.port, '127.0.0.1', {});
    try {
      assert.deepEqual(await client.keys(`{furca:${queue}}:run:*`), []);
    } finally {
      client.disconnect();
    }
  });

  clusterTest(
    'an endless input is read only as far as results are taken, and progress is told',
    async (queue) => {
      await workerOn(queue);
      const pool = poolOn(queue);
      let read = 0;
      function* endless(): Generator<number> {
        for (;;) yield read++;
      }
      const results = pool.imap(triple, endless(), { bufferItems: 100 });
      for (const at of range(500)) {
        assert.equal((await results.next()).value, at * 3);
        assert.ok(read <= at + 1 + 100, `${read} were read when ${at + 1} had been taken`);
      }
      await results.return?.();
      const feed = new ProgressFeed();
      const mapped = pool.map(triple, range(100), { progress: feed });
      let done = 0;
      for await (const snapshot of feed) done = snapshot.done;
      assert.equal(done, 100);
      assert.equal((await mapped).length, 100);
    },
  );

  clusterTest('work that requires a tag goes to a worker that has it', async (queue) => {
    const plain = await workerOn(queue);
    const pool = poolOn(queue, { requires: ['gpu'] });
    const waiting = pool.map(triple, range(5));
    await poolOn(queue).map(triple, range(5));
    assert.equal(pool.stats().completed, 0);
    const able = await workerOn(queue, { tags: ['big', 'gpu'] });
    assert.deepEqual(await waiting, range(5).map(triple));
    // Each counts what it has run a moment after it was delivered.
    await eventually('both have counted', () => able.stats().items === 5 && plain.stats().items === 5);
  });

  clusterTest('larger priority goes first', async (queue) => {
    const pool = poolOn(queue);
    const ended: string[] = [];
    const calls = (['low', 'high'] as const).map((name, at) =>
      pool.apply(triple, [1], { priority: at }).then(() => ended.push(name)),
    );
    await eventually('both are submitted', () => pool.stats().pending === 2);
    // Handed to the engine, too: a third call's answer would come behind them.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await workerOn(queue);
    await Promise.all(calls);
    assert.deepEqual(ended, ['high', 'low']);
  });

  clusterTest(
    'what a dead caller had not taken is streamed to who reattaches, and a run has one name',
    async (queue) => {
      const program = fileURLToPath(new URL('../fixtures/cluster-caller.js', import.meta.url));
      const caller = spawn(process.execPath, [program, redis.url, queue], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = once(caller, 'close');
      await once(caller.stdout, 'data');
      const pool = poolOn(queue);
      const same = await failureOf(pool.map(slowly, [1], { runId: 'nightly' }));
      assert.equal(same.code, 'ERR_FURCA_NAME_TAKEN');
      caller.kill('SIGKILL');
      await gone;
      await workerOn(queue);
      const got = new Map<number, number>();
      for await (const one of pool.reattach<number>('nightly')) {
        assert.ok(one.status === 'fulfilled' && !got.has(one.index));
        got.set(one.index, one.value);
      }
      assert.deepEqual(
        [...got.keys()].sort((a, b) => a - b),
        range(12),
      );
      for (const [index, value] of got) assert.equal(value, index * 2);
      const error = await failureOf(pool.reattach('nightly').next());
      assert.equal(error.code, 'ERR_FURCA_NAME_UNKNOWN');
    },
  );

  clusterTest(
    'chunks that were lost with their caller end the stream of who reattaches with an error',
    async (queue) => {
      const { Redis } = await import('ioredis');
      const client = new Redis(redis.port, '127.0.0.1', {});
      try {
        // As a caller leaves it that dies between its note and the engine's queue.
        await client.hset(`{furca:${queue}}:run:lost`, { caller: 'dead', chunks: 2, submitted: 8, total: 8 });
        const error = await failureOf(poolOn(queue).reattach('lost').next());
        assert.equal(error.code, 'ERR_FURCA_BROKEN');
        assert.match(error.message, /2 of its chunks were lost/);
      } finally {
        client.disconnect();
      }
    },
  );

  clusterTest('a closed pool finishes, a terminated one gives up, both take nothing more', async (queue) => {
    await workerOn(queue);
    const closing = poolOn(queue);
    const last = closing.map(triple, range(10));
    await closing.close();
    assert.deepEqual(await last, range(10).map(triple));
    assert.equal((await failureOf(closing.apply(triple, [1]))).code, 'ERR_FURCA_CLOSED');
    const ending = poolOn(queue);
    const given = failureOf(ending.apply(never));
    await ending.terminate();
    assert.equal((await given).code, 'ERR_FURCA_TERMINATED');
    assert.ok(FurcaError.is(await given));
  });
});

test('options that make no sense are refused before anything happens', () => {
  const right = { connection: 'redis://127.0.0.1:1', queue: 'q', app };
  const wrong: Partial<Record<keyof ClusterPoolOptions, unknown>>[] = [
    { connection: 'http://x' },
    { queue: 'a b' },
    { queue: '' },
    { app: '/no/such/folder' },
    { key: 'short' },
    { retries: -1 },
    { taskTimeoutMs: 0 },
    { poisonAfter: 0 },
    { requires: ['a:b'] },
  ];
  for (const one of wrong) {
    assert.throws(
      () => new ClusterPool({ ...right, ...one } as ClusterPoolOptions),
      { code: 'ERR_FURCA_INVALID_ARGUMENT' },
      JSON.stringify(one),
    );
  }
});
