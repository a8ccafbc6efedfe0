import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterPool, type ClusterPoolOptions } from '../../src/cluster.js';
import { BrokenError, type currentTask, registerError, WorkerLostError } from '../../src/index.js';
import { add, die, never, refuseOdd, triple } from '../fixtures/cluster-tasks.js';
import { failureOf, range } from '../fixtures/pool-outcomes.js';
import { app, key, TestCluster } from '../harness/cluster.js';
import { eventually } from '../harness/watchdog.js';

TestCluster.describe('cluster pool', (cluster) => {
  cluster.test('functions travel by reference without a key; by value they need one', async (queue) => {
    await cluster.worker(queue);
    const pool = cluster.pool(queue);
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

  cluster.test(
    'errors come as classes that the caller knows, the others as the nearest of them',
    async (queue) => {
      class Known extends Error {}
      registerError(Known, 'test:Known');
      await cluster.worker(queue, { key });
      const pool = cluster.pool(queue, { key });
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

  cluster.test('each item has an index in its run and a key that names it in all attempts', async (queue) => {
    await cluster.worker(queue, { key });
    const pool = cluster.pool(queue, { key });
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

  cluster.test(
    'exactly the item that kills its process fails, and with retries it is tried again',
    async (queue) => {
      await cluster.worker(queue);
      const pool = cluster.pool(queue);
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
      const patient = cluster.pool(queue, { retries: 5, poisonAfter: 2 });
      const error = await failureOf(patient.map(die, range(6)));
      assert.ok(error instanceof BrokenError);
      assert.equal(error.code, 'ERR_FURCA_POISONED');
    },
  );

  cluster.test(
    'taskTimeoutMs stops an item, timeoutMs a call, a signal both, and the worker is free again',
    async (queue) => {
      const worker = await cluster.worker(queue);
      const hasty = cluster.pool(queue, { taskTimeoutMs: 100 });
      assert.equal((await failureOf(hasty.apply(never))).code, 'ERR_FURCA_TASK_TIMEOUT');
      const pool = cluster.pool(queue);
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

  cluster.test(
    'retries and taskTimeoutMs of a call are its own, and calls of one worker share its processes',
    async (queue) => {
      const worker = await cluster.worker(queue, { key });
      const pool = cluster.pool(queue, { key, retries: 1, taskTimeoutMs: 60_000 });
      const pids = new Set([await pool.apply(() => process.pid, [])]);
      assert.deepEqual([...pids], worker.stats().pids);
      pids.add(await pool.apply(() => process.pid, [], { retries: 3, taskTimeoutMs: 50_000 }));
      assert.equal(pids.size, 1);
      const late = await failureOf(pool.apply(never, [], { taskTimeoutMs: 100 }));
      assert.equal(late.code, 'ERR_FURCA_TASK_TIMEOUT');
      assert.equal(late.timeoutMs, 100);
      const lost = await failureOf(pool.map(die, range(6), { retries: 0 }));
      assert.ok(lost instanceof WorkerLostError);
      assert.equal(lost.attempts, 1);
      const again = await failureOf(pool.map(die, range(6)));
      assert.ok(again instanceof WorkerLostError);
      assert.equal(again.attempts, 2);
    },
  );

  cluster.test('a worker that finishes what it has stops what is wanted no more', async (queue) => {
    const worker = await cluster.worker(queue);
    const pool = cluster.pool(queue);
    const controller = new AbortController();
    const given = failureOf(pool.apply(never, [], { signal: controller.signal }));
    await eventually('it runs', () => worker.stats().active === 1);
    const closing = worker.close();
    controller.abort(new Error('enough'));
    assert.equal((await given).message, 'enough');
    await closing;
    assert.equal(worker.stats().unwanted, 1);
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
