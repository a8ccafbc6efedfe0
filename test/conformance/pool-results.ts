import assert from 'node:assert/strict';
import { Barrier, functionIn, type ImapOptions, type Pool } from '../../src/index.js';
import {
  countsOf,
  ownId,
  range,
  someTurns,
  toArray,
  until,
  withGate,
  workerIds,
} from '../fixtures/pool-outcomes.js';
import tasks, { triple, tripleLater, untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;
const squareLater = async (x: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, x % 3));
  return x * x;
};
const tasksUrl = new URL('../fixtures/pool-tasks.js', import.meta.url);

async function* slowly(items: readonly number[]): AsyncGenerator<number> {
  for (const item of items) {
    await someTurns(1);
    yield item;
  }
}

/** Results of each of the ways to work on many items, ordered where the way itself does not promise an order. */
async function inEveryWay(
  pool: Pool,
  fn: (x: number) => number | Promise<number>,
  items: () => Iterable<number> | AsyncIterable<number>,
  options: ImapOptions = {},
): Promise<Record<string, readonly number[]>> {
  const settled = await toArray(pool.imapSettled(fn, items(), options));
  const unordered = await toArray(pool.imapUnordered(fn, items(), options));
  return {
    map: await pool.map(fn, items(), options),
    imap: await toArray(pool.imap(fn, items(), options)),
    imapUnordered: unordered.sort((a, b) => a - b),
    imapSettled: settled.map((item, at) => {
      assert.equal(item.index, at);
      return item.status === 'fulfilled' ? item.value : Number.NaN;
    }),
  };
}

function assertEveryWay(actual: Record<string, readonly number[]>, expected: readonly number[]): void {
  assert.deepEqual(actual, { map: expected, imap: expected, imapUnordered: expected, imapSettled: expected });
}

