import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Process } from '../../src/index.js';
import { BaseManager, Manager, SetProxy, SyncManager } from '../../src/managers.js';
import { rejection } from '../fixtures/connection-pairs.js';
import { Counter, failToInitialize, initialize, makeProbe } from '../fixtures/manager-counter.js';
import { assertNothingLeft, takeBaseline } from '../harness/leaks.js';
import { processEntry } from '../harness/proc.js';
import { eventually } from '../harness/watchdog.js';

/** Against hangs. */
const options = { timeout: 100_000 };

class Counters extends SyncManager {}
Counters.register('Counter', Counter);
Counters.register('Both', Counter, {
  exposed: ['add', '_hidden'],
  methodToTypeid: { another: 'Value', keys: 'Iterator' },
});
Counters.register('probe', makeProbe);
Counters.register('now', async (text: string) => ({ text: () => text }));

test('an own class is made in the server and called there, typed from the class', options, async () => {
  await using manager = new Counters();
  await manager.start();
  await using counter = await manager.create<Counter>('Counter', 40);
  const sum: number = await counter.add(2);
  assert.equal(sum, 42);
  assert.equal(await counter.addLater(1), 43);
  assert.notEqual(await counter.pid(), process.pid);
  const error = (await rejection(counter.fail())) as RangeError & { limit?: number };
  assert.ok(error instanceof RangeError);
  assert.deepEqual([error.message, error.limit], ['too much', 43]);
  assert.match(error.stack ?? '', /manager-counter/);
  assert.equal((await rejection(counter.unsendable())).code, 'ERR_FURCA_REMOTE');
  assert.equal((await rejection(counter.call('_hidden'))).code, 'ERR_FURCA_REMOTE');
  assert.equal(await counter.add(), 44);
  assert.deepEqual(await counter.getValue(), { count: 44 });
});

test(
  'MG-10: exposed says exactly which methods may be called, and methodToTypeid what stays in the server',
  options,
  async () => {
    await using manager = new Counters();
    await manager.start();
    await using both = await manager.create<Counter>('Both', 1);
    assert.deepEqual([...(both.exposed ?? [])].sort(), ['_hidden', 'add', 'another', 'keys']);
    assert.equal(await both.call('_hidden'), 'hidden');
    assert.equal((await rejection(both.call('addLater', [1]))).code, 'ERR_FURCA_REMOTE');
    const iterator = (await both.call('keys')) as AsyncIterable<number>;
    const seen: number[] = [];
    for await (const item of iterator) seen.push(item);
    assert.deepEqual(seen, [1, 2]);
  },
);

test(
  'a maker may be a function, or give a promise; makers of a derived class hide those of its parent',
  options,
  async () => {
    class Derived extends Counters {}
    Derived.register('now', (text: string) => ({ text: () => `derived ${text}` }));
    await using parent = new Counters();
    await using derived = new Derived();
    await Promise.all([parent.start(), derived.start()]);
    for (const [manager, expected] of [
      [parent, 'x'],
      [derived, 'derived x'],
    ] as const) {
      await using made = await manager.create<{ text(): string }>('now', 'x');
      assert.equal(await made.text(), expected);
      await using counter = await manager.create<Counter>('Counter', 1);
      assert.equal(await counter.add(), 2);
    }
  },
);

test(
  'MG-14: the initializer runs once in the server, before all else; one that throws is thrown here',
  options,
  async () => {
    await using manager = new Counters();
    assert.equal((await rejection(manager.start(1 as never))).code, 'ERR_FURCA_INVALID_ARGUMENT');
    await manager.start(initialize, ['hello']);
    await using probe = await manager.create<{ initialized(): string }>('probe');
    assert.equal(await probe.initialized(), 'hello');
    const failing = new Counters();
    const error = await rejection(failing.start(failToInitialize));
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, 'no way to begin');
  },
);

test('a proxy that is forgotten lets go of its object when it is collected', options, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await using manager = await Manager();
  for (let n = 0; n < 5; n++) await manager.list([n]);
  const areGone = async (): Promise<boolean> => {
    collect();
    return (await manager.numberOfObjects()) === 0;
  };
  await eventually('the objects are gone', areGone, 60_000);
});

test(
  'MG-11: shutdown ends the server; every call after it is refused, and nothing is left',
  options,
  async () => {
    const baseline = takeBaseline();
    const manager = await Manager();
    const dict = await manager.dict();
    assert.equal((await rejection(manager.start())).code, 'ERR_FURCA_INVALID_STATE');
    await manager.shutdown();
    await manager.shutdown();
    assert.equal((await rejection(dict.size())).code, 'ERR_FURCA_CLOSED');
    assert.equal((await rejection(manager.dict())).code, 'ERR_FURCA_CLOSED');
    await dict.close();
    assert.equal((await rejection(new SyncManager().shutdown())).code, 'ERR_FURCA_INVALID_STATE');
    {
      await using scoped = await Manager();
      await scoped.list([1]);
    }
    await assertNothingLeft(baseline);
  },
);

