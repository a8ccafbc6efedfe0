import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PoolKeeper, poolCases, type WorkerKind } from './pool-cases.js';

/** Of one case: a guard against hangs, also where the machine has much else to do. */
const HANG_MS = 200_000;

/**
 * Runs all cases as tests, with pools of one kind of workers.
 *
 * @param impossible - Titles of cases that cannot hold for this kind, and why.
 */
export function testPools(kind: WorkerKind, impossible: Readonly<Record<string, string>> = {}): void {
  const keeper = new PoolKeeper(kind);
  for (const { title, run } of poolCases) {
    const skip = impossible[title] ?? false;
    test(`${kind}: ${title}`, { timeout: HANG_MS, skip }, async ({ signal }) => {
      // A case that hangs shall fail by itself, not end the file for want of anything alive, nor keep it from ending.
      const alive = setInterval(() => {}, 1000);
      const isLate = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      try {
        await Promise.race([run(keeper), isLate]);
        await keeper.tidyUp();
      } finally {
        clearInterval(alive);
      }
    });
  }
  test(`${kind}: the pool that all of these tests shared ends without a rest`, {
    timeout: HANG_MS,
  }, async () => {
    await keeper.endShared();
  });
  test(`${kind}: what is said to be impossible is a case`, () => {
    const titles = poolCases.map(({ title }) => title);
    assert.deepEqual(
      Object.keys(impossible).filter((title) => !titles.includes(title)),
      [],
    );
  });
}
