import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  Value,
} from '../../src/index.js';
import { startChild } from '../harness/children.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids: groups LK, SE, CO, EV, BA.

watchTests();

const INVALID_STATE = { code: 'ERR_FURCA_INVALID_STATE' };
const INVALID_ARGUMENT = { code: 'ERR_FURCA_INVALID_ARGUMENT' };
const BROKEN = { code: 'ERR_FURCA_BARRIER_BROKEN' };

test('LK-02: locked() is true in both processes while the other holds the Lock or RLock', async () => {
  for (const lock of [new Lock(), new RLock()]) {
    const held = new Event();
    const go = new Event();
    const child = await startChild(
      async (lock: Lock | RLock, held: Event, go: Event) => {
        await lock.acquire();
        if (!lock.locked()) process.exit(3);
        held.set();
        await go.wait();
        lock.release();
      },
      [lock, held, go],
    );
    await held.wait();
    assert.equal(lock.locked(), true);
    go.set();
    await child.join();
    assert.deepEqual([child.exitCode, lock.locked()], [0, false]);
  }
});

test('LK-03: three acquires of an RLock need three releases, and a fourth is an error', async () => {
  const lock = new RLock();
  for (let depth = 0; depth < 3; depth++) await lock.acquire();
  for (let depth = 0; depth < 3; depth++) {
    assert.equal(lock.locked(), true);
    lock.release();
  }
  assert.equal(lock.locked(), false);
  assert.throws(() => lock.release(), INVALID_STATE);
  lock.acquireSync();
  lock.acquireSync();
  assert.ok(lock.tryAcquire());
  for (let depth = 0; depth < 3; depth++) lock.release();
  assert.throws(() => lock.release(), INVALID_STATE);
});

test('LK-04: using releases a Lock and an RLock', async () => {
  for (const lock of [new Lock(), new RLock()]) {
    {
      using guard = await lock.guard();
      assert.deepEqual([guard.ownerDied, guard.deadPid, lock.locked()], [false, null, true]);
    }
    assert.equal(lock.locked(), false);
    const guard = lock.guardSync();
    guard.release();
    assert.throws(() => guard.release(), INVALID_STATE);
    assert.equal(await lock.runExclusive(() => lock.locked()), true);
    await assert.rejects(
      lock.runExclusive(() => Promise.reject(new RangeError('mine'))),
      RangeError,
    );
    assert.equal(lock.locked(), false);
  }
});

test('LK-06: a Lock may be released by another process than the one that took it', async () => {
  const lock = new Lock();
  await lock.acquire();
  await (await startChild((lock: Lock) => lock.release(), [lock])).join();
  assert.equal(lock.locked(), false);
  assert.throws(() => lock.release(), INVALID_STATE);
  assert.ok(lock.tryAcquire());
});

test('LK-07: a held lock is refused at once by tryAcquire, and with timeouts of 0 and below', async () => {
  const lock = new Lock();
  assert.ok(lock.tryAcquire());
  assert.equal(lock.tryAcquire(), false);
  for (const timeoutMs of [0, -1]) {
    await assert.rejects(lock.acquire({ timeoutMs }), { code: 'ERR_FURCA_TIMEOUT' });
    assert.throws(() => lock.acquireSync({ timeoutMs }), { code: 'ERR_FURCA_TIMEOUT' });
  }
  await assert.rejects(lock.acquire({ timeoutMs: Number.NaN }), INVALID_ARGUMENT);
  const gone = new Error('no more');
  await assert.rejects(lock.acquire({ signal: AbortSignal.abort(gone) }), gone);
  const controller = new AbortController();
  const waiting = lock.acquire({ signal: controller.signal });
  controller.abort(gone);
  await assert.rejects(waiting, gone);
  assert.deepEqual(lock.stats(), { ownerPid: process.pid, waiters: 0 });
});

test('Two async flows never both enter an RLock, nor flows that its owner starts', async () => {
  const lock = new RLock();
  let inside = 0;
  const flow = async (): Promise<void> => {
    await lock.acquire();
    await lock.acquire();
    inside++;
    assert.equal(inside, 1);
    await sleep(1);
    inside--;
    lock.release();
    lock.release();
  };
  await Promise.all(Array.from({ length: 8 }, flow));
  const later = async (): Promise<void> => {
    await sleep(1);
    await flow();
  };
  await Promise.all(Array.from({ length: 8 }, later));
  await lock.runExclusive(() => Promise.all(Array.from({ length: 4 }, later)));
  assert.equal(lock.locked(), false);
  await lock.acquire();
  const other = sleep(1).then(() => assert.throws(() => lock.acquireSync(), INVALID_STATE));
  await other.catch(() => {});
  lock.release();
});

