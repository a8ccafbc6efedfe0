import assert from 'node:assert/strict';
import { NotSendableError, Pool, UsageError } from '../../src/index.js';
import { failureOf, isGone, until } from '../fixtures/pool-outcomes.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;

export const refusalCases: readonly PoolCase[] = [
  {
    title: 'a number of workers that is no whole number from 1 on is refused (PO-10)',
    async run(pools) {
      for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', null] as number[]) {
        const error = await failureOf(() => pools.own(size));
        assert.ok(error instanceof UsageError, String(size));
        assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT');
      }
    },
  },
  {
    title: 'options that make no sense are refused',
    async run(pools) {
      const bad = [
        { retries: -1 },
        { retries: 0.5 },
        { retries: '1' },
        { taskTimeoutMs: 0 },
        { taskTimeoutMs: -5 },
      ];
      const worse = [{ taskTimeoutMs: Number.NaN }, { taskTimeoutMs: '9' }, { name: 5 }];
      for (const options of [...bad, ...worse]) {
        const error = await failureOf(() => pools.own(1, options as object));
        assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT', JSON.stringify(options));
      }
      for (const options of [null, 7]) {
        const error = await failureOf(() => new Pool(1, options as unknown as object));
        assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT', String(options));
      }
      const method = await failureOf(() => new Pool(1, { startMethod: 'clone' as 'fork' }));
      assert.equal(method.code, 'ERR_FURCA_INVALID_ARGUMENT');
    },
  },
  {
    title: 'chunkSize and bufferItems that are no whole number from 1 on are refused at the call',
    async run(pools) {
      const pool = pools.shared();
      for (const bad of [0, -1, 1.5, Number.NaN, '3'] as number[]) {
        for (const options of [{ chunkSize: bad }, { bufferItems: bad }]) {
          for (const method of ['imap', 'imapUnordered', 'imapSettled'] as const) {
            const error = await failureOf(() => pool[method](square, [1], options).next());
            assert.equal(error.code, 'ERR_FURCA_INVALID_ARGUMENT', `${method} ${JSON.stringify(options)}`);
          }
        }
        assert.equal(
          (await failureOf(pool.map(square, [1], { chunkSize: bad }))).code,
          'ERR_FURCA_INVALID_ARGUMENT',
        );
      }
    },
  },
  {
    title: 'functions that cannot travel are refused at the call, with their name, and nothing is begun',
    async run(pools) {
      const pool = pools.shared();
      const captured = { cache: new WeakMap<object, number>() };
      const capturing = (x: number): number => x + (captured.cache.get(captured) ?? 0);
      let read = 0;
      function* input(): Generator<number> {
        read++;
        yield 1;
      }
      await pool.warmUp();
      await until(() => pool.stats().running === 0);
      const before = pool.stats();
      const calls = [
        () => pool.apply(capturing, [1]),
        () => pool.map(capturing, input()),
        () => pool.imap(capturing, input()).next(),
        () => pool.imapUnordered(capturing, input()).next(),
        () => pool.imapSettled(capturing, input()).next(),
      ];
      for (const call of calls) {
        const error = await failureOf(call);
        assert.ok(error instanceof NotSendableError);
        assert.match(
          error.message,
          /^Cannot send a WeakMap at task → function capturing \(.*\) → captured variable captured → \.cache\. /,
        );
      }
      assert.equal(read, 0);
      assert.deepEqual(pool.stats(), before);
    },
  },
  {
    title: 'what is no function is refused at the call',
    async run(pools) {
      const pool = pools.shared();
      for (const no of [undefined, null, 5, 'square', {}] as unknown as ((x: number) => number)[]) {
        const calls = [
          () => pool.apply(no, [1]),
          () => pool.map(no, [1]),
          () => pool.imap(no, [1]).next(),
          () => pool.imapSettled(no, [1]).next(),
        ];
        for (const call of calls) assert.equal((await failureOf(call)).code, 'ERR_FURCA_INVALID_ARGUMENT');
      }
    },
  },
  {
    title: 'what is no input or no list of arguments is refused at the call',
    async run(pools) {
      const pool = pools.shared();
      for (const no of [undefined, null, 5, {}, square] as unknown as number[][]) {
        const calls = [
          () => pool.map(square, no),
          () => pool.imap(square, no).next(),
          () => pool.imapUnordered(square, no).next(),
          () => pool.imapSettled(square, no).next(),
        ];
        for (const call of calls) {
          assert.equal((await failureOf(call)).code, 'ERR_FURCA_INVALID_ARGUMENT', `${String(no)}: ${call}`);
        }
      }
      const badArgs = 5 as unknown as [number];
      assert.equal((await failureOf(() => pool.apply(square, badArgs))).code, 'ERR_FURCA_INVALID_ARGUMENT');
    },
  },
  {
    title: 'a task may make a pool of its own, and nothing of it is left when it ends',
    async run(pools) {
      const door = new URL('../../src/index.js', import.meta.url).href;
      const [sum, pids] = await pools.shared().apply(
        async (url: string): Promise<[number[], number[]]> => {
          const furca = await import(url);
          const inner: Pool = new furca.Pool(2, { startMethod: 'forkserver' });
          const squares = await inner.map((x: number) => x * x, [1, 2, 3]);
          const { pids } = inner.stats();
          await inner.close();
          return [squares, [...pids]];
        },
        [door],
      );
      assert.deepEqual(sum, [1, 4, 9]);
      assert.ok(pids.length > 0);
      await until(() => pids.every(isGone));
    },
  },
];
