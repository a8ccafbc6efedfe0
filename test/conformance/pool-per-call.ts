import assert from 'node:assert/strict';
import { type CurrentTask, TimeoutError, WorkerLostError } from '../../src/index.js';
import { failureOf, range, toArray, withGate } from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const DOOR = new URL('../../src/index.js', import.meta.url).href;

/** Ends its worker until it is run for the `times`-th time; answers which run that was. */
const dieUntil = async (door: string, times: number): Promise<number> => {
  const { attempt } = ((await import(door)) as { currentTask(): CurrentTask }).currentTask();
  if (attempt < times) process.exit(5);
  return attempt;
};
const hangOn = (x: number): number => {
  while (x === 1);
  return x;
};

export const perCallCases: readonly PoolCase[] = [
  {
    title: 'retries of a call are its own, more or fewer than those of the pool',
    async run(pools) {
      const plain = pools.own(1);
      assert.equal(await plain.apply(dieUntil, [DOOR, 3], { retries: 2 }), 3);
      const lost = await failureOf(plain.apply(dieUntil, [DOOR, 2]));
      assert.ok(lost instanceof WorkerLostError && lost.attempts === 1, String(lost));
      assert.deepEqual(
        await plain.starmap(
          dieUntil,
          range(3).map((at) => [DOOR, at] as const),
          { retries: 1, chunkSize: 3 },
        ),
        [1, 1, 2],
      );
      const repeating = pools.own(1, { retries: 3 });
      const once = await failureOf(repeating.apply(dieUntil, [DOOR, 2], { retries: 0 }));
      assert.ok(once instanceof WorkerLostError && once.attempts === 1, String(once));
      assert.equal(await repeating.apply(dieUntil, [DOOR, 4]), 4);
    },
  },
  {
    title:
      'without retries nothing that has returned is run again, whatever calls with retries run beside it',
    async run(pools) {
      const pool = pools.own(1, { retries: 5 });
      const twice = (x: number): number => x * 2;
      const dieAtFirst = async (door: string): Promise<number> => {
        const { attempt } = ((await import(door)) as { currentTask(): CurrentTask }).currentTask();
        if (attempt === 1) process.exit(5);
        return attempt;
      };
      const calls = range(60).map((x) =>
        x % 10 === 7 ? pool.apply(dieAtFirst, [DOOR]) : pool.apply(twice, [x], { retries: (x % 2) * 5 }),
      );
      assert.deepEqual(
        await Promise.all(calls),
        range(60).map((x) => (x % 10 === 7 ? 2 : x * 2)),
      );
    },
  },
  {
    title: 'taskTimeoutMs of a call is that of its items alone, each from the start of its run',
    async run(pools) {
      const pool = pools.own(2);
      await withGate(async (gate) => {
        const bounded = failureOf(pool.apply(hangOn, [1], { taskTimeoutMs: 150 }));
        const slow = pool.apply(untilOpen, [gate.path]);
        const error = await bounded;
        assert.ok(error instanceof TimeoutError && error.timeoutMs === 150, String(error));
        assert.equal(error.code, 'ERR_FURCA_TASK_TIMEOUT');
        gate.open();
        assert.equal(await slow, 'open');
      });
      // Longer than a worker may be kept from running in the items that do not hang.
      const items = pool.imapSettled(hangOn, range(4), { taskTimeoutMs: 5000, chunkSize: 4 });
      assert.deepEqual(
        (await toArray(items)).map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
      );
    },
  },
  {
    title: 'retries and taskTimeoutMs that make no sense are refused at the call',
    async run(pools) {
      const pool = pools.shared();
      const bad = [
        { retries: -1 },
        { retries: 0.5 },
        { retries: '1' },
        { taskTimeoutMs: 0 },
        { taskTimeoutMs: Number.NaN },
        { taskTimeoutMs: '9' },
      ] as object[];
      for (const options of bad)
        for (const call of [
          () => pool.apply(hangOn, [2], options),
          () => pool.map(hangOn, [2], options),
          () => pool.mapAsync(hangOn, [2], options),
          () => pool.imap(hangOn, [2], options).next(),
        ])
          assert.equal((await failureOf(call)).code, 'ERR_FURCA_INVALID_ARGUMENT', JSON.stringify(options));
    },
  },
  {
    title: 'a stream has no retries: they are refused at the call',
    async run(pools) {
      const streamed = await failureOf(() => pools.shared().stream(() => [1], [], { retries: 1 } as object));
      assert.equal(streamed.code, 'ERR_FURCA_INVALID_ARGUMENT');
    },
  },
];
