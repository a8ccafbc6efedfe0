import assert from 'node:assert/strict';
import { ownMembership } from '../../src/arena/member.js';
import { measureUse } from '../../src/arena/walk.js';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  Process,
  RLock,
  Semaphore,
  type StartMethod,
} from '../../src/index.js';
import { answer, outcome } from '../harness/outcome.js';
import { processEntry } from '../harness/proc.js';
import { eventually } from '../harness/watchdog.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

async function started<const Args extends readonly unknown[]>(
  startMethod: StartMethod,
  target: (...args: Args) => unknown,
  args: Args,
): Promise<Process> {
  const child = new Process({ startMethod, target, args } as never);
  await child.start();
  return child as Process;
}

it('Every handle arrives as an object of its class, whole within a message, on the same state', async (method) => {
  using lock = new Lock();
  using rlock = new RLock();
  using semaphore = new Semaphore(3);
  using bounded = new BoundedSemaphore(2);
  using event = new Event();
  using condition = new Condition(lock);
  using barrier = new Barrier(7);
  lock.acquireSync();
  semaphore.acquireSync();
  event.set();
  const seen = await answer(
    method,
    (all: { [name: string]: object }, again: object, nested: Map<string, object[]>) => {
      const { lock, rlock, semaphore, bounded, event, condition, barrier } = all as unknown as {
        lock: Lock;
        rlock: RLock;
        semaphore: Semaphore;
        bounded: BoundedSemaphore;
        event: Event;
        condition: Condition;
        barrier: Barrier;
      };
      const names = Object.values(all).map((one) => one.constructor.name);
      const isWhole = again === lock && nested.get('x')?.[0] === lock && condition.lock === lock;
      const state = [lock.locked(), rlock.locked(), semaphore.value, bounded.value, event.isSet()];
      console.log(JSON.stringify([names, isWhole, state, barrier.parties]));
    },
    [{ lock, rlock, semaphore, bounded, event, condition, barrier }, lock, new Map([['x', [lock]]])],
  );
  assert.deepEqual(seen, [
    ['Lock', 'RLock', 'Semaphore', 'BoundedSemaphore', 'Event', 'Condition', 'Barrier'],
    true,
    [true, false, 2, 2, true],
    7,
  ]);
  lock.release();
});

it('A handle that its sender closes right after the start is whole in the child', async (method) => {
  const event = new Event();
  const answers = new Event();
  const child = await started(
    method,
    async (event: Event, answers: Event) => {
      event.set();
      if (await event.wait()) answers.set();
    },
    [event, answers],
  );
  event.close();
  assert.throws(() => event.set(), { code: 'ERR_FURCA_CLOSED' });
  assert.equal(await answers.wait(), true);
  await child.join();
  answers.close();
});

it('Sending a closed handle is refused with ERR_FURCA_CLOSED, and nothing is started', async (method) => {
  const lock = new Lock();
  lock.close();
  const child = new Process({ startMethod: method, target: (_lock: Lock) => {}, args: [lock] });
  await assert.rejects(child.start(), { code: 'ERR_FURCA_CLOSED' });
});

it('What a child closes or dies with is freed once nobody has it', async (method) => {
  const { arena } = ownMembership();
  await outcome(method, (_lock: Lock) => {}, [new Lock()]);
  const before = measureUse(arena).blocks;
  for (let round = 0; round < 3; round++) {
    const locks = Array.from({ length: 50 }, () => new Lock());
    await outcome(
      method,
      (locks: readonly Lock[]) => {
        for (const lock of locks) lock.close();
      },
      [locks],
    );
    for (const lock of locks) lock.close();
  }
  // 150 locks were made: what is let go of later than its child ends is far less.
  await eventually('the locks are freed', () => measureUse(arena).blocks <= before + 2);
});