test('Flows of one process get a lock in the order in which they asked, and none overtakes', async () => {
  const lock = new Lock();
  const order: number[] = [];
  await lock.acquire();
  const flows = Array.from({ length: 20 }, async (_, index) => {
    await lock.acquire();
    order.push(index);
    await sleep(0);
    lock.release();
  });
  lock.release();
  await Promise.all(flows);
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('A process that takes a lock again and again starves no other', async () => {
  const lock = new Lock();
  const stop = new Event();
  const greedy = await startChild(
    (lock: Lock, stop: Event) => {
      while (!stop.isSet()) {
        lock.acquireSync();
        for (let busy = 0; busy < 20_000; busy++);
        lock.release();
      }
    },
    [lock, stop],
  );
  for (let turn = 0; turn < 100; turn++) {
    await lock.acquire({ timeoutMs: 60_000 });
    lock.release();
  }
  stop.set();
  await greedy.join();
  assert.equal(greedy.exitCode, 0);
});

test('SE-01: a semaphore counts down and up, also beyond its start', () => {
  const semaphore = new Semaphore(2);
  const values = [semaphore.value];
  for (let taken = 0; taken < 2; taken++) {
    semaphore.acquireSync();
    values.push(semaphore.value);
  }
  assert.equal(semaphore.tryAcquire(), false);
  for (let given = 0; given < 4; given++) {
    semaphore.release();
    values.push(semaphore.value);
  }
  assert.deepEqual(values, [2, 1, 0, 1, 2, 3, 4]);
  const bounded = new BoundedSemaphore(2);
  assert.throws(() => bounded.release(), INVALID_STATE);
  assert.equal(bounded.value, 2);
  bounded.acquireSync();
  assert.throws(() => bounded.release(2), INVALID_STATE);
  assert.equal(bounded.value, 1);
});

test('SE-03: an empty semaphore is refused at once or in time', async () => {
  const semaphore = new Semaphore(0);
  assert.equal(semaphore.tryAcquire(), false);
  for (const timeoutMs of [0, 20]) {
    await assert.rejects(semaphore.acquire({ timeoutMs }), { code: 'ERR_FURCA_TIMEOUT' });
    assert.throws(() => semaphore.acquireSync({ timeoutMs }), { code: 'ERR_FURCA_TIMEOUT' });
  }
  assert.equal(semaphore.stats().waiters, 0);
});

test('SE-04: a negative, broken or endless number of permits is refused', () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    assert.throws(() => new Semaphore(value), INVALID_ARGUMENT);
  }
  const semaphore = new Semaphore(1);
  for (const count of [0, -1, 1.5]) assert.throws(() => semaphore.release(count), INVALID_ARGUMENT);
  assert.equal(semaphore.value, 1);
});

test('CO-01, CO-03: notify wakes as many as it is told, the longest waiting first', async () => {
  const condition = new Condition();
  const woken: number[] = [];
  const waiters = Array.from({ length: 6 }, async (_, index) => {
    await condition.runExclusive(async () => {
      assert.equal(await condition.wait(), true);
      woken.push(index);
    });
  });
  const notify = (count: number): Promise<number> => condition.runExclusive(() => condition.notify(count));
  while (condition.stats().waiterPids.length < 6) await sleep(1);
  assert.equal(await notify(2), 2);
  while (woken.length < 2) await sleep(1);
  assert.deepEqual([...woken].sort(), [0, 1]);
  assert.equal(await notify(4), 4);
  await Promise.all(waiters);
  assert.equal(await notify(3), 0);
  assert.equal(await condition.runExclusive(() => condition.notifyAll()), 0);
});

