import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { NotSendableError } from '../../src/index.js';
import { line, type Request, requests } from '../fixtures/closures-context.js';
import { exported, LibraryError, Shape } from '../fixtures/closures-library.js';
import { failureOf, range } from '../fixtures/pool-outcomes.js';
import type { PoolCase } from './pool-cases.js';

const factor = 3;
let level = 1;
const state = { hits: 0, names: ['a'] };

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  times(by: number): Money {
    return new Money(this.cents * by * factor);
  }
}
class BudgetError extends RangeError {
  readonly missing: Money;
  constructor(missing: Money) {
    super(`missing ${missing.cents}`);
    this.missing = missing;
  }
}

export const closureCases: readonly PoolCase[] = [
  {
    title: 'a task takes along what it captures: numbers, objects, functions, classes and imports',
    async run(pools) {
      const pool = pools.shared();
      const add = (x: number): number => x + factor;
      const results = await pool.map(
        (x: number) => add(exported(x)) + new Money(1).times(1).cents,
        range(20),
      );
      assert.deepEqual(
        results,
        range(20).map((x) => x + 106),
      );
    },
  },
  {
    title: 'what a task captured is what it was at the call, and changes there stay there',
    async run(pools) {
      const pool = pools.own(1);
      const read = (): readonly [number, number, string] => {
        state.hits += 100;
        return [level, state.hits, state.names.join()];
      };
      const first = pool.apply(read);
      level = 2;
      state.hits = 7;
      state.names.push('b');
      const second = pool.apply(read);
      assert.deepEqual(await first, [1, 100, 'a']);
      assert.deepEqual(await second, [2, 107, 'a,b']);
      assert.equal(state.hits, 7);
      level = 1;
      state.hits = 0;
      state.names.pop();
    },
  },
  {
    title: 'instances travel as instances of their class, there and back, whichever worker they were with',
    async run(pools) {
      const pool = pools.own(2);
      const money = await pool.map(
        (m: Money) => [m instanceof Money, m.times(2)] as const,
        range(8).map((x) => new Money(x)),
      );
      for (const [at, [isMoney, back]] of money.entries()) {
        assert.ok(isMoney);
        assert.ok(back instanceof Money);
        assert.equal(back.cents, at * 6);
      }
      const again = await pool.apply((m: Money) => m, [money[3]?.[1] as Money]);
      assert.ok(again instanceof Money);
      const shape = await pool.apply((s: Shape) => new Shape(s.area()), [new Shape(2)]);
      assert.ok(shape instanceof Shape);
      assert.equal(shape.size, 104);
    },
  },
  {
    title: 'an error thrown by a task is an instance of its class here, with everything it has',
    async run(pools) {
      const pool = pools.shared();
      const error = await failureOf(
        pool.apply(() => {
          throw new BudgetError(new Money(5));
        }),
      );
      assert.ok(error instanceof BudgetError);
      assert.ok(error.missing instanceof Money);
      assert.match(error.stack ?? '', /BudgetError|RangeError/);
      const library = await failureOf(
        pool.apply(() => {
          throw new LibraryError(4);
        }),
      );
      assert.ok(library instanceof LibraryError);
      assert.equal(library.detail, 4);
    },
  },
  {
    title: 'functions travel as arguments and as results',
    async run(pools) {
      const pool = pools.shared();
      const compose = await pool.apply(
        (fns: ((x: number) => number)[]) =>
          (x: number): number =>
            fns.reduce((y, fn) => fn(y), x),
        [[(x) => x + factor, Math.abs, exported]],
      );
      assert.equal(compose(-9), 106);
    },
  },
  {
    title: 'a result whose class cannot travel is refused with its path, and the worker goes on',
    async run(pools) {
      const pool = pools.own(1);
      const error = await failureOf(
        pool.apply(() => {
          const hidden = new WeakMap<object, number>();
          return { list: [() => hidden] };
        }),
      );
      assert.ok(error instanceof NotSendableError);
      assert.match(error.path, /^result\.list\[0\] → .* → captured variable hidden$/);
      assert.equal(await pool.apply(() => 5), 5);
    },
  },
  {
    title:
      'a pool told to carries the stores of an AsyncLocalStorage to its tasks, each with that of its call',
    async run(pools) {
      const trace = new AsyncLocalStorage<{ readonly step: number }>();
      const pool = pools.own(2, { carry: [requests, trace] as AsyncLocalStorage<unknown>[] });
      const task = async (x: number): Promise<string> => {
        await Promise.resolve();
        return line(`${x} ${trace.getStore()?.step ?? '-'}`);
      };
      assert.equal(await pool.apply(task, [0]), '[none] 0 -');
      const calls = range(6).map((i) =>
        requests.run({ id: `r${i}` }, () =>
          i % 2 === 0 ? pool.apply(task, [i]) : trace.run({ step: i }, () => pool.apply(task, [i])),
        ),
      );
      assert.deepEqual(
        await Promise.all(calls),
        range(6).map((i) => `[r${i}] ${i} ${i % 2 === 0 ? '-' : i}`),
      );
      const many = requests.run({ id: 'm' }, () => pool.map(task, range(5)));
      assert.deepEqual(
        await many,
        range(5).map((i) => `[m] ${i} -`),
      );
      assert.equal(await pool.apply(task, [9]), '[none] 9 -');
      const bad = await failureOf(() =>
        requests.run({ id: 'x', socket: new WeakMap() } as Request, () => pool.apply(task, [1])),
      );
      assert.ok(bad instanceof NotSendableError);
      assert.match(bad.path, /stores/);
      const wrong = await failureOf(() =>
        pools.own(1, { carry: [5] as unknown as AsyncLocalStorage<unknown>[] }),
      );
      assert.equal(wrong.code, 'ERR_FURCA_INVALID_ARGUMENT');
    },
  },
  {
    title: 'thousands of different functions go through one worker, each with what it captured',
    async run(pools) {
      const pool = pools.own(1);
      const results = await Promise.all(range(1500).map((i) => pool.apply((x: number) => x * i, [2])));
      assert.deepEqual(
        results,
        range(1500).map((i) => i * 2),
      );
      assert.equal(pool.stats().lost, 0);
    },
  },
];
