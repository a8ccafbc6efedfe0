import assert from 'node:assert/strict';
import { ClosedError, type Pool, TerminatedError, UsageError } from '../../src/index.js';
import { countsOf, failureOf, range, toArray, withGate, workerIds } from '../fixtures/pool-outcomes.js';
import { untilOpen } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const square = (x: number): number => x * x;
const wait = async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};

async function assertRefusesTasks(pool: Pool): Promise<void> {
  let read = 0;
  function* input(): Generator<number> {
    read++;
    yield 1;
  }
  const calls = [
    () => pool.apply(square, [1]),
    () => pool.map(square, input()),
    () => pool.imap(square, input()).next(),
    () => pool.imapUnordered(square, input()).next(),
    () => pool.imapSettled(square, input()).next(),
  ];
  for (const call of calls) {
    const error = await failureOf(call);
    assert.ok(error instanceof ClosedError, String(error));
    assert.equal(error.code, 'ERR_FURCA_CLOSED');
  }
  assert.equal(read, 0);
}

export const endingCases: readonly PoolCase[] = [
  {
    title: 'close lets all accepted work finish, then ends the workers; twice is as good as once',
    async run(pools) {
      const pool = pools.own(2);
      const ids = workerIds(pool);
      const work = [pool.map(wait, [20, 20, 20, 20, 20], { chunkSize: 1 }), pool.apply(square, [4])] as const;
      const stream = toArray(pool.imap(square, range(50)));
      const closing = pool.close();
      await assertRefusesTasks(pool);
      await Promise.all([closing, pool.close(), pool.join()]);
      assert.deepEqual(await work[0], [20, 20, 20, 20, 20]);
      assert.equal(await work[1], 16);
      assert.deepEqual(await stream, range(50).map(square));
      assert.deepEqual(
        { ...countsOf(pool), completed: 0 },
        { workers: 0, ids: 0, queued: 0, running: 0, completed: 0, lost: 0 },
      );
      assert.ok(ids.every((id) => pools.isGone(id)));
      await pool.close();
      await pool.join();
    },
  },
  {
    title: 'a pool that was never used closes, and can be terminated after',
    async run(pools) {
      const pool = pools.own(2);
      await pool.close();
      await pool.terminate();
      await pool.join();
      assert.equal(pool.stats().workers, 0);
    },
  },
  {
    title: 'await using closes the pool at the end of the block',
    async run(pools) {
      let kept: Pool;
      {
        await using pool = pools.own(2);
        kept = pool;
        assert.equal(await pool.apply(square, [3]), 9);
      }
      assert.equal(kept.stats().workers, 0);
      await assertRefusesTasks(kept);
    },
  },
  {
    title: 'join before close is refused, and the pool goes on',
    async run(pools) {
      const pool = pools.shared();
      const error = await failureOf(pool.join());
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, 'ERR_FURCA_INVALID_STATE');
      assert.equal(await pool.apply(square, [3]), 9);
    },
  },
  {
    title: 'join gives up after timeoutMs and when its signal is aborted, and the pool goes on to its end',
    async run(pools) {
      const pool = pools.own(1);
      await withGate(async (gate) => {
        const work = pool.apply(untilOpen, [gate.path]);
        void pool.close();
        assert.equal((await failureOf(pool.join({ timeoutMs: 0 }))).code, 'ERR_FURCA_TIMEOUT');
        const reason = new Error('enough');
        assert.equal(await failureOf(pool.join({ signal: AbortSignal.abort(reason) })), reason);
        gate.open();
        assert.equal(await work, 'open');
      });
      await pool.join();
    },
  },
  {
    title:
      'terminate rejects everything that is not done, with 10,000 tasks queued, and join then returns (PO-12)',
    async run(pools) {
      const pool = pools.own(2);
      const done = await pool.apply(square, [2]);
      assert.equal(done, 4);
      const calls = Promise.allSettled(range(10_000).map(() => pool.apply(wait, [60_000])));
      const map = failureOf(pool.map(wait, range(100).fill(60_000)));
      const behind = failureOf(pool.map(wait, range(100).fill(60_000), { chunkSize: 5 }));
      const next = failureOf(pool.imap(wait, [60_000]).next());
      const unordered = failureOf(pool.imapUnordered(wait, range(1000).fill(60_000)).next());
      await pool.terminate();
      await pool.join();
      for (const one of await calls) {
        assert.ok(one.status === 'rejected' && one.reason instanceof TerminatedError);
        assert.equal(one.reason.code, 'ERR_FURCA_TERMINATED');
      }
      for (const error of await Promise.all([map, behind, next, unordered])) {
        assert.equal(error.code, 'ERR_FURCA_TERMINATED');
      }
      await assertRefusesTasks(pool);
    },
  },
  {
    title: 'terminate ends a worker that blocks its thread or refuses SIGTERM',
    async run(pools) {
      const pool = pools.own(2);
      const stubborn = pool.apply(async () => {
        process.on('SIGTERM', () => {});
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
      const blocking = pool.apply(() => {
        for (;;);
      });
      const failures = Promise.all([failureOf(stubborn), failureOf(blocking)]);
      await pool.terminate();
      for (const error of await failures) assert.equal(error.code, 'ERR_FURCA_TERMINATED');
      assert.equal(pool.stats().workers, 0);
      await assertRefusesTasks(pool);
    },
  },
  {
    title: 'terminate right after the constructor, and after close, ends the pool',
    async run(pools) {
      const fresh = pools.own(3);
      await Promise.all([fresh.terminate(), fresh.terminate()]);
      assert.equal(fresh.stats().workers, 0);
      const closed = pools.own(1);
      const work = failureOf(closed.apply(wait, [60_000]));
      const closing = closed.close();
      await closed.terminate();
      await closing;
      assert.ok((await work) instanceof TerminatedError);
    },
  },
  {
    title: 'results that were there before terminate can still be taken from a stream, then it rejects',
    async run(pools) {
      const pool = pools.own(1);
      const results = pool.imap(wait, [0, 0, 60_000, 60_000], { chunkSize: 1 });
      assert.equal((await results.next()).value, 0);
      assert.equal((await results.next()).value, 0);
      const waiting = failureOf(results.next());
      await pool.terminate();
      assert.equal((await waiting).code, 'ERR_FURCA_TERMINATED');
    },
  },
];
