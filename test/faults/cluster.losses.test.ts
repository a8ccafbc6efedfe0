import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterPool } from '../../src/cluster.js';
import { slowly } from '../fixtures/cluster-tasks.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';

const app = fileURLToPath(new URL('..', import.meta.url));
const program = fileURLToPath(new URL('../fixtures/cluster-worker.js', import.meta.url));
const ITEMS = 600;

describe('losses of a cluster', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  const workers = new Set<ChildProcess>();
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await redis?.stop();
  });

  async function startWorker(queue: string): Promise<ChildProcess> {
    const worker = spawn(process.execPath, [program, redis.url, queue], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    workers.add(worker);
    worker.once('close', () => workers.delete(worker));
    await once(worker.stdout, 'data');
    return worker;
  }

  async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const ended = once(worker, 'close');
    worker.kill(signal);
    await ended;
  }

  test('a worker that is killed, an engine that is killed and one that stands still lose nothing; each result is delivered once, in order', {
    timeout: 110_000,
  }, async () => {
    const queue = 'losses';
    const pool = new ClusterPool({ connection: redis.url, queue, app });
    const first = await startWorker(queue);
    const second = await startWorker(queue);
    const results = pool.imap(
      slowly,
      Array.from({ length: ITEMS }, (_, at) => at),
      { chunkSize: 10 },
    );
    let taken = 0;
    const take = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const { value } = await results.next();
        assert.equal(value, taken * 2);
        taken += 1;
      }
    };
    try {
      await take(100);
      await end(first, 'SIGKILL');
      await take(100);
      await redis.kill();
      await redis.run();
      await take(100);
      const third = await startWorker(queue);
      process.kill(redis.serverPid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      process.kill(redis.serverPid, 'SIGCONT');
      await take(ITEMS - taken);
      assert.equal((await results.next()).done, true);
      await end(third, 'SIGTERM');
      assert.equal(third.exitCode, 0);
      await end(second, 'SIGTERM');
    } finally {
      await pool.terminate();
    }
  });
});
