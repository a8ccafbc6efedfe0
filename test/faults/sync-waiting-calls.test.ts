import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Barrier, Condition, Event, Lock, Pipe, Queue, RLock, Semaphore } from '../../src/index.js';
import { Thread } from '../../src/threading.js';
import { startChild } from '../harness/children.js';
import { processEntry } from '../harness/proc.js';
import { eventually, watchTests } from '../harness/watchdog.js';

// Every call that blocks a thread: a signal's handler runs meanwhile, and the thread can be terminated.

watchTests(60_000);

async function makeThings() {
  const full = new Queue<number>({ maxItems: 1 });
  await full.put(1);
  const lock = new Lock();
  const rlock = new RLock();
  lock.acquireSync();
  rlock.acquireSync();
  const [end, otherEnd] = Pipe<number, number>();
  return {
    lock,
    rlock,
    semaphore: new Semaphore(0),
    condition: new Condition(),
    event: new Event(),
    barrier: new Barrier(2),
    full,
    empty: new Queue<number>(),
    end,
    otherEnd,
  };
}

type Things = Awaited<ReturnType<typeof makeThings>>;

const CALLS: Readonly<Record<string, (things: Things) => unknown>> = {
  'Lock.acquireSync': ({ lock }) => lock.acquireSync(),
  'Lock.guardSync': ({ lock }) => lock.guardSync(),
  'Lock.acquireSync with a timeout': ({ lock }) => lock.acquireSync({ timeoutMs: 60_000 }),
  'RLock.acquireSync': ({ rlock }) => rlock.acquireSync(),
  'RLock.guardSync': ({ rlock }) => rlock.guardSync(),
  'Semaphore.acquireSync': ({ semaphore }) => semaphore.acquireSync(),
  'Semaphore.guardSync': ({ semaphore }) => semaphore.guardSync(),
  'Condition.waitSync': ({ condition }) => {
    condition.acquireSync();
    condition.waitSync();
  },
  'Condition.waitForSync': ({ condition }) => {
    condition.acquireSync();
    condition.waitForSync(() => false);
  },
  'Event.waitSync': ({ event }) => event.waitSync(),
  'Barrier.waitSync': ({ barrier }) => barrier.waitSync(),
  'Queue.getSync': ({ empty }) => empty.getSync(),
  'Queue.putSync': ({ full }) => full.putSync(2),
  'PipeConnection.recvSync': ({ end }) => end.recvSync(),
};

async function waitHandled(call: (things: Things) => unknown, things: Things, ready: Event): Promise<void> {
  process.on('SIGTERM', () => process.exit(9));
  ready.set();
  await call(things);
}

async function waitPlainly(call: (things: Things) => unknown, things: Things, ready: Event): Promise<void> {
  ready.set();
  await call(things);
}

test('The handler of SIGTERM runs in a process that blocks, in every call', async () => {
  const ends = Object.entries(CALLS).map(async ([name, call]) => {
    const ready = new Event();
    const child = await startChild(waitHandled, [call, await makeThings(), ready]);
    assert.equal(await ready.wait({ timeoutMs: 60_000 }), true);
    await eventually(`${name} blocks`, () => processEntry(child.pid as number)?.state === 'S');
    child.terminate();
    await child.join();
    return [name, child.exitCode];
  });
  assert.deepEqual(
    await Promise.all(ends),
    Object.keys(CALLS).map((name) => [name, 9]),
  );
});

test('A thread that blocks can be terminated, in every call', async () => {
  const ends = Object.entries(CALLS).map(async ([name, call]) => {
    const ready = new Event();
    const thread = new Thread({ target: waitPlainly, args: [call, await makeThings(), ready], daemon: true });
    await thread.start();
    assert.equal(await ready.wait({ timeoutMs: 60_000 }), true);
    await thread.terminate();
    return [name, thread.isAlive()];
  });
  assert.deepEqual(
    await Promise.all(ends),
    Object.keys(CALLS).map((name) => [name, false]),
  );
});
