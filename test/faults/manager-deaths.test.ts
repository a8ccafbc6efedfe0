import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Manager, type SyncManager, type Token } from '../../src/managers.js';
import { rejection } from '../fixtures/connection-pairs.js';
import { processEntry } from '../harness/proc.js';
import { type RunningProgram, startProgram } from '../harness/programs.js';
import { eventually } from '../harness/watchdog.js';

const options = { timeout: 100_000 };

let manager: SyncManager;

before(async () => {
  manager = await Manager({ authKey: 'k' });
});

after(async () => {
  await manager.shutdown();
});

/** A client in a process of its own, with `object`, a proxy of the token's; it says `done` after `body`, and lives on. */
async function client(token: Token, body: string, of: SyncManager = manager): Promise<RunningProgram> {
  const program = startProgram(`
import * as managers from 'furca/managers';
const manager = new managers.SyncManager(${JSON.stringify({ address: of.address, authKey: 'k' })});
await manager.connect();
const token = ${JSON.stringify(token)};
const type = { Lock: managers.AcquirerProxy, Semaphore: managers.AcquirerProxy, RLock: managers.RLockProxy, Condition: managers.ConditionProxy,
  Barrier: managers.BarrierProxy, Queue: managers.QueueProxy, list: managers.ListProxy }[token.typeid];
const object = await manager.proxy(type, token);
${body}
console.log('done');
setInterval(() => {}, 1000);
`);
  await program.saw(/done/);
  return program;
}

function kill(program: RunningProgram): void {
  program.process.kill('SIGKILL');
}

for (const typeid of ['Lock', 'RLock'] as const) {
  test(`W-20: a ${typeid} that a killed client held is had by the next in line`, options, async () => {
    await using lock = await manager[typeid]();
    const victim = await client(lock.token, 'await object.acquire();');
    assert.equal(await lock.tryAcquire(), false);
    const waiting = lock.acquire({ timeoutMs: 60_000 });
    kill(victim);
    await waiting;
    await lock.release();
    await victim.result;
  });
}

test('W-20: the permits of a killed client are given back, and no more', options, async () => {
  await using semaphore = await manager.Semaphore(3);
  const victim = await client(
    semaphore.token,
    'await object.acquire(); await object.acquire(); await object.acquire(); await object.release();',
  );
  assert.equal(await semaphore.tryAcquire(), true);
  assert.equal(await semaphore.tryAcquire(), false);
  kill(victim);
  await semaphore.acquire({ timeoutMs: 60_000 });
  await semaphore.acquire({ timeoutMs: 60_000 });
  assert.equal(await semaphore.tryAcquire(), false);
  await victim.result;
});

test('W-20: a client that is killed while it waits for a lock does not get it', options, async () => {
  await using lock = await manager.Lock();
  await lock.acquire();
  const victim = await client(lock.token, 'void object.acquire(); await manager.numberOfObjects();');
  kill(victim);
  await victim.result;
  await lock.release();
  await lock.acquire({ timeoutMs: 60_000 });
  await lock.release();
});

test('W-20: the references of a killed client go, those of others stay', options, async () => {
  // With a server of its own: objects of others may still be on their way out.
  await using own = await Manager({ authKey: 'k' });
  await using list = await own.list(['mine']);
  const before = await own.numberOfObjects();
  const victim = await client(
    list.token,
    'await manager.dict({}); globalThis.kept = [await manager.list([1]), await manager.Queue()];',
    own,
  );
  assert.ok((await own.numberOfObjects()) >= before + 2);
  kill(victim);
  await eventually('the objects of the dead are gone', async () => (await own.numberOfObjects()) === before);
  assert.deepEqual(await list.copy(), ['mine']);
  await victim.result;
});

test('a barrier breaks for all when a party is killed while it waits', options, async () => {
  await using barrier = await manager.Barrier(3);
  const victim = await client(
    barrier.token,
    'void object.wait().catch(() => {}); while ((await object.waiting()) === 0);',
  );
  const waiting = rejection(barrier.wait());
  kill(victim);
  assert.equal((await waiting).name, 'BrokenBarrierError');
  await victim.result;
});

test('a client that is killed while it waits for an item takes none', options, async () => {
  await using queue = await manager.Queue<number>();
  const victim = await client(
    queue.token,
    'void object.get().catch(() => {}); await manager.numberOfObjects(); await object.qsize();',
  );
  kill(victim);
  await victim.result;
  // The server learns of the death and of the item on two connections, in any order: an item that nobody received goes back.
  await queue.put(1);
  assert.equal(await queue.get({ timeoutMs: 60_000 }), 1);
});

test('clients that are killed at random lose no item and hold no lock', options, async () => {
  await using lock = await manager.Lock();
  const victims = await Promise.all(
    Array.from({ length: 6 }, () =>
      client(
        lock.token,
        'void (async () => { for (;;) { await object.acquire(); await object.release(); } })();',
      ),
    ),
  );
  for (const [at, victim] of victims.entries()) {
    await new Promise((resolve) => setTimeout(resolve, at * 3));
    kill(victim);
  }
  await Promise.all(victims.map(({ result }) => result));
  await lock.acquire({ timeoutMs: 60_000 });
  await lock.release();
});

test('the server ends with the process that started it, however that ends', options, async () => {
  const program = startProgram(`
import { BaseManager } from 'furca/managers';
class Own extends BaseManager {}
Own.register('pid', () => ({ pid: () => process.pid }));
const manager = new Own();
await manager.start();
const probe = await manager.create('pid');
console.log('server', await probe.call('pid'));
setInterval(() => {}, 1000);
`);
  const pid = Number((await program.saw(/server (\d+)/))[1]);
  kill(program);
  await program.result;
  // Dead, and perhaps still to be noted by the machine's first process.
  await eventually('the server is gone', () => (processEntry(pid)?.state ?? 'Z') === 'Z');
});

test('a program that leaves its manager to itself ends, and its server with it', options, async () => {
  const program = startProgram(`
import { Manager } from 'furca';
const manager = await Manager();
const list = await manager.list([1, 2]);
console.log(await list.copy());
`);
  assert.deepEqual(await program.result.then(({ code, stdout, stderr }) => [code, stdout.trim(), stderr]), [
    0,
    '[ 1, 2 ]',
    '',
  ]);
});
