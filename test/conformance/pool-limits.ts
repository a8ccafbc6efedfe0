import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CurrentTask, currentTask } from '../../src/index.js';
import { failureOf, isGone, ownId, range, toArray, until, withGate } from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import { descendants } from '../harness/proc.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;
const wait = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
const DOOR = new URL('../../src/index.js', import.meta.url).href;

/** Waits for nothing but its signal, and returns when it comes. It makes `mark` once it heeds the signal. */
const untilAborted = async (door: string, mark: string): Promise<string> => {
  const { signal } = ((await import(door)) as { currentTask(): CurrentTask }).currentTask();
  (await import('node:fs')).writeFileSync(mark, '');
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  return 'stopped by itself';
};
/** Never awaits, and looks. */
const untilSeen = async (door: string, mark: string): Promise<string> => {
  const { signal } = ((await import(door)) as { currentTask(): CurrentTask }).currentTask();
  (await import('node:fs')).writeFileSync(mark, '');
  while (!signal.aborted);
  return 'stopped by itself';
};

/** Which worker it is, once it has what the tasks above import. */
const idOnceLoaded = async (door: string): Promise<number> => {
  await import(door);
  return ownId();
};

/** Runs `body` with the path of a file that is not there, and removes it in the end. */
async function withMark(body: (mark: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  try {
    await body(join(folder, 'mark'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const limitCases: readonly PoolCase[] = [
  {
    title:
      'currentTask tells id, index, attempt and a key of its own for each item; outside of a task it throws',
    async run(pools) {
      const ask = async (door: string): Promise<[number, number, number, string]> => {
        const { id, index, attempt, idempotencyKey } = (
          (await import(door)) as { currentTask(): CurrentTask }
        ).currentTask();
        return [id, index, attempt, idempotencyKey];
      };
      const pool = pools.shared();
      const seen = await pool.map(
        ask,
        range(20)
          .fill(0)
          .map(() => DOOR),
        { chunkSize: 4 },
      );
      assert.deepEqual(
        seen.map(([, index]) => index),
        range(20),
      );
      assert.equal(new Set(seen.map(([id]) => id)).size, 1);
      assert.ok(seen.every(([, , attempt]) => attempt === 1));
      const single = await pool.apply(ask, [DOOR]);
      assert.equal(new Set([...seen, single].map(([, , , key]) => key)).size, 21);
      assert.equal((await failureOf(() => currentTask())).code, 'ERR_FURCA_INVALID_STATE');
    },
  },
  {
    title:
      'an aborted signal rejects with its reason at once; what waits is dropped, what heeds it stops by itself',
    async run(pools) {
      const pool = pools.own(1, { abortGraceMs: 60_000 });
      const id = await pool.apply(ownId);
      for (const task of [untilAborted, untilSeen]) {
        await withMark(async (mark) => {
          const controller = new AbortController();
          const reason = new Error('enough');
          const running = failureOf(pool.apply(task, [DOOR, mark], { signal: controller.signal }));
          const waiting = failureOf(pool.map(square, range(9), { signal: controller.signal }));
          const other = pool.apply(square, [7]);
          await until(() => existsSync(mark));
          controller.abort(reason);
          assert.equal(await running, reason);
          assert.equal(await waiting, reason);
          assert.equal(await other, 49);
        });
      }
      assert.deepEqual([await pool.apply(ownId), pool.stats().lost], [id, 0]);
      const aborted = AbortSignal.abort(new Error('before'));
      assert.equal((await failureOf(pool.apply(square, [1], { signal: aborted }))).message, 'before');
      assert.equal((await failureOf(pool.map(square, [1], { signal: aborted }))).message, 'before');
      assert.equal((await failureOf(pool.imap(square, [1], { signal: aborted }).next())).message, 'before');
    },
  },
  {
    title:
      'a task that heeds no signal is ended with its worker when it is aborted, and others are run by the next',
    async run(pools) {
      const pool = pools.own(1);
      const id = await pool.apply(ownId);
      const controller = new AbortController();
      const hanging = pool.apply(
        () => {
          for (;;);
        },
        [],
        { signal: controller.signal },
      );
      const other = pool.apply(square, [6]);
      await until(() => pool.stats().tasks.some(({ state }) => state === 'running'));
      controller.abort();
      assert.equal((await failureOf(hanging)).name, 'AbortError');
      assert.equal(await other, 36);
      await until(() => pools.isGone(id));
    },
  },
  {
    title:
      'a task over its time that returns when it is asked to rejects with ERR_FURCA_TASK_TIMEOUT; its worker lives on',
    async run(pools) {
      // Long enough for a task to come to heed its signal, although its worker may be kept from running.
      const taskTimeoutMs = 5000;
      const heeding = [untilAborted, untilSeen].map(async (task) => {
        const pool = pools.own(1, { abortGraceMs: 60_000 });
        const id = await pool.apply(idOnceLoaded, [DOOR]);
        await withMark(async (mark) => {
          const error = await failureOf(pool.apply(task, [DOOR, mark], { taskTimeoutMs }));
          assert.equal(error.code, 'ERR_FURCA_TASK_TIMEOUT');
        });
        assert.deepEqual([await pool.apply(ownId), pool.stats().lost], [id, 0]);
      });
      // In a chunk the others are done.
      const items = range(6);
      const some = async (x: number): Promise<number> => {
        if (x === 2) await new Promise(() => setInterval(() => {}, 1000));
        return x;
      };
      const chunk = pools.own(1).imapSettled(some, items, { chunkSize: 6, taskTimeoutMs });
      const [settled] = await Promise.all([toArray(chunk), ...heeding]);
      assert.deepEqual(
        settled.map(({ status }) => status),
        items.map((x) => (x === 2 ? 'rejected' : 'fulfilled')),
      );
    },
  },
  {
    title: 'processes that a task has started end with it when it is stopped, also those that ignore SIGTERM',
    async run(pools) {
      const pool = pools.own(1, { killGraceMs: 50 });
      assert.equal(await pool.apply(square, [2]), 4);
      const controller = new AbortController();
      const parent = async (): Promise<void> => {
        const { spawn } = await import('node:child_process');
        const child = spawn('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & sleep 1000; wait'], {
          stdio: 'ignore',
        });
        console.error(`started ${child.pid}`);
        await new Promise(() => {});
      };
      const childrenOf = (pid: number): number[] => descendants(pid).map((entry) => entry.pid);
      const hanging = failureOf(pool.apply(parent, [], { signal: controller.signal }));
      let started: number[] = [];
      await until(() => {
        const [worker] = pool.stats().pids;
        const shell = worker === undefined ? undefined : childrenOf(worker)[0];
        started = shell === undefined ? [] : childrenOf(worker as number);
        return started.length === 3;
      });
      controller.abort();
      await hanging;
      await until(() => started.every(isGone));
      assert.equal(await pool.apply(square, [3]), 9);
    },
  },
  {
    title: 'a task that does not begin within queueTimeoutMs rejects; one that has begun is not touched',
    async run(pools) {
      const pool = pools.own(1);
      await pool.warmUp();
      await withGate(async (gate) => {
        // The time of the first is up before that of those behind it; it is long enough for a worker to begin.
        const queueTimeoutMs = 5000;
        const begun = pool.apply(untilOpen, [gate.path], { queueTimeoutMs });
        await until(() => pool.stats().tasks.some(({ state }) => state === 'running'));
        const late = [pool.apply(square, [1], { queueTimeoutMs }), pool.map(square, [1], { queueTimeoutMs })];
        for (const { code } of await Promise.all(late.map(failureOf)))
          assert.equal(code, 'ERR_FURCA_QUEUE_TIMEOUT');
        gate.open();
        assert.equal(await begun, 'open');
      });
      assert.equal(pool.stats().lost, 0);
    },
  },
  {
    title:
      'at its deadline a call rejects with ERR_FURCA_DEADLINE, whether it runs or waits, and the next works',
    async run(pools) {
      const pool = pools.own(1);
      await pool.warmUp();
      const deadline = new Date(Date.now() + 80);
      const calls = [
        pool.apply(wait, [60_000], { deadline }),
        pool.map(wait, [60_000], { deadline }),
        pool.imap(wait, [60_000], { deadline }).next(),
        pool.apply(square, [1], { deadline: Date.now() - 1 }),
      ];
      for (const { code } of await Promise.all(calls.map(failureOf)))
        assert.equal(code, 'ERR_FURCA_DEADLINE');
      assert.equal(await pool.apply(square, [5]), 25);
    },
  },
];
