import { test } from 'node:test';
import type { StartMethod } from '../../src/index.js';
import { PoolKeeper, poolCases } from './pool-cases.js';

/** Runs all cases as tests, with pools of one start method. */
export function testPools(startMethod: StartMethod): void {
  const keeper = new PoolKeeper(startMethod);
  for (const { title, run } of poolCases) {
    test(`${startMethod}: ${title}`, { timeout: 20_000 }, async ({ signal }) => {
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
  test(`${startMethod}: the pool that all of these tests shared ends without a rest`, {
    timeout: 20_000,
  }, async () => {
    await keeper.endShared();
  });
}