test('CO-04: wait answers whether it was notified in time', async () => {
  for (const condition of [new Condition(), new Condition(new Lock())]) {
    await condition.acquire();
    assert.equal(await condition.wait({ timeoutMs: 10 }), false);
    assert.equal(await condition.wait({ timeoutMs: 0 }), false);
    assert.equal(condition.waitSync({ timeoutMs: 5 }), false);
    assert.equal(condition.stats().ownerPid, process.pid);
    const waiting = condition.wait();
    void condition.runExclusive(() => condition.notify());
    assert.equal(await waiting, true);
    const reason = new Error('no more');
    const controller = new AbortController();
    const aborted = condition.wait({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(aborted, reason);
    condition.release();
    assert.equal(condition.stats().ownerPid, null);
  }
});

test('CO-05: waitFor answers the last answer of its predicate, across processes', async () => {
  const condition = new Condition();
  const state = new Value('int32', 0, { lock: false });
  const child = await startChild(
    async (condition: Condition, state: Value<'int32'>) => {
      await condition.acquire();
      await condition.waitFor(() => state.value === 0);
      for (let step = 1; step <= 4; step++) {
        state.add(1);
        condition.notify();
        await condition.wait({ timeoutMs: 1 });
      }
      condition.release();
    },
    [condition, state],
  );
  await condition.acquire();
  assert.equal(await condition.waitFor(() => state.value === 4), true);
  assert.equal(await condition.waitFor(() => state.value === 5, { timeoutMs: 20 }), false);
  assert.equal(
    condition.waitForSync(() => 'x'),
    'x',
  );
  condition.release();
  await child.join();
});

test('CO-07: wait and notify need the lock, and wait gives back a lock that was taken twice', async () => {
  const condition = new Condition();
  await assert.rejects(condition.wait(), INVALID_STATE);
  await assert.rejects(
    condition.waitFor(() => true),
    INVALID_STATE,
  );
  assert.throws(() => condition.notify(), INVALID_STATE);
  assert.throws(() => condition.waitSync(), INVALID_STATE);
  assert.throws(() => new Condition({} as Lock), INVALID_ARGUMENT);
  await condition.acquire();
  await condition.acquire();
  assert.throws(() => condition.notify(0), INVALID_ARGUMENT);
  const waiting = condition.wait();
  assert.equal(condition.lock.locked(), false);
  void condition.runExclusive(() => condition.notify());
  assert.equal(await waiting, true);
  condition.release();
  assert.equal(condition.lock.locked(), true);
  condition.release();
  assert.equal(condition.lock.locked(), false);
});

test('EV-01: an event answers by its flag, at once or in time', async () => {
  const event = new Event();
  assert.equal(event.isSet(), false);
  assert.equal(await event.wait({ timeoutMs: 0 }), false);
  assert.equal(await event.wait({ timeoutMs: 10 }), false);
  assert.equal(event.waitSync({ timeoutMs: 5 }), false);
  event.set();
  event.set();
  assert.equal(event.isSet(), true);
  assert.equal(await event.wait(), true);
  assert.equal(event.waitSync({ timeoutMs: 5 }), true);
  event.clear();
  assert.equal(event.isSet(), false);
  const waiting = event.wait();
  event.set();
  event.clear();
  assert.equal(await waiting, true, 'who waited when it was set is released though it was cleared');
});

test('EV-02: after clear() a child that sets it releases the wait', async () => {
  const event = new Event();
  event.set();
  event.clear();
  const child = await startChild(
    async (event: Event) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      event.set();
    },
    [event],
  );
  assert.equal(event.waitSync(), true);
  await child.join();
});

test('BA-01, BA-02, BA-03: parties go in lockstep, each round has each place once, and its action once', async () => {
  let rounds = 0;
  const barrier = new Barrier(5, { action: () => void rounds++ });
  const seen: number[][] = Array.from({ length: 10 }, () => []);
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      for (let round = 0; round < 10; round++) {
        seen[round]?.push(await barrier.wait());
        assert.equal(rounds, round + 1);
        // Before anybody can have come to the next round.
        await sleep(0);
        assert.equal(rounds, round + 1);
      }
    }),
  );
  for (const places of seen) assert.deepEqual([...places].sort(), [0, 1, 2, 3, 4]);
  assert.deepEqual([barrier.nWaiting, barrier.broken, barrier.parties], [0, false, 5]);
});

test('BA-05, BA-06: reset() breaks the round for who waits; abort() and reset() make it usable again', async () => {
  const barrier = new Barrier(3);
  const waiting = [barrier.wait(), barrier.wait()];
  while (barrier.nWaiting < 2) await sleep(1);
  barrier.reset();
  for (const one of waiting) await assert.rejects(one, BROKEN);
  assert.equal(barrier.broken, false);
  const all = (): Promise<number[]> => Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]);
  assert.deepEqual(await all(), [0, 1, 2]);
  const last = barrier.wait();
  barrier.abort();
  await assert.rejects(last, BROKEN);
  await assert.rejects(barrier.wait(), BROKEN);
  assert.throws(() => barrier.waitSync(), BROKEN);
  assert.equal(barrier.broken, true);
  barrier.reset();
  assert.deepEqual(await all(), [0, 1, 2]);
});

test('BA-07: a party that comes too late breaks the barrier for all, by the time of wait or of the constructor', async () => {
  for (const [constructed, waited] of [
    [undefined, 30],
    [30, undefined],
  ]) {
    const barrier = new Barrier(3, constructed === undefined ? {} : { timeoutMs: constructed });
    const early = [0, 1].map(() => assert.rejects(barrier.wait({ timeoutMs: waited }), BROKEN));
    await Promise.all(early);
    await assert.rejects(barrier.wait({ timeoutMs: waited }), BROKEN);
  }
  for (const parties of [0, -1, 1.5, 10_000]) assert.throws(() => new Barrier(parties), INVALID_ARGUMENT);
  const failing = new Barrier(1, {
    action: () => {
      throw new RangeError('action');
    },
  });
  await assert.rejects(failing.wait(), RangeError);
  assert.equal(failing.broken, true);
});
