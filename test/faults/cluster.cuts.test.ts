import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterPool, ClusterQueue, ClusterWorker } from '../../src/cluster.js';
import { triple } from '../fixtures/cluster-tasks.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { TcpProxy } from '../harness/tcp-proxy.js';

const app = fileURLToPath(new URL('..', import.meta.url));

describe('cuts between a cluster and its engine', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  before(async () => {
    redis = await TestRedis.start();
    proxy = await TcpProxy.to(redis.port);
  });
  after(async () => {
    await proxy?.close();
    await redis?.stop();
  });

  /** Breaks the connection once, right behind the first bytes of the engine that are these. */
  function cutBehind(text: string): { readonly isDone: boolean } {
    const state = { isDone: false };
    proxy.cut = (bytes) => {
      const at = bytes.indexOf(text);
      if (state.isDone || at === -1) return undefined;
      state.isDone = true;
      return at + text.length;
    };
    return state;
  }

  test('a cut between the answers to chunks that were handed over together loses none of them', {
    timeout: 100_000,
  }, async () => {
    const pool = new ClusterPool({ connection: `redis://127.0.0.1:${proxy.port}`, queue: 'cut', app });
    // The engine answers with the name of each job: the first is heard, the others are not.
    const cut = cutBehind('$7\r\ncut-0-1\r\n');
    const worker = new ClusterWorker({ connection: redis.url, queue: 'cut', app, jobs: 1 });
    try {
      const results = pool.map(triple, [1, 2, 3, 4], { runId: 'cut', chunkSize: 1 });
      await worker.start();
      assert.deepEqual(await results, [3, 6, 9, 12]);
      assert.ok(cut.isDone);
      assert.equal(worker.stats().items, 4);
    } finally {
      await pool.terminate();
      await worker.close();
    }
  });

  test('an item is acknowledged although the connection broke in the middle of the answer', {
    timeout: 100_000,
  }, async () => {
    await using queue = new ClusterQueue<string>({
      connection: `redis://127.0.0.1:${proxy.port}`,
      name: 'acknowledged',
    });
    await queue.put('once');
    const item = await queue.get();
    const cut = cutBehind('+QUEUED\r\n');
    await queue.ack(item);
    assert.ok(cut.isDone);
    assert.deepEqual(await queue.stats(), { waiting: 0, unacknowledged: 0 });
  });
});
