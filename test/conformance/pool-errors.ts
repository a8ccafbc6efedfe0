import assert from 'node:assert/strict';
import { FurcaError, functionIn, NotSendableError, type Pool } from '../../src/index.js';
import {
  type Failure,
  failureOf,
  outcomesOf,
  range,
  toArray,
  until,
  withGate,
} from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

/** What each of several calls failed with; all are listened to at once. */
function failuresOf(...calls: readonly Promise<unknown>[]): Promise<Failure[]> {
  return Promise.all(calls.map((call) => failureOf(call)));
}

const oddOnly = (x: number): number => {
  if (x % 2 === 0) throw new RangeError(`even: ${x}`);
  return x;
};

/** How each of 0 to 5 ends, in every way that tells of each item. */
async function eachItem(pool: Pool, fn: (x: number) => unknown, chunkSize: number): Promise<unknown[][]> {
  const show = (one: PromiseSettledResult<unknown>): unknown =>
    one.status === 'fulfilled'
      ? one.value
      : ((one.reason as Failure).code ?? (one.reason as Failure).message);
  const settled = await toArray(pool.imapSettled(fn, range(6), { chunkSize }));
  return [
    (await outcomesOf(pool.imap(fn, range(6), { chunkSize }))).map(show),
    (await outcomesOf(pool.imapUnordered(fn, range(6), { chunkSize }))).map(show).sort(),
    settled.map(show),
    (await Promise.allSettled(range(6).map((x) => pool.apply(fn, [x])))).map(show),
  ];
}

function assertEachItem(actual: unknown[][], expected: unknown[]): void {
  assert.deepEqual(actual, [expected, [...expected].sort(), expected, expected]);
}

