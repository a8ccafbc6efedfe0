import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type StartMethod, TimeoutError, Value } from '../../src/index.js';
import { age, watchLooks } from '../fixtures/pool-clock.js';
import { makePool } from '../fixtures/pool-made.js';
import { failureOf, range } from '../fixtures/pool-outcomes.js';
import { assertRecovered, withPool } from './pool-fault-cases.js';
import { faults, GUILTY, LIMIT_MS } from './pool-faults.js';

const methods: readonly StartMethod[] = ['forkserver', 'spawn'];

for (const startMethod of methods) {
  test(`${startMethod}: a worker that runs out of heap memory rejects its task with SIGABRT, and the next task works`, {
    timeout: 100_000,
  }, () => {
    const program = fileURLToPath(new URL('../fixtures/pool-out-of-memory.js', import.meta.url));
    const args = ['--max-old-space-size=40', '--max-semi-space-size=1', program, startMethod];
    const run = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 90_000,
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    assert.deepEqual([run.status, run.stdout], [0, 'ERR_FURCA_WORKER_LOST -6 SIGABRT 49\n'], run.stderr);
  });
}

test('an item that runs too long is run again as often as retries says, then rejects with ERR_FURCA_TASK_TIMEOUT', {
  timeout: 100_000,
}, async () => {
  await withPool('forkserver', { taskTimeoutMs: LIMIT_MS, retries: 2 }, async (pool) => {
    const error = await failureOf(pool.apply(faults['hangs'] as (x: number) => unknown, [GUILTY]));
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.code, 'ERR_FURCA_TASK_TIMEOUT');
    assert.equal(pool.stats().lost, 3);
    await assertRecovered(pool);
  });
});

test('taskTimeoutMs counts from the start of each item: many short ones in a chunk may take longer together', {
  timeout: 100_000,
}, async (t) => {
  const pool = makePool(t, 1, { taskTimeoutMs: LIMIT_MS });
  const looks = new Value('int32', 0, { lock: false });
  const itemMs = 0.6 * LIMIT_MS;
  /** Takes more than half of the time it may take, and lets the pool see that. */
  const work = (x: number): number => {
    age(itemMs);
    const seen = looks.value;
    while (looks.value === seen);
    return x;
  };
  t.after(watchLooks(() => looks.add(1)));
  assert.deepEqual(await pool.map(work, range(6), { chunkSize: 6 }), range(6));
  assert.ok(looks.value >= 6);
  assert.equal(pool.stats().lost, 0);
});
