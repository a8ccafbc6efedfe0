import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncManager } from '../../src/managers.js';
import { DictProxy, ListProxy } from '../../src/managers.js';
import { rejection } from '../fixtures/connection-pairs.js';

/** A server to run the cases against. */
export interface ManagerFactory {
  readonly name: string;
  readonly options: { readonly timeout: number; readonly skip?: string | false };
  manager(): SyncManager;
}

/** Bodies that hold for every server: a real CPython's, and furca's own. */
export function managerCases({ name, options, manager }: ManagerFactory): void {
  const it = (title: string, body: () => Promise<void>): void =>
    void test(`${name}: ${title}`, options, body);

  it('a dict is set, got, listed, popped and copied', async () => {
    await using dict = await manager().dict<string | number, unknown>({ a: 1 });
    await dict.set(2, [1, { deep: true }]);
    assert.equal(await dict.size(), 2);
    assert.deepEqual(await dict.keys(), ['a', 2]);
    assert.equal(await dict.get('a'), 1);
    assert.equal(await dict.get('none'), undefined);
    assert.deepEqual([await dict.has('a'), await dict.has('none')], [true, false]);
    assert.equal(await dict.pop('none', 'otherwise'), 'otherwise');
    assert.match((await rejection(dict.pop('none'))).name, /KeyError/);
    assert.deepEqual([await dict.delete(2), await dict.delete(2)], [true, false]);
    assert.equal(await dict.setdefault('b', 3), 3);
    await dict.update(new Map([['c', 4]]));
    assert.deepEqual(
      await dict.copy(),
      new Map<string, unknown>([
        ['a', 1],
        ['b', 3],
        ['c', 4],
      ]),
    );
    assert.deepEqual(await dict.values(), [1, 3, 4]);
    await dict.clear();
    assert.equal(await dict.size(), 0);
  });

  it('MG-03: iterating a dict gives its keys, and fails when its size changes meanwhile', async () => {
    await using dict = await manager().dict({ a: 1, b: 2, c: 3 });
    const seen: unknown[] = [];
    for await (const key of dict) seen.push(key);
    assert.deepEqual(seen, ['a', 'b', 'c']);
    const error = await rejection(
      (async () => {
        for await (const _ of dict) await dict.set('d', 4);
      })(),
    );
    assert.equal(error.name, 'RuntimeError');
  });

  it('MG-01: a list is sliced, extended, sorted, reversed and popped', async () => {
    await using list = await manager().list([3, 1, 2]);
    await list.append(5);
    await list.extend([4, 4]);
    assert.deepEqual(await list.copy(), [3, 1, 2, 5, 4, 4]);
    assert.deepEqual(await list.slice(1, 3), [1, 2]);
    assert.deepEqual(await list.slice(-2), [4, 4]);
    assert.deepEqual(await list.concat([9]), [3, 1, 2, 5, 4, 4, 9]);
    await list.sort();
    assert.deepEqual(await list.copy(), [1, 2, 3, 4, 4, 5]);
    await list.sort({ reverse: true });
    await list.reverse();
    assert.deepEqual(
      [await list.pop(), await list.pop(0), await list.at(-1), await list.length()],
      [5, 1, 4, 4],
    );
    await list.insert(1, 7);
    await list.set(0, 6);
    await list.delete(2);
    assert.deepEqual(await list.copy(), [6, 7, 4, 4]);
    assert.deepEqual([await list.index(4), await list.count(4), await list.includes(5)], [2, 2, false]);
    await list.remove(4);
    assert.equal((await rejection(list.remove(99))).name, 'ValueError');
    assert.equal((await rejection(list.at(99))).name, 'IndexError');
    assert.deepEqual(await list.copy(), [6, 7, 4]);
  });

  it('MG-02: iteration over a list sees what is appended meanwhile, and ends', async () => {
    await using list = await manager().list([1, 2]);
    const seen: number[] = [];
    for await (const item of list) {
      seen.push(item);
      if (item === 1) await list.append(3);
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('MG-01, MG-05: objects of the server can be put into one another and used there', async () => {
    await using inner = await manager().list([1]);
    await using queue = await manager().Queue<number>();
    await using outer = await manager().list<unknown>([inner]);
    await using dict = await manager().dict<string, unknown>();
    await dict.set('queue', queue);
    await inner.append(2);
    const found = await outer.at(0);
    assert.ok(found instanceof ListProxy);
    assert.deepEqual(await found.copy(), [1, 2]);
    await found.append(3);
    assert.deepEqual(await inner.copy(), [1, 2, 3]);
    const same = (await dict.get('queue')) as typeof queue;
    await same.put(42);
    assert.equal(await queue.get(), 42);
    assert.notEqual(found, inner);
    await found.close();
    await same.close();
  });

  it('an object lives as long as something refers to it, be it another object', async () => {
    const before = await manager().numberOfObjects();
    const outer = await manager().list<unknown>();
    const inner = await manager().dict({ still: 'here' });
    await outer.append(inner);
    await inner.close();
    const found = await outer.pop();
    assert.ok(found instanceof DictProxy);
    assert.equal(await found.get('still'), 'here');
    await outer.close();
    await found.close();
    await found.close();
    assert.equal(await manager().numberOfObjects(), before);
    assert.equal((await rejection(found.get('still'))).code, 'ERR_FURCA_CLOSED');
  });

  it('MG-15: what was fetched is a copy', async () => {
    await using list = await manager().list<unknown>([{ x: 1 }]);
    const copy = (await list.at(0)) as Map<string, number> | { x: number };
    if (copy instanceof Map) copy.set('x', 2);
    else copy.x = 2;
    const again = (await list.at(0)) as Map<string, number> | { x: number };
    assert.equal(again instanceof Map ? again.get('x') : again.x, 1);
  });

  it('MG-06: a namespace has properties, and tells of one that is missing', async () => {
    await using names = await manager().Namespace<{ name: string; job: string }>({ name: 'Bob' });
    await names.set('job', 'builder');
    assert.deepEqual([await names.get('name'), await names.get('job')], ['Bob', 'builder']);
    await names.delete('job');
    assert.equal((await rejection(names.get('job'))).name, 'AttributeError');
    assert.match(await names.repr(), /^Namespace\(name='Bob'\)$/);
  });

  it('values and arrays are set and got', async () => {
    await using value = await manager().Value('i', 1);
    await value.set(2);
    assert.equal(await value.get(), 2);
    await using array = await manager().Array('i', [1, 2, 3]);
    await array.set(1, 7);
    assert.deepEqual([await array.at(1), await array.length()], [7, 3]);
    assert.equal((await rejection(array.at(3))).name, 'IndexError');
  });

  it('a queue hands items on in order, waits, and tells when it is full or empty', async () => {
    await using queue = await manager().Queue<unknown>(2);
    assert.deepEqual([await queue.empty(), await queue.tryGet()], [true, undefined]);
    assert.equal((await rejection(queue.get({ timeoutMs: 20 }))).code, 'ERR_FURCA_TIMEOUT');
    const waiting = queue.get();
    await queue.put({ n: 1 });
    assert.ok(await waiting);
    await queue.put(1);
    assert.equal(await queue.tryPut(2), true);
    assert.equal(await queue.tryPut(3), false);
    assert.equal((await rejection(queue.put(3, { timeoutMs: 20 }))).code, 'ERR_FURCA_TIMEOUT');
    assert.deepEqual([await queue.full(), await queue.qsize()], [true, 2]);
    const putting = queue.put(3);
    assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [1, 2, 3]);
    await putting;
  });

  it('a joinable queue waits until every item is done with', async () => {
    await using queue = await manager().JoinableQueue<number>();
    await queue.put(1);
    await queue.put(2);
    let isJoined = false;
    const joined = queue.join().then(() => {
      isJoined = true;
    });
    await queue.get();
    await queue.taskDone();
    await queue.get();
    assert.equal(isJoined, false);
    await queue.taskDone();
    await joined;
    assert.equal((await rejection(queue.taskDone())).name, 'ValueError');
  });

  it('MG-09: a lock is held once; releasing it unheld is an error', async () => {
    await using lock = await manager().Lock();
    await lock.acquire();
    assert.equal(await lock.tryAcquire(), false);
    assert.equal((await rejection(lock.acquire({ timeoutMs: 20 }))).code, 'ERR_FURCA_TIMEOUT');
    const waiting = lock.acquire();
    await lock.release();
    await waiting;
    await lock.release();
    assert.equal((await rejection(lock.release())).name, 'RuntimeError');
  });

  it('an RLock is taken again by its holder, each proxy being one', async () => {
    await using lock = await manager().RLock();
    await using other = await manager().share(lock);
    await lock.acquire();
    await lock.acquire();
    assert.equal(await other.tryAcquire(), false);
    assert.equal((await rejection(other.release())).name, 'RuntimeError');
    await lock.release();
    assert.equal(await other.tryAcquire(), false);
    await lock.release();
    assert.equal(await other.tryAcquire(), true);
    await other.release();
  });

  it('semaphores count, and a bounded one refuses to go above its start', async () => {
    await using semaphore = await manager().Semaphore(2);
    await semaphore.acquire();
    await semaphore.acquire();
    assert.equal(await semaphore.tryAcquire(), false);
    await semaphore.release();
    assert.equal(await semaphore.tryAcquire(), true);
    await using bounded = await manager().BoundedSemaphore(1);
    assert.equal((await rejection(bounded.release())).name, 'ValueError');
  });

  it('a condition wakes who waits for it, one or all', async () => {
    await using condition = await manager().Condition();
    await using waiter = await manager().share(condition);
    await waiter.acquire();
    const woken = waiter.wait();
    // Only once the waiter has given the lock back can it be taken here.
    await condition.acquire();
    await condition.notify();
    await condition.release();
    assert.equal(await woken, true);
    assert.equal(await waiter.wait({ timeoutMs: 10 }), false);
    await waiter.release();
    assert.equal((await rejection(waiter.wait())).name, 'RuntimeError');
    assert.equal((await rejection(condition.notifyAll())).name, 'RuntimeError');
  });

  it('an event is set, waited for and cleared', async () => {
    await using event = await manager().Event();
    assert.deepEqual([await event.isSet(), await event.wait({ timeoutMs: 10 })], [false, false]);
    const waiting = event.wait();
    await event.set();
    assert.deepEqual([await waiting, await event.wait()], [true, true]);
    await event.clear();
    assert.equal(await event.isSet(), false);
  });

  it('a barrier lets all parties through together, and breaks for all', async () => {
    await using barrier = await manager().Barrier(3);
    const numbers = await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]);
    assert.deepEqual(numbers.sort(), [0, 1, 2]);
    assert.deepEqual(
      [await barrier.parties(), await barrier.waiting(), await barrier.broken()],
      [3, 0, false],
    );
    const broken = [rejection(barrier.wait()), rejection(barrier.wait({ timeoutMs: 20 }))];
    for (const error of await Promise.all(broken)) assert.equal(error.name, 'BrokenBarrierError');
    assert.equal(await barrier.broken(), true);
    await barrier.reset();
    assert.equal(await barrier.broken(), false);
  });

  it('MG-10: a method that is not exposed, an object that is gone and a type that is not there are ERR_FURCA_REMOTE', async () => {
    await using list = await manager().list();
    assert.equal((await rejection(list.call('hidden'))).code, 'ERR_FURCA_REMOTE');
    const error = (await rejection(manager().create('no such type'))) as Error & {
      code?: string;
      remoteTrace?: string;
    };
    assert.equal(error.code, 'ERR_FURCA_REMOTE');
    assert.match(error.remoteTrace ?? '', /no such type/);
    await using again = await manager().share(list);
    await again.close();
    assert.equal((await rejection(again.call('append', [1]))).code, 'ERR_FURCA_CLOSED');
  });

  it('a value that cannot be sent is refused before the call, and the next call works', async () => {
    await using list = await manager().list<unknown>();
    assert.equal((await rejection(list.append(() => 1))).code, 'ERR_FURCA_NOT_SENDABLE');
    await list.append(1);
    assert.equal(await list.length(), 1);
  });

  it('many calls at once each have their answer', async () => {
    await using list = await manager().list(Array.from({ length: 50 }, (_, at) => at));
    const got = await Promise.all(Array.from({ length: 50 }, (_, at) => list.at(at)));
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, at) => at),
    );
  });

  it('a call is given up by signal and by timeoutMs, and the proxy goes on', async () => {
    await using event = await manager().Event();
    const reason = new Error('enough');
    const abort = new AbortController();
    const waiting = rejection(event.wait({ signal: abort.signal }));
    abort.abort(reason);
    assert.equal(await waiting, reason);
    assert.equal((await rejection(event.call('wait', [], { timeoutMs: 20 }))).code, 'ERR_FURCA_TIMEOUT');
    assert.equal(await event.isSet(), false);
  });
}