export const errorCases: readonly PoolCase[] = [
  {
    title: 'an error arrives with class, message, code, own properties, cause and the worker’s stack',
    async run(pools) {
      const fail = (): never => {
        const cause = new TypeError('the deeper reason');
        throw Object.assign(new RangeError('out of bounds', { cause }), {
          code: 'E_BOUNDS',
          limits: { low: 1, high: [2] },
        });
      };
      const pool = pools.shared();
      for (const failure of await failuresOf(
        pool.apply(fail),
        pool.map(fail, [1]),
        pool.imap(fail, [1]).next(),
      )) {
        const error = failure as Failure & { limits: unknown };
        assert.ok(error instanceof RangeError);
        assert.equal(Object.getPrototypeOf(error), RangeError.prototype);
        assert.equal(error.name, 'RangeError');
        assert.equal(error.message, 'out of bounds');
        assert.equal(error.code, 'E_BOUNDS');
        assert.deepEqual(error.limits, { low: 1, high: [2] });
        assert.ok(error.cause instanceof TypeError);
        assert.equal(error.cause.message, 'the deeper reason');
        assert.ok(!FurcaError.is(error));
      }
    },
  },
  {
    title: 'the stack of an error leads from the task to the line that called the pool (PO-14)',
    async run(pools) {
      const pool = pools.shared();
      async function caller(): Promise<unknown> {
        return await pool.apply(function inTheWorker() {
          throw new Error('deep');
        });
      }
      const { stack = '' } = await failureOf(caller());
      const lines = stack.split('\n');
      assert.equal(lines[0], 'Error: deep');
      assert.match(lines[1] ?? '', /inTheWorker/);
      assert.match(stack, /Pool\.apply \(caller\).*caller .*pool-errors/s);
    },
  },
  {
    title: 'subclasses of errors keep their name, AggregateError its errors, DOMException its code',
    async run(pools) {
      const pool = pools.shared();
      const custom = await failureOf(
        pool.apply(() => {
          class TwoArguments extends Error {
            constructor(a: string, b: string) {
              super(`${a}${b.toUpperCase()}`);
              this.name = 'TwoArguments';
            }
          }
          throw new TwoArguments('x', 'y');
        }),
      );
      assert.ok(custom instanceof Error);
      assert.equal(custom.name, 'TwoArguments');
      assert.equal(custom.message, 'xY');
      const many = (await failureOf(
        pool.apply(() =>
          Promise.any([Promise.reject(new TypeError('one')), Promise.reject(new Error('two'))]),
        ),
      )) as AggregateError;
      assert.ok(many instanceof AggregateError);
      assert.deepEqual(many.errors.map(String), ['TypeError: one', 'Error: two']);
      const aborted = await failureOf(
        pool.apply(() => {
          throw new DOMException('stop', 'AbortError');
        }),
      );
      assert.ok(aborted instanceof DOMException);
      assert.equal(aborted.name, 'AbortError');
    },
  },
  {
    title: 'what is thrown and is no error arrives as it is',
    async run(pools) {
      const throwIt = (what: unknown): never => {
        throw what;
      };
      for (const what of [undefined, null, 0, 'text', { code: 1 }, [1n]]) {
        assert.deepEqual(await failureOf(pools.shared().apply(throwIt, [what])), what);
      }
    },
  },
  {
    title: 'map rejects with the first error, and the pool goes on',
    async run(pools) {
      const pool = pools.shared();
      const error = await failureOf(pool.map(oddOnly, [1, 3, 4, 5, 6], { chunkSize: 5 }));
      assert.ok(error instanceof RangeError);
      assert.equal(error.message, 'even: 4');
      await failureOf(pool.map(oddOnly, range(200)));
      assert.deepEqual(await pool.map(oddOnly, [1, 3]), [1, 3]);
    },
  },
  {
    title: 'after a map has failed, its items that no worker had yet are not run',
    async run(pools) {
      const pool = pools.own(1);
      await withGate(async ({ path }) => {
        const failOrWait = async (x: number): Promise<number> => {
          if (x === 0) throw new Error('first');
          await untilOpen(path);
          return x;
        };
        assert.equal((await failureOf(pool.map(failOrWait, range(100), { chunkSize: 1 }))).message, 'first');
        // The worker says that it is through with the first after it has said how that failed.
        await until(() => pool.stats().queued + pool.stats().running <= 1);
      });
    },
  },
  ...[1, 4, 6].map(
    (chunkSize): PoolCase => ({
      title: `an item that failed makes that next() reject, and the following ones go on, in chunks of ${chunkSize}`,
      async run(pools) {
        const expected = ['even: 0', 1, 'even: 2', 3, 'even: 4', 5];
        assertEachItem(await eachItem(pools.shared(), oddOnly, chunkSize), expected);
      },
    }),
  ),
  ...[1, 6].map(
    (chunkSize): PoolCase => ({
      title: `a result that cannot be sent rejects that item alone, in chunks of ${chunkSize}`,
      async run(pools) {
        const fn = (x: number): unknown =>
          x === 2 ? { list: [{ weak: new WeakMap() }] } : x === 4 ? new WeakSet() : x;
        const code = 'ERR_FURCA_NOT_SENDABLE';
        assertEachItem(await eachItem(pools.shared(), fn, chunkSize), [0, 1, code, 3, code, 5]);
      },
    }),
  ),
  {
    title: 'a result that cannot be sent is refused with the path to the offending part',
    async run(pools) {
      const pool = pools.shared();
      const fn = (): unknown => ({ list: [1, { weak: new WeakMap() }] });
      const calls = [pool.apply(fn), pool.map(fn, [1, 2], { chunkSize: 2 }), pool.imap(fn, [1]).next()];
      for (const error of await failuresOf(...calls)) {
        assert.ok(error instanceof NotSendableError);
        assert.equal(error.code, 'ERR_FURCA_NOT_SENDABLE');
        assert.equal(error.stage, 'send');
        assert.equal(error.path, 'result.list[1].weak');
      }
    },
  },
  {
    title: 'an argument or item that cannot be sent is refused with its path, and is the only one refused',
    async run(pools) {
      const pool = pools.shared();
      const type = (x: unknown): string => typeof x;
      const inArgs = await failureOf(pool.apply(type, [{ deep: [new WeakMap()] }]));
      assert.ok(inArgs instanceof NotSendableError);
      assert.equal(inArgs.path, 'args[0].deep[0]');
      const items = [1, 'a', { a: new WeakSet() }, true, 5n];
      for (const chunkSize of [1, 5]) {
        const inItems = await failureOf(pool.map(type, items, { chunkSize }));
        assert.ok(inItems instanceof NotSendableError);
        assert.equal(inItems.path, 'items[2].a');
        const settled = await toArray(pool.imapSettled(type, items, { chunkSize }));
        assert.deepEqual(
          settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Failure).path)),
          ['number', 'string', 'items[2].a', 'boolean', 'bigint'],
        );
      }
    },
  },
  {
    title: 'an error with properties that cannot be sent arrives without these',
    async run(pools) {
      const error = (await failureOf(
        pools.shared().apply(() => {
          throw Object.assign(new TypeError('partly'), { code: 'E_PART', weak: new WeakMap() });
        }),
      )) as Failure & { call?: unknown };
      assert.ok(error instanceof TypeError);
      assert.equal(error.message, 'partly');
      assert.equal(error.code, 'E_PART');
      assert.equal(error.call, undefined);
    },
  },
  {
    title: 'a thrown value that cannot be sent becomes ERR_FURCA_NOT_SENDABLE for that item alone (W-08)',
    async run(pools) {
      const fn = (x: number): number => {
        if (x === 3) throw new WeakMap();
        return x;
      };
      assertEachItem(await eachItem(pools.shared(), fn, 6), [0, 1, 2, 'ERR_FURCA_NOT_SENDABLE', 4, 5]);
    },
  },
  {
    title: 'a module or export that is not there rejects each call, and the pool goes on',
    async run(pools) {
      const pool = pools.shared();
      const missing = functionIn<(x: number) => number>(
        new URL('./no-such-module.js', import.meta.url),
        'work',
      );
      const unnamed = functionIn<(x: number) => number>(
        new URL('../fixtures/pool-tasks.js', import.meta.url),
        'nothing',
      );
      const value = functionIn<(x: number) => number>(
        new URL('../fixtures/pool-tasks.js', import.meta.url),
        'notAFunction',
      );
      for (const fn of [missing, unnamed, value]) {
        const calls = [
          pool.apply(fn, [1]),
          pool.apply(fn, [1]),
          pool.map(fn, [1, 2]),
          pool.imap(fn, [1]).next(),
        ];
        for (const error of await failuresOf(...calls)) {
          assert.ok(error instanceof NotSendableError, String(error));
          assert.equal(error.stage, 'receive');
        }
      }
      assert.match(String((await failureOf(pool.apply(missing, [1]))).cause), /no-such-module/);
      assert.equal(await pool.apply((x: number) => x, [1]), 1);
    },
  },
];