test(
  'MG-07: a set has union, intersection and difference, which are plain sets; made of a number it is refused',
  options,
  async () => {
    await using manager = await Manager();
    await using set = await manager.set([1, 2]);
    await set.update([3]);
    await set.discard(9);
    await set.remove(1);
    await set.add(4);
    assert.deepEqual(await set.copy(), new Set([2, 3, 4]));
    assert.deepEqual(await set.union([5]), new Set([2, 3, 4, 5]));
    assert.deepEqual(await set.intersection([2, 9]), new Set([2]));
    assert.deepEqual(await set.difference([2]), new Set([3, 4]));
    assert.deepEqual([await set.has(2), await set.size()], [true, 3]);
    assert.equal((await rejection(set.remove(9))).name, 'KeyError');
    assert.equal((await rejection(manager.createAs(SetProxy, 'set', 1234))).code, 'ERR_FURCA_REMOTE');
  },
);

/** A loopback address that other programs do not use: a port that was free a moment ago could be theirs elsewhere. */
const OWN_HOST = `127.${[16, 8, 0].map((shift) => 1 + ((process.pid >> shift) % 250)).join('.')}`;

test('MG-13: a manager can be started again at the same address at once', options, async () => {
  const first = await Manager({ address: { host: OWN_HOST, port: 0 }, authKey: 'k' });
  const { address } = first;
  assert.ok(typeof address === 'object');
  await first.shutdown();
  await using second = await Manager({ address, authKey: 'k' });
  assert.deepEqual(second.address, address);
  assert.equal((await rejection(Manager({ address }))).code, 'ERR_FURCA_BROKEN');
});

test('another process reaches the objects by address and key', options, async () => {
  await using manager = await Manager({ address: { host: '127.0.0.1', port: 0 }, authKey: 'secret' });
  await using dict = await manager.dict<string, string>();
  await using queue = await manager.Queue<string>();
  await dict.set('greeting', 'hello');
  const child = new Process({
    target: remoteTarget,
    args: [
      manager.address as { host: string; port: number },
      dict.token.ident,
      queue.token.ident,
      new URL('../../src/managers.js', import.meta.url).href,
    ],
  });
  await child.start();
  assert.equal(await queue.get(), 'hello from a child');
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
  assert.equal(
    (await rejection(new SyncManager({ address: manager.address as never, authKey: 'wrong' }).connect()))
      .code,
    'ERR_FURCA_AUTHENTICATION',
  );
});

async function remoteTarget(
  address: { host: string; port: number },
  dictIdent: string,
  queueIdent: string,
  module: string,
): Promise<void> {
  const {
    DictProxy,
    QueueProxy,
    SyncManager: Remote,
  } = (await import(module)) as typeof import('../../src/managers.js');
  const manager = new Remote({ address, authKey: 'secret' });
  await manager.connect();
  const dict = await manager.proxy(DictProxy<string, string>, { typeid: 'dict', address, ident: dictIdent });
  const queue = await manager.proxy(QueueProxy<string>, { typeid: 'Queue', address, ident: queueIdent });
  await queue.put(`${await dict.get('greeting')} from a child`);
  manager.close();
}

test('MG-17: the server ignores SIGINT; when its manager is gone it ends by itself', options, async () => {
  await using manager = new Counters();
  await manager.start();
  await using counter = await manager.create<Counter>('Counter');
  const pid = await counter.pid();
  process.kill(pid, 'SIGINT');
  assert.equal(await counter.add(), 1);
  await manager.shutdown();
  await eventually('the server has ended', () => {
    const entry = processEntry(pid);
    return entry === undefined || entry.state === 'Z';
  });
});

test('what cannot be right is refused before anything is started', options, async () => {
  for (const use of [
    () => BaseManager.register('', Counter),
    () => BaseManager.register('x', 7 as never),
    () => BaseManager.register('x', Counter, { exposed: 'add' as never }),
    () => BaseManager.register('x', Counter, { methodToTypeid: 1 as never }),
    () => new BaseManager({ serializer: 'json' as never }),
    () => new BaseManager(null as never),
    () => new BaseManager({ authKey: 7 as never }),
    () => new BaseManager({ address: '' }),
  ]) {
    assert.throws(use, { code: 'ERR_FURCA_INVALID_ARGUMENT' }, String(use));
  }
  assert.equal(
    (await rejection(new BaseManager({ serializer: 'pickle' }).start())).code,
    'ERR_FURCA_INVALID_ARGUMENT',
  );
  assert.equal((await rejection(new BaseManager().share({} as never))).code, 'ERR_FURCA_INVALID_ARGUMENT');
  assert.equal(
    (await rejection(new BaseManager().proxy(SetProxy, null as never))).code,
    'ERR_FURCA_INVALID_ARGUMENT',
  );
  assert.equal((await rejection(new BaseManager().create('dict'))).code, 'ERR_FURCA_INVALID_STATE');
});

test(
  'a class that is written in the program itself, and captures variables, can be registered',
  options,
  async () => {
    const factor = 3;
    class Scaler {
      scale(x: number): number {
        return x * factor;
      }
    }
    class Scalers extends BaseManager {}
    Scalers.register('Scaler', Scaler);
    await using manager = new Scalers();
    await manager.start();
    await using scaler = await manager.create<Scaler>('Scaler');
    assert.equal(await scaler.scale(14), 42);
  },
);

test('a server that was killed leaves no socket behind once its manager is shut down', options, async () => {
  const manager = new Counters();
  await manager.start();
  const counter = await manager.create<Counter>('Counter');
  const path = manager.address as string;
  process.kill(await counter.pid(), 'SIGKILL');
  assert.equal(
    (await rejection(eventually('calls fail', async () => (await counter.add()) < 0))).code,
    'ERR_FURCA_BROKEN',
  );
  await manager.shutdown();
  assert.deepEqual([existsSync(path), existsSync(dirname(path))], [false, false]);
});
