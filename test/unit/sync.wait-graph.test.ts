import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debug, Event, Lock, Process, Semaphore } from '../../src/index.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('waitGraph names who waits for whom, and two processes that wait for each other', async () => {
  const [first, second, event] = [new Lock(), new Lock(), new Event()];
  const both = new Semaphore(0);
  const target = async (own: Lock, other: Lock, both: Semaphore, go: Event): Promise<void> => {
    await own.acquire();
    both.release();
    await go.wait();
    other.acquireSync();
  };
  const a = new Process({ target, args: [first, second, both, event] });
  const b = new Process({ target, args: [second, first, both, event] });
  await Promise.all([a.start(), b.start()]);
  await both.acquire();
  await both.acquire();
  await until(() =>
    debug.waitGraph().waits.some(({ kind, waiters }) => kind === 'Event' && waiters.length === 2),
  );
  assert.deepEqual(debug.waitGraph().cycles, []);
  event.set();
  await until(() => debug.waitGraph().cycles.length > 0);
  const { waits, cycles } = debug.waitGraph();
  assert.deepEqual(
    cycles.map((cycle) => cycle.map(({ pid }) => pid).sort()),
    [[a.pid, b.pid].sort()],
  );
  const locks = waits.filter(({ kind }) => kind === 'Lock');
  assert.equal(locks.length, 2);
  for (const { waiters, holders } of locks) {
    assert.equal(waiters.length, 1);
    assert.equal(holders.length, 1);
    assert.notEqual(waiters[0]?.id, holders[0]?.id);
  }
  a.kill();
  await Promise.all([a.join(), b.join()]);
  assert.deepEqual([a.exitCode, b.exitCode], [-9, 0]);
  assert.deepEqual(debug.waitGraph(), { waits: [], cycles: [] });
});