it('A lock whose owner is killed goes to the next, who is told its pid', async (method) => {
  using lock = new Lock();
  using taken = new Event();
  const owner = await started(
    method,
    async (lock: Lock, taken: Event) => {
      await lock.acquire();
      taken.set();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    [lock, taken],
  );
  await taken.wait();
  assert.equal(lock.stats().ownerPid, owner.pid);
  assert.equal(lock.tryAcquire(), false);
  const waiting = lock.guard();
  owner.kill();
  const guard = await waiting;
  assert.deepEqual([guard.ownerDied, guard.deadPid], [true, owner.pid]);
  guard.release();
  const next = await lock.guard();
  assert.equal(next.ownerDied, false);
  next.release();
  await owner.join();
});

it('Permits of a killed process come back, but not those without an owner', async (method) => {
  using owned = new Semaphore(2);
  using loose = new Semaphore(2, { returnsPermits: false });
  using taken = new Event();
  const owner = await started(
    method,
    async (owned: Semaphore, loose: Semaphore, taken: Event) => {
      for (const semaphore of [owned, owned, loose]) await semaphore.acquire();
      taken.set();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    [owned, loose, taken],
  );
  await taken.wait();
  assert.deepEqual([owned.value, loose.value], [0, 1]);
  const waiting = owned.acquire();
  owner.kill();
  await waiting;
  await owner.join();
  assert.deepEqual([owned.value, loose.value], [1, 1]);
});

it('A killed waiter holds up neither set() nor notify(), and its notification goes to the next', async (method) => {
  using event = new Event();
  using condition = new Condition();
  using arrived = new Semaphore(0);
  const wait = async (event: Event, condition: Condition, arrived: Semaphore): Promise<void> => {
    await condition.runExclusive(async () => {
      const waiting = condition.wait();
      arrived.release();
      await waiting;
    });
    arrived.release();
    await event.wait();
  };
  const children = [];
  for (let index = 0; index < 2; index++) {
    children.push(await started(method, wait, [event, condition, arrived]));
    await arrived.acquire();
  }
  const [first, second] = children as [Process, Process];
  first.kill();
  await first.join();
  assert.equal(await condition.runExclusive(() => condition.notify()), 1);
  await arrived.acquire();
  event.set();
  await second.join();
  assert.equal(second.exitCode, 0);
});

it('A barrier with a killed party breaks and names it; after reset() it serves again', async (method) => {
  using barrier = new Barrier(3);
  using ready = new Semaphore(0);
  const stay = async (barrier: Barrier, ready: Semaphore): Promise<void> => {
    ready.release();
    await barrier.wait().then(
      () => process.exit(0),
      (error: { code: string }) => process.exit(error.code === 'ERR_FURCA_BARRIER_BROKEN' ? 7 : 1),
    );
  };
  const survivor = await started(method, stay, [barrier, ready]);
  const victim = await started(
    method,
    async (_barrier: Barrier, ready: Semaphore) => {
      ready.release();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    [barrier, ready],
  );
  await ready.acquire();
  await ready.acquire();
  const waiting = barrier.wait();
  victim.kill();
  await assert.rejects(waiting, { code: 'ERR_FURCA_BARRIER_BROKEN', deadPid: victim.pid as number });
  await Promise.all([survivor.join(), victim.join()]);
  assert.equal(survivor.exitCode, 7);
  assert.deepEqual([barrier.broken, barrier.stats().deadPid], [true, victim.pid]);
  barrier.reset();
  assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).sort(), [0, 1, 2]);
});

it('A blocked child takes turns with its parent, and its Sync forms time out', async (method) => {
  using lock = new Lock();
  using turn = new Semaphore(0);
  await lock.acquire();
  const child = await started(
    method,
    (lock: Lock, turn: Semaphore) => {
      try {
        lock.acquireSync({ timeoutMs: 5 });
      } catch (error) {
        if ((error as { code: string }).code !== 'ERR_FURCA_TIMEOUT') throw error;
      }
      turn.release();
      lock.acquireSync();
      turn.release();
    },
    [lock, turn],
  );
  await turn.acquire();
  lock.release();
  await turn.acquire();
  await child.join();
  assert.equal(child.exitCode, 0);
});

it('A child that blocks in a waiting call still runs its handlers of signals', async (method) => {
  for (const how of ['lock', 'semaphore', 'event', 'condition', 'barrier', 'join']) {
    using lock = new Lock();
    using never = new Event();
    using ready = new Event();
    using hurried = new Event();
    await lock.acquire();
    const child = await started(
      method,
      async (how: string, lock: Lock, never: Event, ready: Event, hurried: Event, url: string) => {
        const { Barrier, Condition, Process, Semaphore } = (await import(
          url
        )) as typeof import('../../src/index.js');
        process.on('SIGUSR2', () => hurried.set());
        process.on('SIGTERM', () => process.exit(7));
        const condition = new Condition();
        const sleeper = new Process({
          startMethod: 'spawn',
          daemon: true,
          target: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
        });
        if (how === 'join') await sleeper.start();
        ready.set();
        if (how === 'lock') lock.acquireSync();
        else if (how === 'semaphore') new Semaphore(0).acquireSync();
        else if (how === 'event') never.waitSync();
        else if (how === 'barrier') new Barrier(2).waitSync();
        else if (how === 'join') sleeper.joinSync();
        else {
          condition.acquireSync();
          condition.waitSync();
        }
      },
      [how, lock, never, ready, hurried, new URL('../../src/index.js', import.meta.url).href],
    );
    await ready.wait();
    const pid = child.pid as number;
    await eventually('its thread blocks', () => processEntry(pid)?.state === 'S');
    process.kill(pid, 'SIGUSR2');
    await hurried.wait();
    process.kill(pid, 'SIGTERM');
    await child.join();
    assert.equal(child.exitCode, 7, how);
    lock.release();
  }
});
