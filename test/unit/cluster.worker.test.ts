import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterPool } from '../../src/cluster.js';
import { triple, waitFor } from '../fixtures/cluster-tasks.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { eventually } from '../harness/watchdog.js';

const app = fileURLToPath(new URL('..', import.meta.url));
const command = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

test('furca worker says what is wrong with its options, and begins nothing', { timeout: 110_000 }, () => {
  for (const [args, message] of [
    [['--broker', 'http://x', '--queue', 'q', '--app', app], /connection must be a URL/],
    [['--broker', 'redis://127.0.0.1:1', '--queue', 'a b', '--app', app], /queue must be a name/],
    [['--broker', 'redis://127.0.0.1:1', '--queue', 'q', '--app', '/no/such'], /app must be a folder/],
    [
      ['--broker', 'redis://127.0.0.1:1', '--queue', 'q', '--app', app, '--key-file', '/no/such'],
      /key cannot be read/,
    ],
    [['--queue', 'q', '--app', app], /broker/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [command, 'worker', ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

describe('furca worker', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  const folder = mkdtempSync(join(tmpdir(), 'furca-worker-'));
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true });
  });

  test('runs work, tells of its health and metrics, and finishes what it has on SIGTERM', {
    timeout: 100_000,
  }, async () => {
    const key = 'a key for tests alone';
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, `${key}\n`);
    const args = ['--broker', redis.url, '--queue', 'one,two', '--app', app, '--jobs', '1', '--http', '0'];
    const worker = spawn(
      process.execPath,
      [command, 'worker', ...args, '--key-file', keyFile, '--tags', 'big'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const ended = once(worker, 'close');
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      worker.stderr.on('data', (data: Buffer) => {
        said += data.toString();
        const found = /health and metrics at (\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      worker.once('close', () => reject(new Error(said)));
    });
    const common = { connection: redis.url, app, key };
    const one = new ClusterPool({ ...common, queue: 'one' });
    const two = new ClusterPool({ ...common, queue: 'two', requires: ['big'] });
    try {
      assert.deepEqual(await one.map(triple, [1, 2, 3]), [3, 6, 9]);
      assert.equal(await two.apply(triple, [5]), 15);
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      assert.equal((await fetch(`${url}/else`)).status, 404);
      let metrics = '';
      await eventually('what was run is counted', async () => {
        metrics = await (await fetch(`${url}/metrics`)).text();
        return /^furca_worker_items_total 4$/m.test(metrics);
      });
      assert.match(metrics, /^# TYPE furca_worker_active_chunks gauge$/m);
      const gate = join(folder, 'gate');
      const last = one.starmap(waitFor, Array(4).fill([gate]), { chunkSize: 2 });
      await eventually('it has both chunks, one to run and one that waits', async () =>
        /^furca_worker_active_chunks 2$/m.test(await (await fetch(`${url}/metrics`)).text()),
      );
      worker.kill('SIGTERM');
      await eventually('it takes no more', () => said.includes('SIGTERM'));
      writeFileSync(gate, '');
      assert.deepEqual(await last, [gate, gate, gate, gate]);
      const [code] = await ended;
      assert.equal(code, 0, said);
    } finally {
      worker.kill('SIGKILL');
      await one.terminate();
      await two.terminate();
    }
  });
});
