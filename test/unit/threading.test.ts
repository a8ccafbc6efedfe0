import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND } from '../../src/arena/layout.js';
import { ownMembership } from '../../src/arena/member.js';
import { countSlots } from '../../src/arena/slots.js';
import { visitBlocks } from '../../src/arena/walk.js';
import { Process, SharedArray, Value } from '../../src/index.js';
import {
  activeThreads,
  Barrier,
  Condition,
  Event,
  Lock,
  Semaphore,
  startNewThread,
  Thread,
} from '../../src/threading.js';
import { runProgram } from '../harness/programs.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests();

const INVALID_STATE = { code: 'ERR_FURCA_INVALID_STATE' };

async function thread<const Args extends readonly unknown[]>(
  target: (...args: Args) => unknown,
  args: Args,
): Promise<Thread> {
  const made = new Thread({ target, args } as never);
  await made.start();
  return made as Thread;
}

/** Waits for those that nobody joins: what they had is free then. */
async function noThreads(): Promise<void> {
  await eventually('no thread runs', () => activeThreads().length === 0);
}

test('A thread runs its function with its arguments, has a name and a number, and is joined', async () => {
  const seen = new SharedArray('int32', 2);
  const made = new Thread({
    name: 'worker',
    target: async (seen: SharedArray<'int32'>, x: number) => {
      const { threadId } = await import('node:worker_threads');
      seen.set(0, x * 2);
      seen.set(1, threadId);
    },
    args: [seen, 21],
  });
  assert.deepEqual([made.name, made.isAlive(), made.ident], ['worker', false, undefined]);
  await assert.rejects(made.join(), INVALID_STATE);
  await made.start();
  await assert.rejects(made.start(), INVALID_STATE);
  await made.join();
  await made.join();
  assert.deepEqual([...seen], [42, made.ident]);
  assert.deepEqual(made.stats(), { name: 'worker', isAlive: false, daemon: false, ident: made.ident });
  assert.deepEqual(activeThreads(), []);
});

test('Threads and processes share locks, values, events, conditions and barriers', async () => {
  const lock = new Lock();
  const count = new SharedArray('int32', 1, { lock: false });
  const barrier = new Barrier(4);
  const done = new Semaphore(0);
  const work = async (
    lock: Lock,
    count: SharedArray<'int32'>,
    barrier: Barrier,
    done: Semaphore,
  ): Promise<void> => {
    await barrier.wait();
    for (let i = 0; i < 2000; i++) {
      if (i % 2 === 0) lock.acquireSync();
      else await lock.acquire();
      count.view[0] = (count.view[0] as number) + 1;
      lock.release();
    }
    barrier.waitSync();
    done.release();
  };
  const child = new Process({ target: work, args: [lock, count, barrier, done] });
  await child.start();
  const threads = [
    await thread(work, [lock, count, barrier, done]),
    await thread(work, [lock, count, barrier, done]),
  ];
  await work(lock, count, barrier, done);
  await Promise.all([child.join(), ...threads.map((one) => one.join())]);
  assert.deepEqual([count.get(0), done.value, lock.locked()], [8000, 4, false]);
});

test('A condition wakes a thread that blocks and a flow that awaits', async () => {
  const condition = new Condition();
  const state = new Value('int32', 0, { lock: false });
  const waiter = await thread(
    (condition: Condition, state: Value<'int32'>) => {
      condition.acquireSync();
      condition.waitForSync(() => state.value === 1);
      state.value = 2;
      condition.notify();
      condition.release();
    },
    [condition, state],
  );
  await condition.acquire();
  state.value = 1;
  condition.notify();
  assert.equal(await condition.waitFor(() => state.value === 2), true);
  condition.release();
  await waiter.join();
});

test('A blocked thread can be terminated in every waiting call, and what it had goes to the next', async () => {
  const holdAndWait = (started: Event, lock: Lock, other: Lock): void => {
    other.acquireSync();
    started.set();
    lock.acquireSync();
  };
  const waitForever = (started: Event, _lock: Lock, _other: Lock, never: Event): void => {
    started.set();
    never.waitSync();
  };
  for (const [target, waitsFor] of [
    [holdAndWait, 'lock'],
    [waitForever, 'never'],
  ] as const) {
    const [started, other] = [new Event(), new Lock()];
    const awaited = { lock: new Lock(), never: new Event() };
    await awaited.lock.acquire();
    const sitter = await thread(target, [started, awaited.lock, other, awaited.never]);
    await started.wait();
    await eventually('the thread waits', () => awaited[waitsFor].stats().waiters === 1);
    await sitter.terminate();
    assert.equal(sitter.isAlive(), false);
    using guard = await other.guard({ timeoutMs: 60_000 });
    assert.equal(guard.ownerDied, waitsFor === 'lock');
    awaited.lock.release();
  }
});

