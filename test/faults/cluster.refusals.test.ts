import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterPool, ClusterWorker } from '../../src/cluster.js';
import { encode } from '../../src/wire/codec.js';
import { triple } from '../fixtures/cluster-tasks.js';
import { Forger } from '../harness/cluster-forgery.js';
import { mutated, SEED, seeded } from '../harness/random.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { eventually } from '../harness/watchdog.js';

const app = fileURLToPath(new URL('..', import.meta.url));
const key = 'a key for tests alone';
const MUTATED = 300;

function refusals(worker: ClusterWorker): number {
  return Object.values(worker.stats().refused).reduce((a, b) => a + b, 0);
}

describe('what a worker refuses', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    await redis?.stop();
  });

  test('unsigned, wrongly signed, tampered, replayed, oversized and malformed jobs are refused, counted by reason, and it serves on', {
    timeout: 100_000,
  }, async () => {
    const queue = 'forged';
    const common = { connection: redis.url, queue, app, key };
    const worker = new ClusterWorker({ ...common, jobs: 1, maxJobBytes: 100_000 });
    await worker.start();
    const pool = new ClusterPool(common);
    const forger = new Forger(redis.port, queue);
    try {
      assert.equal(await pool.apply(triple, [1]), 3);
      const envelope = forger.envelope();
      await forger.addSealed({ ...envelope, chunk: 1 }, undefined);
      await forger.addSealed({ ...envelope, chunk: 2 }, 'another key, as long');
      const tampered = forger.sealed({ ...envelope, chunk: 3 }, key);
      tampered[tampered.length - 1] = (tampered.at(-1) as number) ^ 1;
      await forger.add({ e: tampered.toString('base64') }, 'forged-3-1');
      await forger.addSealed({ ...envelope, chunk: 4 }, key, 'other-4-1');
      await forger.add({ e: 'A'.repeat(200_000) }, 'forged-5-1');
      for (const data of [{}, { e: 5 }, { e: '' }, { e: '????' }, [], 'x']) await forger.add(data);
      await eventually('all are refused', () => refusals(worker) === 11);
      const { malformed, ...others } = worker.stats().refused;
      assert.deepEqual(others, { unsigned: 1, signature: 2, replayed: 1, oversized: 1 });
      assert.equal(malformed, 6);

      const good = forger.sealed({ ...envelope, run: 'mutated' }, key);
      const random = seeded(SEED);
      const jobs = Array.from({ length: MUTATED }, () => ({
        e: Buffer.from(mutated(good, random)).toString('base64'),
      }));
      await forger.addMany(jobs);
      await eventually('all mutated ones are refused', () => refusals(worker) === 11 + MUTATED, 60_000);
      await eventually('the first call is counted', () => worker.stats().items === 1);
      assert.deepEqual(await pool.map(triple, [1, 2]), [3, 6]);
    } finally {
      await forger.close();
      await pool.terminate();
      await worker.close();
    }
  });

  test('code that nobody signed is not compiled, and a name does not lead out of the app', {
    timeout: 100_000,
  }, async () => {
    const queue = 'unsigned';
    const worker = new ClusterWorker({ connection: redis.url, queue, app, jobs: 1 });
    const told: string[] = [];
    worker.on('refused', ({ reason }) => told.push(reason));
    await worker.start();
    const forger = new Forger(redis.port, queue);
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.port, '127.0.0.1', {});
    const unit = {
      kind: 'code',
      id: 'x',
      source: '() => { globalThis.evil = true; }',
      names: [],
      imports: [],
    };
    const codes = [
      [
        'value',
        [{ ...unit, strict: true, isClass: false, url: null, line: 0, column: 0 }],
        new Uint8Array([1]),
      ],
      ['reference', '../../package.json', '', 'default', [], false],
      ['reference', '/etc/passwd', '', 'default', [], false],
      ['reference', 'fixtures/cluster-tasks.js', '', 'triple', [], false],
      ['reference', 'fixtures/cluster-tasks.js', '', 'triple', ['constructor'], true],
      ['reference', 5],
      ['nothing'],
    ];
    try {
      const { digestOf } = await import('../../src/cluster/sealing.js');
      await client.hset(forger.names.run('forged'), 'caller', 'nobody');
      for (const [chunk, code] of codes.entries()) {
        const bytes = Buffer.from(encode(code));
        await client.set(forger.names.code(digestOf(bytes)), bytes);
        await forger.addSealed(forger.envelope({ chunk, codeId: digestOf(bytes) }), undefined);
      }
      await eventually('all are refused', () => told.length === codes.length);
      assert.deepEqual(told.sort(), [
        'build',
        'build',
        'build',
        'function',
        'malformed',
        'malformed',
        'unsigned',
      ]);
      assert.equal((globalThis as { evil?: boolean }).evil, undefined);
      assert.equal(worker.stats().items, 0);
    } finally {
      client.disconnect();
      await forger.close();
      await worker.close();
    }
  });

  test('callers and workers with different keys are told so, on both sides', {
    timeout: 100_000,
  }, async () => {
    const common = { connection: redis.url, queue: 'keys', app };
    const worker = new ClusterWorker({ ...common, jobs: 1, key });
    await worker.start();
    const pools = [new ClusterPool(common), new ClusterPool({ ...common, key: 'another key, as long' })];
    try {
      for (const pool of pools) {
        await assert.rejects(pool.apply(triple, [1]), { code: 'ERR_FURCA_AUTHENTICATION' });
        assert.equal(pool.stats().refused, 1);
      }
      await eventually('both are counted', () => refusals(worker) === 2);
      assert.deepEqual(worker.stats().refused, { unsigned: 1, signature: 1 });
    } finally {
      for (const pool of pools) await pool.terminate();
      await worker.close();
    }
  });

  test('a worker with another build refuses, and says which module differs', {
    timeout: 100_000,
  }, async () => {
    const common = { connection: redis.url, queue: 'builds', jobs: 1, key };
    const worker = new ClusterWorker({ ...common, app: fileURLToPath(new URL('.', import.meta.url)) });
    await worker.start();
    const pool = new ClusterPool({ ...common, app });
    try {
      await assert.rejects(pool.apply(triple, [1]), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_FURCA_REFUSED');
        assert.match(error.message, /no module fixtures\/cluster-tasks\.js/);
        return true;
      });
    } finally {
      await pool.terminate();
      await worker.close();
    }
  });
});
