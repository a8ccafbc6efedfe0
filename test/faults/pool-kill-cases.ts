import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { type Pool, type StartMethod, Value } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import { killed, range, seededRandom, toArray, until } from '../fixtures/pool-outcomes.js';

const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
after(() => rmSync(folder, { recursive: true }));

const holdFile = join(folder, 'hold');
const holder = new URL('../fixtures/pool-hold-births.js', import.meta.url);
process.env['FURCA_TEST_HOLD'] = holdFile;
// Heeded by what is spawned.
process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --import=${holder.href}`;

const square = (x: number): number => x * x;

/** The two workers of a pool, once both have done something and do nothing any more. */
async function pidsAtWork(pool: Pool): Promise<Set<number>> {
  const ownPid = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return process.pid;
  };
  for (;;) {
    const pids = new Set(await pool.map(ownPid, range(4), { chunkSize: 1 }));
    if (pids.size === 2) return pids;
  }
}

/** Doubles, and counts the workers that have come so far as to do so. */
const slowDouble = (x: number, born: Value<'int32'>): number => {
  const worker = globalThis as { isBorn?: boolean };
  if (worker.isBorn !== true) born.add(1);
  worker.isBorn = true;
  const end = performance.now() + 1.5;
  while (performance.now() < end);
  return x * 2;
};

/**
 * Kills one worker after another, whatever it does, `most` at the most. A pool gives up when too many in a row do not come so far as to
 * work; so before each kill one has.
 */
function startKilling(t: TestContext, pool: Pool, born: Value<'int32'>, pauseMs: number, most: number) {
  const random = seededRandom(most);
  let kills = 0;
  let known = 0;
  const killOne = (): boolean => {
    const { pids } = pool.stats();
    const pid = pids[Math.floor(random() * pids.length)];
    if (born.value === known || pid === undefined || kills >= most || !killed(pid)) return false;
    known = born.value;
    kills++;
    return true;
  };
  const timer = setInterval(killOne, pauseMs);
  const stop = (): number => {
    clearInterval(timer);
    return kills;
  };
  t.after(stop);
  // However late the timer is.
  const firstDeath = until(() => kills > 0 || killOne());
  return { firstDeath, stop };
}

/** Tests that workers may be killed at work, while idle, and before they come up. */
export function testKills(startMethod: StartMethod): void {
  const count = startMethod === 'spawn' ? 500 : 2000;
  test(`${startMethod}: of ${count} tasks on 4 workers, one of which is killed every few hundredths of a second, each gets its result`, {
    timeout: 90_000,
  }, async (t) => {
    const pool = makePool(t, 4, { startMethod, retries: 10 });
    const born = new Value('int32', 0, { lock: false });
    const double = (x: number): number => slowDouble(x, born);
    const quarter = range(count / 4);
    const results = Promise.all([
      Promise.all(quarter.map((x) => pool.apply(double, [x]))),
      pool.map(double, quarter),
      toArray(pool.imap(double, quarter, { chunkSize: 5 })),
      toArray(pool.imapUnordered(double, quarter)),
    ]);
    const { firstDeath, stop } = startKilling(
      t,
      pool,
      born,
      startMethod === 'spawn' ? 150 : 30,
      startMethod === 'spawn' ? 12 : 80,
    );
    await firstDeath;
    const [single, mapped, streamed, unordered] = await results;
    const kills = stop();
    const expected = quarter.map((x) => x * 2);
    assert.deepEqual(single, expected);
    assert.deepEqual(mapped, expected);
    assert.deepEqual(streamed, expected);
    assert.deepEqual(
      unordered.sort((a, b) => a - b),
      expected,
    );
    assert.ok(kills > 0);
    assert.ok(pool.stats().lost <= kills);
    assert.deepEqual(await pool.map(square, range(100)), range(100).map(square));
    assert.equal(pool.stats().workers, 4);
  });

  test(`${startMethod}: a worker that dies while idle is replaced, and nothing fails`, {
    timeout: 90_000,
  }, async (t) => {
    const pool = makePool(t, 2, { startMethod });
    for (let round = 1; round <= 5; round++) {
      for (const pid of await pidsAtWork(pool)) killed(pid);
      assert.deepEqual(await pool.map(square, range(20)), range(20).map(square));
      await until(() => pool.stats().lost === 2 * round && pool.stats().pids.length === 2);
      assert.equal(pool.stats().workers, 2);
    }
  });

  test(`${startMethod}: workers killed before they came up are replaced, and their tasks are run`, {
    timeout: 90_000,
  }, async (t) => {
    // A spawned child is held until it was killed; a forked one cannot be, and may have begun: it has one more try.
    const isHeld = startMethod === 'spawn';
    if (isHeld) writeFileSync(holdFile, '');
    t.after(() => rmSync(holdFile, { force: true }));
    const pool = makePool(t, 2, { startMethod, retries: isHeld ? 0 : 1 });
    const results = pool.map(square, range(50), { chunkSize: 5 });
    await until(() => pool.stats().pids.length === 2);
    const kills = pool.stats().pids.filter(killed).length;
    rmSync(holdFile, { force: true });
    assert.deepEqual(await results, range(50).map(square));
    assert.equal(kills, 2);
  });
}
