import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool, ThreadPool, WorkerLostError } from '../../src/index.js';
import type { Fault } from '../fixtures/pool-commit-fault.js';
import { type Failure, failureOf, isGone, until } from '../fixtures/pool-outcomes.js';
import { assertNothingLeft, takeBaseline } from '../harness/leaks.js';
import { cellOf, type Kind, optionsOf, PHASES, type Phase, runCell } from './fault-table.js';

export const FAULTS: readonly Fault[] = [
  'throw',
  'exit',
  'SIGKILL',
  'SIGSTOP',
  'hang',
  'heap limit',
  'unsendable result',
  'unsendable error',
];
/** Time that a task may take which never ends by itself; a longer one finds more on a machine with much to do. */
const LIMIT_MS = Number(process.env['FURCA_FAULT_LIMIT_MS'] ?? 250);
/** The initializer of these has failed for good, and with it the pool. */
const ENDS_POOL: readonly Phase[] = ['initializer'];

async function assertFailure(guilty: Promise<unknown>, code: string, fields: object): Promise<void> {
  const error = await failureOf(guilty);
  const seen = Object.fromEntries(Object.keys(fields).map((key) => [key, error[key as keyof Failure]]));
  assert.deepEqual({ code: error.code, ...seen }, { code, ...fields }, error.stack ?? String(error));
  const loss = error instanceof WorkerLostError ? error : error.cause;
  if (!(loss instanceof WorkerLostError)) return;
  assert.equal(loss.attempts, 1);
  if (loss.threadId === 0) assert.ok(isGone(loss.pid));
}

async function run(kind: Kind, phase: Phase, fault: Fault): Promise<void> {
  const cell = cellOf(kind, phase, fault);
  if (cell.ends === 'is impossible') return;
  const options = optionsOf(phase, fault);
  const pool = kind === 'thread' ? new ThreadPool(1, options) : new Pool(1, options);
  const { guilty, next, end } = runCell(pool, phase, fault, LIMIT_MS);
  if (cell.ends === 'resolves') assert.equal(await guilty, cell.value);
  else await assertFailure(guilty, cell.code, cell.fields ?? {});
  if (ENDS_POOL.includes(phase) && cell.ends === 'rejects')
    await assertFailure(next(), cell.code, cell.fields ?? {});
  else assert.equal(await next(), 'next');
  const { pids } = pool.stats();
  await end();
  assert.deepEqual([pool.stats().workers, pool.stats().threadIds], [0, []]);
  await until(() => pids.every(isGone));
}

/** Tests the column of one kind of worker. */
export function testTable(kind: Kind): void {
  for (const phase of PHASES) {
    test(`${kind}, ${phase}: every fault rejects its own task with its code, the next works, and nothing is left`, {
      timeout: 110_000,
    }, async (t) => {
      const alive = setInterval(() => {}, 1000);
      t.after(() => clearInterval(alive));
      // Starts what stays, the zygote, before the count.
      await using first = new Pool(1);
      await first.warmUp();
      const baseline = takeBaseline();
      const outcomes = await Promise.allSettled(FAULTS.map((fault) => run(kind, phase, fault)));
      const failed = outcomes.flatMap((one, at) =>
        one.status === 'rejected' ? [`${FAULTS[at]}: ${String((one.reason as Error).stack)}`] : [],
      );
      assert.deepEqual(failed, []);
      // A cell that left one behind would leave one in each of eight.
      await assertNothingLeft(baseline, 4);
    });
  }
}
