import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  getContext,
  type Pool,
  type PoolOptions,
  type StartMethod,
  TimeoutError,
  WorkerLostError,
} from '../../src/index.js';
import {
  type Failure,
  failureOf,
  isGone,
  killed,
  outcomesOf,
  processState,
  range,
  until,
} from '../fixtures/pool-outcomes.js';
import { faults } from './pool-faults.js';

type Fields = Partial<Record<keyof Failure, unknown>>;

interface Expected {
  readonly fields: Fields;
  readonly isLost: boolean;
  readonly options?: PoolOptions;
}

const lost = (exitCode: number, signal: string | null): Expected => ({
  fields: { name: 'WorkerLostError', code: 'ERR_FURCA_WORKER_LOST', exitCode, signal, attempts: 1 },
  isLost: true,
});
const tooLong: Expected = {
  fields: { name: 'TimeoutError', code: 'ERR_FURCA_TASK_TIMEOUT', timeoutMs: 500 },
  isLost: true,
  options: { taskTimeoutMs: 500 },
};
const notSendable: Expected = {
  fields: { name: 'NotSendableError', code: 'ERR_FURCA_NOT_SENDABLE' },
  isLost: false,
};

const expected: Readonly<Record<string, Expected>> = {
  throws: { fields: { name: 'RangeError', code: 'E_FIVE', message: 'item five' }, isLost: false },
  exits: lost(3, null),
  'exits while it awaits': lost(3, null),
  'is killed': lost(-9, 'SIGKILL'),
  'is killed while it awaits': lost(-9, 'SIGKILL'),
  'stops and is then killed': lost(-9, 'SIGKILL'),
  aborts: lost(-6, 'SIGABRT'),
  hangs: tooLong,
  'awaits for ever': tooLong,
  // A forked worker sees that nothing can wake it; a spawned one is told the same way.
  'awaits what nothing can settle': lost(13, null),
  'returns what cannot be sent': notSendable,
  'throws what cannot be sent': notSendable,
};

const GUILTY = 5;
const ITEMS = range(12);

type Way = (pool: Pool, fn: (x: number) => unknown) => Promise<PromiseSettledResult<unknown>[]>;

const ways: Readonly<Record<string, Way>> = {
  apply: (pool, fn) => Promise.allSettled(ITEMS.map((x) => pool.apply(fn, [x]))),
  'imap, chunks of 1,': (pool, fn) => outcomesOf(pool.imap(fn, ITEMS, { chunkSize: 1 })),
  'imap, chunks of 12,': (pool, fn) => outcomesOf(pool.imap(fn, ITEMS, { chunkSize: 12 })),
  imapUnordered: (pool, fn) => outcomesOf(pool.imapUnordered(fn, ITEMS, { chunkSize: 3 })),
};

/** Kills whatever worker of the pool has stopped itself, until told to end. */
function killStopped(pool: Pool): { end(): Promise<void> } {
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      for (const pid of pool.stats().pids) if (processState(pid) === 'T') killed(pid);
      await turn();
    }
  })();
  return {
    end() {
      isOver = true;
      return done;
    },
  };
}

async function withPool(
  startMethod: StartMethod,
  options: PoolOptions,
  body: (pool: Pool) => Promise<void>,
): Promise<void> {
  const pool = new (getContext(startMethod).Pool)(2, options);
  const killer = killStopped(pool);
  try {
    await body(pool);
  } finally {
    await killer.end();
    const { pids } = pool.stats();
    await pool.terminate();
    await until(() => pids.every(isGone));
  }
}

function assertFailure(error: Failure, fields: Fields, startMethod: StartMethod): void {
  const seen = Object.fromEntries(Object.keys(fields).map((key) => [key, error[key as keyof Failure]]));
  assert.deepEqual(seen, fields, error.stack ?? String(error));
  if (!(error instanceof WorkerLostError)) return;
  assert.ok(Number.isInteger(error.pid) && error.pid > 1);
  assert.ok(isGone(error.pid));
  assert.ok(Number.isInteger(error.taskId));
  assert.equal(error.startMethod, startMethod);
}