export const resultCases: readonly PoolCase[] = [
  {
    title: 'apply resolves with what the function returned for its arguments',
    async run(pools) {
      const pool = pools.shared();
      assert.equal(await pool.apply((a: number, b: string) => b.repeat(a), [3, 'ab']), 'ababab');
      assert.equal(await pool.apply(() => 7), 7);
      assert.equal(await pool.apply(() => undefined), undefined);
      assert.equal(await pool.apply(() => null), null);
      assert.equal(await pool.apply(async (x: number) => x + 1, [1]), 2);
      assert.equal(await pool.apply((...all: number[]) => all.length, [1, 2, 3, 4]), 4);
    },
  },
  {
    title: 'values travel both ways with structured-clone semantics',
    async run(pools) {
      const cyclic: { self?: unknown; big: bigint } = { big: 2n ** 70n };
      cyclic.self = cyclic;
      const value = [
        new Map([['a', new Set([1, -0])]]),
        new Date(0),
        /x/gi,
        new Uint8Array([1, 2]),
        new Array(2).fill(1, 1),
        cyclic,
        Number.NaN,
      ];
      assert.deepEqual(await pools.shared().apply((x: unknown) => x, [value]), value);
    },
  },
  ...[undefined, 1, 3, 7, 1000].map(
    (chunkSize): PoolCase => ({
      title: `each item gets its result, in order where order is promised, with chunkSize ${chunkSize ?? 'automatic'}`,
      async run(pools) {
        const items = range(50);
        const options = chunkSize === undefined ? {} : { chunkSize };
        assertEveryWay(await inEveryWay(pools.shared(), square, () => items, options), items.map(square));
      },
    }),
  ),
  {
    title:
      'promises that tasks return are awaited in the worker, and order holds although they end out of order',
    async run(pools) {
      const items = range(40);
      assertEveryWay(await inEveryWay(pools.shared(), squareLater, () => items), items.map(square));
      assertEveryWay(
        await inEveryWay(pools.shared(), tripleLater, () => items, { chunkSize: 3 }),
        items.map((x) => x * 3),
      );
    },
  },
  {
    title: 'an empty input gives no results at once, whatever the chunk size (PO-04)',
    async run(pools) {
      assertEveryWay(await inEveryWay(pools.shared(), square, () => []), []);
      assertEveryWay(await inEveryWay(pools.shared(), square, () => new Set<number>(), { chunkSize: 1 }), []);
      assertEveryWay(
        await inEveryWay(pools.shared(), square, () => slowly([]), { chunkSize: 5, bufferItems: 1 }),
        [],
      );
    },
  },
  {
    title: 'sets, maps, generators and async generators serve as input',
    async run(pools) {
      const pool = pools.shared();
      const items = range(20);
      const expected = items.map(square);
      assertEveryWay(await inEveryWay(pool, square, () => new Set(items)), expected);
      assertEveryWay(await inEveryWay(pool, square, () => items.values()), expected);
      assertEveryWay(await inEveryWay(pool, square, () => slowly(items)), expected);
      assertEveryWay(await inEveryWay(pool, square, () => slowly(items), { chunkSize: 6 }), expected);
      assert.deepEqual(
        await pool.map(([key, value]: readonly [string, number]) => key + value, new Map([['a', 1]])),
        ['a1'],
      );
      assert.deepEqual(await pool.map((letter: string) => letter.toUpperCase(), 'abc'), ['A', 'B', 'C']);
    },
  },
  {
    title: 'items and results may be null and undefined',
    async run(pools) {
      const pool = pools.shared();
      const items = [null, undefined, null];
      const isNull = (x: null | undefined): boolean => x === null;
      assert.deepEqual(await pool.map(isNull, items), [true, false, true]);
      assert.deepEqual(await toArray(pool.imap(isNull, items)), [true, false, true]);
      assert.deepEqual(await pool.map((x: null | undefined) => x, items), items);
      assert.deepEqual(await toArray(pool.imap((x: null | undefined) => x, items)), items);
    },
  },
  {
    title: 'map works on the items that were there when it was called',
    async run(pools) {
      const items = range(40);
      const results = pools.shared().map(square, items, { chunkSize: 1 });
      items.length = 0;
      items.push(1000, 1000);
      assert.deepEqual(await results, range(40).map(square));
    },
  },
  {
    title: 'imapUnordered yields what is ready before what is not',
    async run(pools) {
      const pool = pools.own(2);
      await withGate(async (gate) => {
        const { path } = gate;
        const firstWaits = async (x: number): Promise<number> => {
          if (x === 0) await untilOpen(path);
          return x;
        };
        const order: number[] = [];
        for await (const value of pool.imapUnordered(firstWaits, range(4), { chunkSize: 1 }))
          if (order.push(value) === 3) gate.open();
        assert.equal(order.at(-1), 0);
      });
      await withGate(async (gate) => {
        const { path } = gate;
        const firstWaits = async (x: number): Promise<number> => {
          if (x === 0) await untilOpen(path);
          return x;
        };
        const order: unknown[] = [];
        const options = { chunkSize: 1, unordered: true };
        for await (const item of pool.imapSettled(firstWaits, range(4), options))
          if (order.push(item) === 3) gate.open();
        assert.deepEqual(order.at(-1), { index: 0, status: 'fulfilled', value: 0 });
      });
    },
  },
  {
    title: 'functions travel by reference, as defaults, by functionIn and as built-ins',
    async run(pools) {
      const pool = pools.shared();
      assert.deepEqual(await pool.map(triple, [1, 2]), [3, 6]);
      assert.deepEqual(await pool.map(tasks, [1, 2]), [4, 5]);
      assert.deepEqual(await pool.map(functionIn<typeof triple>(tasksUrl, 'triple'), [1, 2]), [3, 6]);
      assert.deepEqual(await pool.map(functionIn<typeof tasks>(tasksUrl.href), [1, 2]), [4, 5]);
      assert.deepEqual(await pool.map(Math.sqrt, [4, 9]), [2, 3]);
      assert.deepEqual(await pool.map(Number, ['1', '0x10']), [1, 16]);
    },
  },
  {
    title: 'many functions and many calls at once do not get mixed up',
    async run(pools) {
      const pool = pools.shared();
      const makers = range(60).map(
        (n) => new Function('x', `return x * 100 + ${n}`) as (x: number) => number,
      );
      const answers = await Promise.all(makers.flatMap((fn) => range(20).map((x) => pool.apply(fn, [x]))));
      assert.deepEqual(
        answers,
        range(60).flatMap((n) => range(20).map((x) => x * 100 + n)),
      );
      const maps = await Promise.all(makers.map((fn) => pool.map(fn, range(30))));
      assert.deepEqual(
        maps,
        range(60).map((n) => range(30).map((x) => x * 100 + n)),
      );
    },
  },
  {
    title: 'calls of different kinds that overlap all get their own results',
    async run(pools) {
      const pool = pools.shared();
      const [mapped, streamed, unordered, single] = await Promise.all([
        pool.map(square, range(300)),
        toArray(pool.imap(triple, range(300))),
        toArray(pool.imapUnordered((x: number) => -x, range(300))),
        Promise.all(range(300).map((x) => pool.apply((y: number) => y + 0.5, [x]))),
      ]);
      assert.deepEqual(mapped, range(300).map(square));
      assert.deepEqual(
        streamed,
        range(300).map((x) => x * 3),
      );
      assert.deepEqual(
        unordered.sort((a, b) => b - a),
        range(300).map((x) => -x),
      );
      assert.deepEqual(
        single,
        range(300).map((x) => x + 0.5),
      );
    },
  },
  {
    title: 'work is spread over the workers',
    async run(pools) {
      const pool = pools.own(2);
      using both = new Barrier(2);
      const idOfEach = async (): Promise<number> => {
        await both.wait();
        return ownId();
      };
      const ids = new Set(await pool.map(idOfEach, range(8), { chunkSize: 1 }));
      assert.equal(ids.size, 2);
      assert.deepEqual([...ids].sort(), workerIds(pool).sort());
    },
  },
  {
    title: 'stats tells of workers, queued and running work, and is frozen',
    async run(pools) {
      const pool = pools.own(2, { name: 'Counting' });
      const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
      await pool.apply(wait, [1]);
      await until(() => workerIds(pool).length === 2);
      const before = pool.stats();
      assert.ok(Object.isFrozen(before));
      const counts = { workers: 2, ids: 2, queued: 0, running: 0, completed: 1, lost: 0 };
      assert.deepEqual(countsOf(pool), counts);
      await withGate(async (gate) => {
        const slow = range(6).map(() => pool.apply(untilOpen, [gate.path]));
        await someTurns(1);
        const during = pool.stats();
        assert.equal(during.queued + during.running, 6);
        assert.ok(during.running >= 1);
        gate.open();
        await Promise.all(slow);
      });
      assert.deepEqual(countsOf(pool), { ...counts, completed: 7 });
      assert.equal(pool.stats().times.turnarounds.count, 7);
    },
  },
];
