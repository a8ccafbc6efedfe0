import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import {
  Barrier,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMemory,
  Value,
} from '../../src/index.js';
import { startChild } from '../harness/children.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests();

function makeAll() {
  return {
    lock: new Lock(),
    rlock: new RLock(),
    semaphore: new Semaphore(2),
    condition: new Condition(),
    barrier: new Barrier(3),
    event: new Event(),
    value: new Value('int16', 7),
    array: new SharedArray('float32', [1.5, 2]),
  };
}

type All = ReturnType<typeof makeAll>;

async function own(all: All, ready: Event, go: Event): Promise<void> {
  await all.lock.acquire();
  await all.rlock.acquire();
  await all.semaphore.acquire();
  await all.semaphore.acquire();
  await all.condition.acquire();
  await all.value.getLock().acquire();
  await all.array.getLock().acquire();
  ready.set();
  await go.wait();
  process.exit(0);
}

async function waitForAll(all: All): Promise<void> {
  const { lock, rlock, semaphore, condition, barrier, event } = all;
  await Promise.all([
    lock.acquire(),
    rlock.acquire(),
    semaphore.acquire(),
    condition.runExclusive(() => condition.wait()),
    barrier.wait(),
    event.wait(),
  ]);
}

/** Waits until something shows what it is to show from then on. */
async function comesTo(show: () => unknown, wanted: unknown): Promise<void> {
  await eventually('it shows what it shall', () => isDeepStrictEqual(show(), wanted)).catch(() =>
    assert.deepEqual(show(), wanted),
  );
}

test('stats() of each primitive names its owner by pid, counts who waits, and tells values', async () => {
  const all = makeAll();
  const [ready, go] = [new Event(), new Event()];
  const owner = await startChild(own, [all, ready, go]);
  await ready.wait();
  const waiter = await startChild(waitForAll, [all]);
  const { lock, rlock, semaphore, condition, barrier, event, value, array } = all;
  const ownerPid = owner.pid as number;
  const waitsForAll = (): boolean =>
    [lock, rlock, semaphore, condition.lock, event].every((one) => one.stats().waiters === 1) &&
    barrier.nWaiting === 1;
  await eventually('the child waits for all', waitsForAll);
  assert.deepEqual(lock.stats(), { ownerPid, waiters: 1 });
  assert.deepEqual(rlock.stats(), { ownerPid, waiters: 1 });
  assert.deepEqual(semaphore.stats(), { value: 0, ownerPids: [ownerPid, ownerPid], waiters: 1 });
  assert.deepEqual(condition.stats(), { waiterPids: [], ownerPid });
  assert.deepEqual(event.stats(), { isSet: false, waiters: 1 });
  assert.deepEqual(barrier.stats(), { parties: 3, arrivedPids: [waiter.pid], broken: false, deadPid: null });
  assert.deepEqual(value.stats(), { type: 'int16', value: 7, ownerPid });
  assert.deepEqual(array.stats(), { type: 'float32', length: 2, sizeBytes: 8, ownerPid });
  go.set();
  await owner.join();
  // Who waits for a condition has its lock for a moment longer, and who has got a lock stands among its waiters for a moment longer.
  await comesTo(() => condition.stats(), { waiterPids: [waiter.pid], ownerPid: null });
  await comesTo(() => [lock.stats(), rlock.stats()], Array(2).fill({ ownerPid: waiter.pid, waiters: 0 }));
  waiter.kill();
  await waiter.join();
  assert.deepEqual(lock.stats(), { ownerPid: null, waiters: 0 });
  assert.deepEqual(semaphore.stats(), { value: 2, ownerPids: [], waiters: 0 });
  assert.deepEqual(condition.stats(), { waiterPids: [], ownerPid: null });
  assert.deepEqual(event.stats(), { isSet: false, waiters: 0 });
  const { broken, deadPid } = barrier.stats();
  assert.deepEqual([broken, deadPid], [true, waiter.pid]);
});

test('stats() of shared memory and of a list tell name and size; all are frozen', () => {
  using memory = new SharedMemory({ sizeBytes: 64 });
  assert.deepEqual(memory.stats(), { name: null, namespace: null, sizeBytes: 64 });
  using list = new ShareableList([1, 'a']);
  const { length, layout, name } = list.stats();
  assert.deepEqual([length, layout, name], [2, 'furca', null]);
  const all = Object.values(makeAll());
  for (const one of [...all, memory, list]) assert.ok(Object.isFrozen(one.stats()));
});