test('join() gives up in time or when told to; joinSync() blocks until the work is done', async () => {
  const go = new Event();
  const sleeper = await thread((go: Event) => void go.waitSync(), [go]);
  await assert.rejects(sleeper.join({ timeoutMs: 5 }), { code: 'ERR_FURCA_TIMEOUT' });
  const reason = new Error('no more');
  await assert.rejects(sleeper.join({ signal: AbortSignal.abort(reason) }), reason);
  assert.throws(() => sleeper.joinSync({ timeoutMs: 5 }), { code: 'ERR_FURCA_TIMEOUT' });
  go.set();
  sleeper.joinSync({ timeoutMs: 60_000 });
  await sleeper.join();
});

test('startNewThread answers a number, and its thread is a daemon', async () => {
  const seen = new Event();
  const ident = startNewThread((seen: Event) => seen.set(), [seen]);
  assert.ok(ident > 0);
  assert.equal(await seen.wait({ timeoutMs: 60_000 }), true);
  await noThreads();
});

test('What a thread throws is printed, and ends that thread alone', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Thread } from 'furca/threading';
    const thread = new Thread({ target: () => { throw new RangeError('mine'); }, name: 'thrower' });
    await thread.start();
    await thread.join();
    console.log('on');
  `);
  assert.deepEqual([code, stdout.trim()], [0, 'on']);
  assert.match(stderr, /thrower.*RangeError: mine/s);
});

test('The threads of a process that is killed are swept with it, nested ones, too', async () => {
  const { arena } = ownMembership();
  const held = new Semaphore(2);
  const before = countSlots(arena);
  const child = new Process({
    startMethod: 'spawn',
    target: async (held: Semaphore, url: string) => {
      const { Thread } = (await import(url)) as typeof import('../../src/threading.js');
      const hold = async (held: Semaphore): Promise<void> => {
        await held.acquire();
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      };
      for (let index = 0; index < 2; index++) await new Thread({ target: hold, args: [held] }).start();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    args: [held, new URL('../../src/threading.js', import.meta.url).href],
  });
  await child.start();
  await eventually('the threads have what they hold', () => held.value === 0);
  child.kill();
  await held.acquire({ timeoutMs: 60_000 });
  await held.acquire({ timeoutMs: 60_000 });
  await child.join();
  assert.equal(countSlots(arena), before);
});

test('A daemon is waited for while it starts, and threads are terminated while they load without harm to the process', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Thread } from 'furca/threading';
    const target = () => new Promise(() => setInterval(() => {}, 1000));
    for (let delayMs = 0; delayMs < 60; delayMs += 12) {
      const thread = new Thread({ target, daemon: true });
      await thread.start();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await thread.terminate();
      console.log(thread.isAlive());
    }
    await new Thread({ target, daemon: true }).start();
  `);
  assert.deepEqual([code, stdout, stderr], [0, 'false\n'.repeat(5), '']);
});

test('Forty threads leave neither slot nor memory behind', async () => {
  const { arena } = ownMembership();
  const before = countSlots(arena);
  const blocks = (): number[] =>
    [KIND.ROBUST_HEAD, KIND.EVENT].map((kind) => {
      let count = 0;
      visitBlocks(arena, kind, () => void count++);
      return count;
    });
  await thread(() => {}, []).then((one) => one.join());
  const blocksBefore = blocks();
  for (let round = 0; round < 4; round++) {
    const threads = Array.from({ length: 10 }, () => new Thread({ target: () => {} }));
    await Promise.all(threads.map((one) => one.start()));
    await Promise.all(threads.map((one) => one.join()));
  }
  assert.equal(countSlots(arena), before);
  // Fewer, where something of an earlier test was let go meanwhile.
  for (const [at, count] of blocks().entries())
    assert.ok(count <= (blocksBefore[at] as number), String(count));
});
