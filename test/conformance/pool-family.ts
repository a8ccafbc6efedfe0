import assert from 'node:assert/strict';
import { AsyncResult, ProgressFeed, type ProgressSnapshot } from '../../src/index.js';
import {
  countsOf,
  failureOf,
  ownId,
  range,
  toArray,
  until,
  withGate,
  workerIds,
} from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;
const power = (x: number, y: number): number => x ** y;
const wait = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
const fail = (): never => {
  throw new RangeError('on purpose');
};
const count = async function* (to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i;
};

export const familyCases: readonly PoolCase[] = [
  {
    title: 'applyAsync answers at once; get, ready and successful tell of the result',
    async run(pools) {
      const result = pools.shared().applyAsync(power, [2, 5]);
      assert.ok(result instanceof AsyncResult);
      assert.equal(result.ready(), false);
      assert.equal((await failureOf(() => result.successful())).code, 'ERR_FURCA_INVALID_STATE');
      assert.equal(await result.get(), 32);
      assert.deepEqual([result.ready(), result.successful(), await result], [true, true, 32]);
      const failed = pools.shared().applyAsync(fail);
      assert.equal(await failed.wait(), true);
      assert.equal(failed.successful(), false);
      assert.equal((await failureOf(failed.get())).message, 'on purpose');
    },
  },
  {
    title: 'timeoutMs of get and wait ends the wait alone: the task goes on, and its result can be had later',
    async run(pools) {
      await withGate(async (gate) => {
        const result = pools.shared().applyAsync(untilOpen, [gate.path]);
        assert.equal(await result.wait({ timeoutMs: 20 }), false);
        assert.equal((await failureOf(result.get({ timeoutMs: 20 }))).code, 'ERR_FURCA_TIMEOUT');
        const reason = new Error('enough');
        assert.equal(await failureOf(result.get({ signal: AbortSignal.abort(reason) })), reason);
        gate.open();
        assert.equal(await result.get({ timeoutMs: 60_000 }), 'open');
      });
    },
  },
  {
    title:
      'mapAsync calls callback once with all results, else errorCallback once with the error (PO-02, PO-16)',
    async run(pools) {
      const heard: unknown[] = [];
      const callback = (results: readonly number[]): unknown => heard.push(results);
      const errorCallback = (error: unknown): unknown => heard.push((error as Error).name);
      await pools.shared().mapAsync(square, [1, 2], { callback, errorCallback }).wait();
      await pools.shared().mapAsync(fail, [1, 2], { callback, errorCallback }).wait();
      assert.deepEqual(heard, [[1, 4], 'RangeError']);
    },
  },
  {
    title:
      'a failure that nobody reads goes to the error event when the pool ends, one that was read does not',
    async run(pools) {
      const pool = pools.own(1);
      const heard: unknown[] = [];
      pool.on('error', (error) => heard.push((error as Error).message));
      const read = pool.applyAsync(fail);
      assert.equal((await failureOf(read.get())).message, 'on purpose');
      pool.applyAsync(fail, [], { errorCallback: () => {} });
      pool.applyAsync(() => {
        throw new Error('never read');
      });
      pool.applyAsync(square, [2], {
        callback: () => {
          throw new Error('in a callback');
        },
      });
      await pool.close();
      assert.deepEqual(heard.sort(), ['in a callback', 'never read']);
    },
  },
  {
    title: 'starmap and starmapAsync spread each item over the arguments, in order, in any chunks',
    async run(pools) {
      const pairs = range(50).map((x) => [x, 2] as const);
      const expected = range(50).map(square);
      for (const chunkSize of [1, 7, 50])
        assert.deepEqual(await pools.shared().starmap(power, pairs, { chunkSize }), expected);
      assert.deepEqual(await pools.shared().starmapAsync(power, pairs), expected);
      assert.deepEqual(await pools.shared().starmap(power, []), []);
      // The same function takes single items, too.
      assert.deepEqual(await pools.shared().map(power as (x: number) => number, [1]), [Number.NaN]);
    },
  },
  {
    title: 'stream yields what an async generator, a generator or a promise of one yields, in order',
    async run(pools) {
      const pool = pools.shared();
      assert.deepEqual(await toArray(pool.stream(count, [500])), range(500));
      assert.deepEqual(
        await toArray(
          pool.stream(
            function* (text: string) {
              yield* text;
            },
            ['abc'],
          ),
        ),
        ['a', 'b', 'c'],
      );
      assert.deepEqual(await toArray(pool.stream(async () => [1, 2])), [1, 2]);
    },
  },
  {
    title: 'a streaming task that throws, or yields what cannot be sent, rejects after the values before it',
    async run(pools) {
      const throwing = async function* (): AsyncGenerator<number> {
        yield 1;
        throw new RangeError('after one');
      };
      const unsendable = async function* (): AsyncGenerator<unknown> {
        yield 1;
        yield new WeakMap();
      };
      for (const [fn, name] of [
        [throwing, 'RangeError'],
        [unsendable, 'NotSendableError'],
      ] as const) {
        const stream = pools.shared().stream(fn as () => AsyncGenerator<unknown>);
        assert.deepEqual(await stream.next(), { done: false, value: 1 });
        assert.equal((await failureOf(stream.next())).name, name);
        assert.deepEqual(await stream.next(), { done: true, value: undefined });
      }
      assert.equal(await pools.shared().apply(square, [3]), 9);
    },
  },
  {
    title: 'a stream is only so far ahead of its consumer, and leaving it ends the task but not its worker',
    async run(pools) {
      const pool = pools.own(1, { abortGraceMs: 60_000 });
      const id = await pool.apply(ownId);
      const endless = async function* (): AsyncGenerator<number> {
        const state = globalThis as { made?: number; isLeft?: boolean };
        try {
          for (state.made = 0; ; state.made++) yield state.made;
        } finally {
          state.isLeft = true;
        }
      };
      let taken = 0;
      for await (const x of pool.stream(endless)) {
        assert.equal(x, taken);
        taken++;
        if (taken === 300) break;
      }
      const state = (): readonly unknown[] => {
        const { made = 0, isLeft } = globalThis as { made?: number; isLeft?: boolean };
        return [made < 300 + 2 * 64, isLeft];
      };
      assert.deepEqual(await pool.apply(state), [true, true]);
      assert.equal(await pool.apply(ownId), id);
    },
  },
  {
    title: 'an initializer runs once in each worker before any task, with its arguments (PO-11)',
    async run(pools) {
      const initializer = (mark: string): void => {
        const state = globalThis as { marks?: string[] };
        state.marks = [...(state.marks ?? []), mark];
      };
      const pool = pools.own(2, { initializer, initArgs: ['x'] });
      await pool.warmUp();
      assert.equal(workerIds(pool).length, 2);
      const marks = (): string => (globalThis as { marks?: string[] }).marks?.join() ?? '';
      assert.deepEqual(
        await Promise.all(range(20).map(() => pool.apply(marks))),
        new Array<string>(20).fill('x'),
      );
    },
  },
  {
    title:
      'an initializer that throws fails every task with its error, now and later, and no worker is tried again',
    async run(pools) {
      const pool = pools.own(2, {
        initializer: () => {
          throw new RangeError('no start');
        },
      });
      for (const work of [
        pool.apply(square, [1]),
        pool.map(square, range(50)),
        pool.imap(square, range(5)).next(),
        pool.warmUp(),
      ])
        assert.equal((await failureOf(work)).message, 'no start');
      assert.equal((await failureOf(pool.apply(square, [1]))).message, 'no start');
      assert.ok(pool.stats().started <= 2);
      await pool.close();
    },
  },
  {
    title: 'an initializer that ends its process fails every task with ERR_FURCA_BROKEN after a few tries',
    async run(pools) {
      const pool = pools.own(1, { initializer: () => process.exit(3) });
      const [first, second] = [pool.apply(square, [1]), pool.map(square, range(50))];
      assert.equal((await failureOf(first)).code, 'ERR_FURCA_BROKEN');
      assert.equal((await failureOf(second)).code, 'ERR_FURCA_BROKEN');
      assert.ok(pool.stats().started <= 6, String(pool.stats().started));
    },
  },
  {
    title: 'a worker is replaced after maxTasksPerChild items, and every result is right (PO-18, PO-19)',
    async run(pools) {
      const pool = pools.own(1, { maxTasksPerChild: 10 });
      const ids: number[] = [];
      for (let i = 0; i < 25; i++) ids.push(await pool.apply(ownId));
      assert.equal(new Set(ids.slice(0, 10)).size, 1);
      assert.deepEqual([new Set(ids).size, pool.stats().lost], [3, 0]);
      // A chunk that is too long for what its worker may still do is divided.
      assert.deepEqual(await pool.map(square, range(35), { chunkSize: 35 }), range(35).map(square));
      const results = Promise.all(range(12).map((x) => pool.apply(square, [x])));
      await pool.close();
      assert.deepEqual(await results, range(12).map(square));
    },
  },
  {
    title: 'the number of workers changes while the pool works; nothing fails',
    async run(pools) {
      const pool = pools.own(1);
      const work = pool.map(wait, range(40).fill(5), { chunkSize: 1 });
      pool.resize(3);
      await pool.warmUp();
      assert.equal(workerIds(pool).length, 3);
      pool.resize(1);
      assert.deepEqual(await work, range(40).fill(5));
      await until(() => pool.stats().workers === 1);
      assert.deepEqual([await pool.apply(square, [4]), pool.stats().lost], [16, 0]);
      assert.equal((await failureOf(() => pool.resize(0))).code, 'ERR_FURCA_INVALID_ARGUMENT');
    },
  },
  {
    title: 'workers that are idle for too long end, and come again with new work',
    async run(pools) {
      const pool = pools.own(2, { idleTimeoutMs: 50 });
      assert.deepEqual(await pool.map(square, range(4), { chunkSize: 1 }), [0, 1, 4, 9]);
      await until(() => pool.stats().workers === 0);
      assert.equal(await pool.apply(square, [5]), 25);
      assert.equal(pool.stats().lost, 0);
    },
  },
  {
    title: 'progress is told to a function and to a feed, and ends with all done',
    async run(pools) {
      const told: ProgressSnapshot[] = [];
      const feed = new ProgressFeed();
      const pool = pools.shared();
      await pool.map(square, range(10), { progress: (snapshot) => told.push(snapshot) });
      const last = told.at(-1) as ProgressSnapshot;
      assert.deepEqual([last.done, last.failed, last.total, last.isOver], [10, 0, 10, true]);
      const [results, snapshots] = await Promise.all([
        toArray(
          pool.imapSettled((x: number) => (x === 2 ? JSON.parse('{') : x), range(5), { progress: feed }),
        ),
        toArray(feed),
      ]);
      assert.equal(results.length, 5);
      const end = snapshots.at(-1) as ProgressSnapshot;
      assert.deepEqual([end.done, end.failed, end.total, end.isOver], [5, 1, 5, true]);
    },
  },
  {
    title: 'every policy gives the right results, of calls, maps and streams at once',
    async run(pools) {
      for (const schedule of ['sjf', 'priority', 'mlfq'] as const) {
        const pool = pools.own(2, { schedule });
        const [calls, mapped, streamed] = await Promise.all([
          Promise.all(range(60).map((x) => pool.apply(square, [x], { priority: x % 3, cost: 60 - x }))),
          pool.map(square, range(200), { cost: (x) => x }),
          toArray(pool.imap(square, range(100))),
        ]);
        assert.deepEqual(calls, range(60).map(square));
        assert.deepEqual(mapped, range(200).map(square));
        assert.deepEqual(streamed, range(100).map(square));
        await until(() => pool.stats().running === 0);
        assert.deepEqual(
          { ...countsOf(pool), completed: 0, workers: 0, ids: 0 },
          {
            workers: 0,
            ids: 0,
            queued: 0,
            running: 0,
            completed: 0,
            lost: 0,
          },
        );
        await pool.close();
      }
    },
  },
];
