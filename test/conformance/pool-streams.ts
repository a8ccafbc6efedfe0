import assert from 'node:assert/strict';
import {
  failureOf,
  outcomesOf,
  range,
  someTurns,
  toArray,
  until,
  withGate,
} from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;

/** An input that notes how far it was read, and whether it was told to stop. */
class Counted {
  read = 0;
  returned = 0;
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
  }

  *items(): Generator<number> {
    try {
      while (this.read < this.#total) yield this.read++;
    } finally {
      this.returned++;
    }
  }

  async *itemsLater(): AsyncGenerator<number> {
    yield* this.items();
  }
}

function* failingAt(at: number, total: number): Generator<number> {
  for (let i = 0; i < total; i++) {
    if (i === at) throw new RangeError(`no item ${i}`);
    yield i;
  }
}

export const streamCases: readonly PoolCase[] = [
  ...([1, 5, 64] as const).flatMap((bufferItems) =>
    (['items', 'itemsLater'] as const).map(
      (kind): PoolCase => ({
        title: `imap reads exactly bufferItems (${bufferItems}) ahead of its consumer from ${kind === 'items' ? 'a' : 'an async'} generator`,
        async run(pools) {
          const input = new Counted(200);
          const results = pools.shared().imap(square, input[kind](), { bufferItems });
          for (let taken = 0; taken < 100; taken++) {
            const mostRead = Math.min(taken + bufferItems, 200);
            if (taken % 20 === 0) {
              await until(() => input.read >= mostRead);
              await someTurns();
            }
            assert.ok(input.read <= mostRead, `${input.read} items were read when ${taken} had been taken`);
            assert.equal((await results.next()).value, taken * taken);
          }
          await results.return?.();
          // A read that was under way comes to its end first.
          await until(() => input.returned === 1);
        },
      }),
    ),
  ),
  {
    title:
      'imap, imapUnordered and imapSettled read a bounded part of an endless input while nobody takes results',
    async run(pools) {
      const pool = pools.own(2);
      for (const method of ['imap', 'imapUnordered', 'imapSettled'] as const) {
        const input = new Counted(Number.POSITIVE_INFINITY);
        const results = pool[method](square, input.items());
        await results.next();
        await until(() => pool.stats().running === 0);
        await someTurns();
        const { read } = input;
        assert.ok(read < 150_000, `${method} read ${read} items`);
        await someTurns();
        assert.equal(input.read, read);
        await results.return?.();
      }
      assert.equal(await pool.apply(square, [3]), 9);
    },
  },
  {
    title: 'a buffer smaller than a chunk makes the chunks smaller',
    async run(pools) {
      const results = pools.shared().imap(square, range(20), { chunkSize: 6, bufferItems: 2 });
      assert.deepEqual(await toArray(results), range(20).map(square));
    },
  },
  {
    title: 'a chunk size that was asked for is kept, the last chunk is what is left',
    async run(pools) {
      const pool = pools.own(1);
      await pool.apply(square, [1]);
      const before = pool.stats().completed;
      await toArray(pool.imap(square, range(23), { chunkSize: 5 }));
      assert.equal(pool.stats().completed - before, 5);
      await pool.map(square, range(23), { chunkSize: 5 });
      assert.equal(pool.stats().completed - before, 10);
    },
  },
  {
    title: 'results are yielded while the input still goes on',
    async run(pools) {
      let letOn: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        letOn = resolve;
      });
      async function* input(): AsyncGenerator<number> {
        yield 1;
        yield 2;
        await gate;
        yield 3;
      }
      const results = pools.shared().imap(square, input());
      assert.equal((await results.next()).value, 1);
      assert.equal((await results.next()).value, 4);
      letOn();
      assert.equal((await results.next()).value, 9);
      assert.equal((await results.next()).done, true);
      assert.equal((await results.next()).done, true);
    },
  },
  {
    title: 'input that throws at item 3 of 10 gives three results, then its own error, then the end (PO-07)',
    async run(pools) {
      const pool = pools.shared();
      for (const chunkSize of [undefined, 1, 2, 4]) {
        const options = chunkSize === undefined ? {} : { chunkSize };
        const ordered = await outcomesOf(pool.imap(square, failingAt(3, 10), options));
        assert.deepEqual(
          ordered.slice(0, 3),
          [0, 1, 4].map((value) => ({ status: 'fulfilled', value })),
        );
        const last = ordered.slice(3);
        assert.equal(last.length, 1);
        const [failed] = last as [PromiseRejectedResult];
        assert.ok(failed.reason instanceof RangeError);
        assert.equal(failed.reason.message, 'no item 3');
        assert.equal((failed.reason as Error).cause, undefined);
        const unordered = await outcomesOf(pool.imapUnordered(square, failingAt(3, 10), options));
        assert.deepEqual(
          unordered.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).sort((a, b) => a - b),
          [0, 1, 4],
        );
        assert.equal(unordered.filter((one) => one.status === 'rejected').length, 1);
      }
      assert.equal((await failureOf(pool.map(square, failingAt(3, 10)))).message, 'no item 3');
      assert.equal((await outcomesOf(pool.imap(square, failingAt(0, 1)))).length, 1);
    },
  },
  {
    title: 'a break out of the loop stops the input, and the workers are free for the next task',
    async run(pools) {
      const pool = pools.own(2);
      for (const method of ['imap', 'imapUnordered', 'imapSettled'] as const) {
        const input = new Counted(Number.POSITIVE_INFINITY);
        let taken = 0;
        for await (const _ of pool[method](square, input.items(), { bufferItems: 40 }))
          if (++taken === 10) break;
        await until(() => input.returned === 1);
        const { read } = input;
        await until(() => pool.stats().running === 0);
        await someTurns();
        assert.equal(input.read, read);
        assert.equal(pool.stats().queued, 0);
        assert.equal(await pool.apply(square, [5]), 25);
      }
    },
  },
  {
    title: 'a break does not wait for a read of the input that may never end',
    async run(pools) {
      async function* input(): AsyncGenerator<number> {
        yield 1;
        await new Promise<never>(() => {});
      }
      for await (const value of pools.shared().imap(square, input())) {
        assert.equal(value, 1);
        break;
      }
      assert.equal(await pools.shared().apply(square, [6]), 36);
    },
  },
  {
    title: 'after a break nothing that was not begun is run',
    async run(pools) {
      const pool = pools.own(1);
      await withGate(async ({ path }) => {
        const othersWait = async (x: number): Promise<number> => {
          if (x > 0) await untilOpen(path);
          return x;
        };
        for await (const _ of pool.imap(othersWait, range(50), { chunkSize: 1 })) break;
        await pool.terminate();
        assert.ok(pool.stats().completed <= 2);
      });
    },
  },
  {
    title: 'several consumers that wait at once get one item each, and all end',
    async run(pools) {
      const results = pools.shared().imap(square, range(5));
      const steps = await Promise.all(range(8).map(() => results.next()));
      assert.deepEqual(
        steps.map((step) => (step.done === true ? 'end' : step.value)),
        [0, 1, 4, 9, 16, 'end', 'end', 'end'],
      );
    },
  },
  {
    title: 'next after return answers that it is done, and return may be called twice',
    async run(pools) {
      const results = pools.shared().imap(square, range(100));
      await results.next();
      assert.deepEqual(await results.return?.(), { done: true, value: undefined });
      assert.deepEqual(await results.return?.(), { done: true, value: undefined });
      assert.deepEqual(await results.next(), { done: true, value: undefined });
    },
  },
  {
    title: 'a next that waits when the stream is given up is answered',
    async run(pools) {
      async function* input(): AsyncGenerator<number> {
        await new Promise<never>(() => {});
        yield 1;
      }
      const results = pools.shared().imap(square, input());
      const waiting = results.next();
      void results.return?.();
      assert.equal((await waiting).done, true);
    },
  },
  {
    title: 'the items of one slow consumer do not hold up another stream or call',
    async run(pools) {
      const pool = pools.shared();
      const slow = pool.imap(square, range(1000), { bufferItems: 3 });
      await slow.next();
      assert.deepEqual(
        await toArray(pool.imap((x: number) => -x, range(100))),
        range(100).map((x) => -x),
      );
      assert.deepEqual(await pool.map(square, range(100)), range(100).map(square));
      assert.equal(await pool.apply(square, [7]), 49);
      await slow.return?.();
    },
  },
];
