import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  getContext,
  type Pool,
  type PoolOptions,
  type StartMethod,
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
import { faults, GUILTY, LIMIT_MS } from './pool-faults.js';

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
  fields: { name: 'TimeoutError', code: 'ERR_FURCA_TASK_TIMEOUT', timeoutMs: LIMIT_MS },
  isLost: true,
  options: { taskTimeoutMs: LIMIT_MS },
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

/** Runs `body` with a pool in which workers that stop themselves are killed. */
export async function withPool(
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
export async function assertRecovered(pool: Pool): Promise<void> {
  assert.deepEqual(
    await pool.map((x: number) => x + 1, range(30)),
    range(30).map((x) => x + 1),
  );
  await until(() => pool.stats().pids.length === 2 && pool.stats().running === 0);
  const { workers, pids, queued } = pool.stats();
  assert.deepEqual({ workers, queued }, { workers: 2, queued: 0 });
  assert.ok(pids.every((pid) => !isGone(pid)));
}

/** Tests a fault in every kind of call. */
export function testFault(startMethod: StartMethod, name: string): void {
  const fn = faults[name] as (x: number) => unknown;
  const { fields, isLost, options = {} } = expected[name] as Expected;
  test(`${startMethod}: a task that ${name} fails alone, by apply, imap and imapUnordered, and the pool goes on`, {
    timeout: 100_000,
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
    timeout: 100_000,
  }, async () => {
    await withPool(startMethod, options, async (pool) => {
      for (const chunkSize of [1, 12]) {
        assertFailure(await failureOf(pool.map(fn, ITEMS, { chunkSize })), fields, startMethod);
        await assertRecovered(pool);
      }
    });
  });
}