/** The pool is as before: at its size, nothing left over, and it works. */
async function assertRecovered(pool: Pool): Promise<void> {
  assert.deepEqual(
    await pool.map((x: number) => x + 1, range(30)),
    range(30).map((x) => x + 1),
  );
  await until(() => pool.stats().pids.length === 2 && pool.stats().running === 0);
  const { workers, pids, queued } = pool.stats();
  assert.deepEqual({ workers, queued }, { workers: 2, queued: 0 });
  assert.ok(pids.every((pid) => !isGone(pid)));
}

const methods: readonly StartMethod[] = ['forkserver', 'spawn'];

/** Starting a worker by spawn takes long; so it gets one fault of each kind. */
const SPAWNED: readonly string[] = [
  'throws',
  'exits',
  'is killed',
  'awaits for ever',
  'awaits what nothing can settle',
];

for (const startMethod of methods) {
  for (const [name, fn] of Object.entries(faults)) {
    if (startMethod === 'spawn' && !SPAWNED.includes(name)) continue;
    const { fields, isLost, options = {} } = expected[name] as Expected;
    test(`${startMethod}: a task that ${name} fails alone, by apply, imap and imapUnordered, and the pool goes on`, {
      timeout: 20_000,
    }, async () => {
      await withPool(startMethod, options, async (pool) => {
        for (const [way, run] of Object.entries(ways)) {
          const before = pool.stats();
          const outcomes = await run(pool, fn);
          const failed = outcomes.filter((one) => one.status === 'rejected');
          assert.equal(failed.length, 1, `${way}: ${failed.map(({ reason }) => String(reason)).join('; ')}`);
          assertFailure(failed[0]?.reason as Failure, fields, startMethod);
          const values = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value as number] : []));
          assert.deepEqual(
            values.sort((a, b) => a - b),
            ITEMS.filter((x) => x !== GUILTY).map((x) => x * 2),
            way,
          );
          if (way !== 'imapUnordered') assert.equal(outcomes[GUILTY]?.status, 'rejected', way);
          await assertRecovered(pool);
          assert.equal(pool.stats().lost - before.lost, isLost ? 1 : 0, way);
        }
      });
    });

    test(`${startMethod}: a map with a task that ${name} rejects, and the pool goes on`, {
      timeout: 20_000,
    }, async () => {
      await withPool(startMethod, options, async (pool) => {
        for (const chunkSize of [1, 12]) {
          assertFailure(await failureOf(pool.map(fn, ITEMS, { chunkSize })), fields, startMethod);
          await assertRecovered(pool);
        }
      });
    });
  }
}

test('a worker that runs out of heap memory rejects its task with SIGABRT, and the next task works', {
  timeout: 60_000,
}, async () => {
  const { spawnSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const program = fileURLToPath(new URL('../fixtures/pool-out-of-memory.js', import.meta.url));
  for (const startMethod of methods) {
    const args = ['--max-old-space-size=40', '--max-semi-space-size=1', program, startMethod];
    const run = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 50_000,
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    assert.deepEqual([run.status, run.stdout], [0, 'ERR_FURCA_WORKER_LOST -6 SIGABRT 49\n'], run.stderr);
  }
});

test('an item that runs too long is run again as often as retries says, then rejects with ERR_FURCA_TASK_TIMEOUT', {
  timeout: 20_000,
}, async () => {
  await withPool('forkserver', { taskTimeoutMs: 60, retries: 2 }, async (pool) => {
    const error = await failureOf(pool.apply(faults['hangs'] as (x: number) => unknown, [GUILTY]));
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.code, 'ERR_FURCA_TASK_TIMEOUT');
    assert.equal(pool.stats().lost, 3);
    await assertRecovered(pool);
  });
});

test('taskTimeoutMs counts from the start of each item: many short ones in a chunk may take longer together', {
  timeout: 20_000,
}, async () => {
  await withPool('forkserver', { taskTimeoutMs: 400 }, async (pool) => {
    const wait = async (ms: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ms;
    };
    assert.deepEqual(await pool.map(wait, range(20).fill(40), { chunkSize: 20 }), range(20).fill(40));
    assert.equal(pool.stats().lost, 0);
  });
});
