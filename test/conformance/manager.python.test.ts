import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DictProxy, keywords, QueueProxy, SyncManager } from '../../src/managers.js';
import { rejection } from '../fixtures/connection-pairs.js';
import { NEEDS_PYTHON, PYTHON, type PythonPeer, startPython } from '../harness/python.js';
import { managerCases } from './manager-cases.js';

const SERVER = `
import json, queue
from multiprocessing.managers import SyncManager
class OwnError(Exception): pass
class Counter:
    def __init__(self, n=0): self.n = n
    def add(self, k=1):
        self.n += k
        return self.n
    def fail(self): raise OwnError('own', 3)
    def give_class(self): return OwnError
    def _hidden(self): pass
    def close(self): return 'closed'
shared = queue.Queue()
class M(SyncManager): pass
M.register('Counter', Counter)
M.register('get_queue', callable=lambda: shared)
m = M(address=('127.0.0.1', 0), authkey=b'manager key')
s = m.get_server()
print(json.dumps(s.address))
s.serve_forever()
`;

let python: PythonPeer | undefined;
let manager: SyncManager;

before(async () => {
  if (PYTHON === undefined) return;
  python = startPython(SERVER);
  const address = JSON.parse(await python.line()) as [string, number];
  manager = new SyncManager({ address, authKey: 'manager key', serializer: 'pickle' });
  await manager.connect();
});

after(async () => {
  if (python === undefined) return;
  await manager.shutdown();
  assert.deepEqual(await python.result, { code: 0, stderr: '' });
  assert.equal((await rejection(manager.create('Counter'))).code, 'ERR_FURCA_CLOSED');
});

managerCases({ name: 'CPython', options: NEEDS_PYTHON, manager: () => manager });

interface Counter {
  add(by?: number): number;
  fail(): never;
  give_class(): unknown;
  close(): string;
}

test('an own class of Python: keyword arguments, typed methods, exposed names', NEEDS_PYTHON, async () => {
  await using counter = await manager.create<Counter>('Counter', keywords({ n: 4 }));
  const sum: number = await counter.add();
  assert.deepEqual([sum, await counter.add(2)], [5, 7]);
  assert.deepEqual([...(counter.exposed ?? [])].sort(), ['add', 'close', 'fail', 'give_class']);
  assert.equal(await counter.call('add', [], { keywords: { k: 10 } }), 17);
  // A name that every proxy has is the proxy's own; `call` reaches the object's.
  assert.equal(await counter.call('close'), 'closed');
});

test('an exception of an own class arrives with its name, text and arguments', NEEDS_PYTHON, async () => {
  await using counter = await manager.create<Counter>('Counter');
  const error = (await rejection(counter.fail())) as Error & { args?: unknown; module?: string };
  assert.deepEqual(
    [error.name, error.message, error.args, error.module],
    ['OwnError', "('own', 3)", ['own', 3], '__main__'],
  );
  assert.equal((await rejection(counter.add('x' as unknown as number))).name, 'TypeError');
});

test(
  'a result that is more than data is refused by name, and the next call works',
  NEEDS_PYTHON,
  async () => {
    await using counter = await manager.create<Counter>('Counter');
    const error = (await rejection(counter.give_class())) as Error & { code?: string; path?: string };
    assert.deepEqual([error.code, error.path], ['ERR_FURCA_NOT_SENDABLE', '__main__.OwnError']);
    assert.equal(await counter.add(), 1);
  },
);

test(
  'a queue that Python code shares is reached by the name it was registered under',
  NEEDS_PYTHON,
  async () => {
    await using queue = await manager.createAs<QueueProxy<string>>(QueueProxy, 'get_queue');
    await using again = await manager.createAs<QueueProxy<string>>(QueueProxy, 'get_queue');
    await queue.put('through Python');
    assert.equal(await again.get(), 'through Python');
  },
);

test('a CPython client and a furca client share an object', NEEDS_PYTHON, async () => {
  await using dict = await manager.dict<string, unknown>();
  const program = `
import sys, json
from multiprocessing.managers import SyncManager, Token, DictProxy
typeid, address, ident = json.loads(sys.argv[1])
token = Token(typeid, (address['host'], address['port']), ident)
d = DictProxy(token, 'pickle', authkey=b'manager key')
d['from python'] = (1, 'two')
print(d['from furca'])
`;
  await dict.set('from furca', 'hello');
  const { typeid, address, ident } = dict.token;
  const client = startPython(program, JSON.stringify([typeid, address, ident]));
  assert.equal(await client.line(), 'hello');
  assert.equal((await client.result).code, 0);
  assert.deepEqual(await dict.get('from python'), [1, 'two']);
});

test('a wrong key, and a server that is not there, are clear errors', NEEDS_PYTHON, async () => {
  const { address } = manager;
  assert.ok(address !== undefined);
  const wrong = new SyncManager({ address, authKey: 'wrong', serializer: 'pickle' });
  assert.equal((await rejection(wrong.connect())).code, 'ERR_FURCA_AUTHENTICATION');
  const nobody = new SyncManager({ address: '/nowhere/at/all', authKey: 'k', serializer: 'pickle' });
  assert.equal((await rejection(nobody.connect())).code, 'ERR_FURCA_BROKEN');
  assert.equal((await rejection(nobody.dict())).code, 'ERR_FURCA_INVALID_STATE');
  assert.equal((await rejection(new SyncManager().connect())).code, 'ERR_FURCA_INVALID_ARGUMENT');
  assert.equal((await rejection(manager.connect())).code, 'ERR_FURCA_INVALID_STATE');
});

test(
  'a server that is killed makes calls reject with ERR_FURCA_BROKEN, those under way and later ones',
  NEEDS_PYTHON,
  async () => {
    const victim = startPython(SERVER);
    const address = JSON.parse(await victim.line()) as [string, number];
    const doomed = new SyncManager({ address, authKey: 'manager key', serializer: 'pickle' });
    await doomed.connect();
    const dict = await doomed.dict();
    assert.ok(dict instanceof DictProxy);
    const event = await doomed.Event();
    const waiting = rejection(event.wait());
    await event.isSet();
    victim.process.kill('SIGKILL');
    assert.equal((await waiting).code, 'ERR_FURCA_BROKEN');
    assert.equal((await rejection(dict.size())).code, 'ERR_FURCA_BROKEN');
    await dict.close();
    doomed.close();
    assert.equal((await rejection(event.isSet())).code, 'ERR_FURCA_CLOSED');
    await victim.result;
  },
);
