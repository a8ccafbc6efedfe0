import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FurcaError, ProgressFeed } from '../../src/index.js';
import { bulk, never, slowly, triple } from '../fixtures/cluster-tasks.js';
import { failureOf, range } from '../fixtures/pool-outcomes.js';
import { TestCluster } from '../harness/cluster.js';
import { eventually } from '../harness/watchdog.js';

TestCluster.describe('runs of a cluster', (cluster) => {
  cluster.test('large results arrive whole, and nothing of a run is left in the engine', async (queue) => {
    await cluster.worker(queue);
    const pool = cluster.pool(queue);
    const sizes = [10, 70_000, 3_000_000];
    const results = await pool.map(bulk, sizes);
    assert.deepEqual(
      results.map(({ length }) => length),
      sizes,
    );
    assert.ok(results.every((bytes) => bytes.every((byte) => byte === 7)));
    for await (const bytes of pool.imap(bulk, sizes)) assert.equal(bytes[0], 7);
    await pool.close();
    assert.deepEqual(await cluster.inEngine((client) => client.keys(`{furca:${queue}}:run:*`)), []);
  });

  cluster.test(
    'an endless input is read only as far as results are taken, and progress is told',
    async (queue) => {
      await cluster.worker(queue);
      const pool = cluster.pool(queue);
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

  cluster.test('work that requires a tag goes to a worker that has it', async (queue) => {
    const plain = await cluster.worker(queue);
    const pool = cluster.pool(queue, { requires: ['gpu'] });
    const waiting = pool.map(triple, range(5));
    await cluster.pool(queue).map(triple, range(5));
    assert.equal(pool.stats().completed, 0);
    const able = await cluster.worker(queue, { tags: ['big', 'gpu'] });
    assert.deepEqual(await waiting, range(5).map(triple));
    // Each counts what it has run a moment after it was delivered.
    await eventually('both have counted', () => able.stats().items === 5 && plain.stats().items === 5);
  });

  cluster.test('larger priority goes first', async (queue) => {
    const pool = cluster.pool(queue);
    const ended: string[] = [];
    const calls = (['low', 'high'] as const).map((name, at) =>
      pool.apply(triple, [1], { priority: at }).then(() => ended.push(name)),
    );
    await cluster.handedOver(queue, 2);
    await cluster.worker(queue);
    await Promise.all(calls);
    assert.deepEqual(ended, ['high', 'low']);
  });

  cluster.test(
    'what a dead caller had not taken is streamed to who reattaches, and a run has one name',
    async (queue) => {
      const program = fileURLToPath(new URL('../fixtures/cluster-caller.js', import.meta.url));
      const caller = spawn(process.execPath, [program, cluster.url, queue], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const gone = once(caller, 'close');
      await cluster.handedOver(queue, 3);
      // What it has noted, without which the end of the run would not be known.
      await cluster.inEngine((client) =>
        eventually('all of the input was noted', async () => {
          const { chunks, submitted, total } = await client.hgetall(`{furca:${queue}}:run:nightly`);
          return chunks === '3' && submitted === '12' && total === '12';
        }),
      );
      const pool = cluster.pool(queue);
      const same = await failureOf(pool.map(slowly, [1], { runId: 'nightly' }));
      assert.equal(same.code, 'ERR_FURCA_NAME_TAKEN');
      caller.kill('SIGKILL');
      await gone;
      await cluster.worker(queue);
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

  cluster.test(
    'chunks that were lost with their caller end the stream of who reattaches with an error',
    async (queue) => {
      // As a caller leaves it that dies between its note and the engine's queue.
      const left = { caller: 'dead', chunks: 2, submitted: 8, total: 8 };
      await cluster.inEngine((client) => client.hset(`{furca:${queue}}:run:lost`, left));
      const error = await failureOf(cluster.pool(queue).reattach('lost').next());
      assert.equal(error.code, 'ERR_FURCA_BROKEN');
      assert.match(error.message, /2 of its chunks were lost/);
    },
  );

  cluster.test('a closed pool finishes, a terminated one gives up, both take nothing more', async (queue) => {
    await cluster.worker(queue);
    const closing = cluster.pool(queue);
    const last = closing.map(triple, range(10));
    await closing.close();
    assert.deepEqual(await last, range(10).map(triple));
    assert.equal((await failureOf(closing.apply(triple, [1]))).code, 'ERR_FURCA_CLOSED');
    const left = cluster.pool(queue);
    const results = left.imap(triple, range(4));
    assert.equal((await results.next()).value, 0);
    await left.close();
    for (const at of range(3)) assert.equal((await results.next()).value, (at + 1) * 3);
    assert.equal((await results.next()).done, true);
    const ending = cluster.pool(queue);
    const given = failureOf(ending.apply(never));
    await ending.terminate();
    assert.equal((await given).code, 'ERR_FURCA_TERMINATED');
    assert.ok(FurcaError.is(await given));
  });
});
