import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncManager } from '../../src/managers.js';
import { NEEDS_PYTHON, startPython } from '../harness/python.js';
import { eventually } from '../harness/watchdog.js';

// A server of furca, and clients of Python: what a real SyncManager and its proxies do there.

const KEY = 'manager key';

class Counters extends SyncManager {}
Counters.register(
  'Counter',
  class Counter {
    count: number;
    constructor(count = 0) {
      this.count = count;
    }
    add(by = 1): number {
      this.count += by;
      return this.count;
    }
    fail(kind: string): never {
      if (kind === 'range') throw new RangeError('too much');
      throw new Error('own');
    }
    unsendable(): unknown {
      return () => {};
    }
  },
);
Counters.register('shared', (value: unknown) => ({ get: () => value }));

const CLIENT = `
import json, sys, queue, multiprocessing
from multiprocessing.managers import BaseManager, SyncManager, RemoteError
multiprocessing.current_process().authkey = b'manager key'
class M(SyncManager): pass
M.register('Counter')
address = json.loads(sys.argv[1])
m = M(address=tuple(address) if isinstance(address, list) else address, authkey=b'manager key')
m.connect()
def failure(act):
    try: act()
    except BaseException as error: return [type(error).__name__, [str(a)[:200] for a in error.args]]
`;

interface Finding {
  readonly [name: string]: unknown;
}

/** What a program of Python finds out; `address`: its server's. */
async function ask(address: unknown, program: string, ...args: readonly string[]): Promise<Finding> {
  const python = startPython(CLIENT + program, JSON.stringify(address), ...args);
  const line = await python.line();
  assert.deepEqual(await python.result, { code: 0, stderr: '' });
  return JSON.parse(line) as Finding;
}

function pythonic(address: unknown): unknown {
  if (typeof address === 'string') return address;
  const { host, port } = address as { host: string; port: number };
  return [host, port];
}

async function started(address?: { host: string; port: number }): Promise<Counters> {
  const manager = new Counters({ authKey: KEY, address });
  await manager.start();
  return manager;
}

test(
  'A real SyncManager of Python uses dicts, lists, queues and namespaces of a server of furca',
  NEEDS_PYTHON,
  async () => {
    await using manager = await started();
    const found = await ask(
      pythonic(manager.address),
      `
d = m.dict({'a': 1})
d['b'] = (2, b'two', None, 2 ** 70, 1.5)
l = m.list([3, 1, 2]); l.append(4); l.sort()
q = m.Queue(2); q.put('x'); q.put({'y': 1})
n = m.Namespace(); n.z = [1]
d['list'] = l
print(json.dumps({
  'len': len(d), 'in': 'a' in d, 'b': repr(d['b']), 'keys': sorted(d.keys()), 'iterated': sorted(d), 'copy': repr(d.copy()['a']),
  'missing': failure(lambda: d['none']), 'get': d.get('none', 5),
  'list': list(l), 'slice': [l[1:3], l[::2], l[::-1], l[-2:0:-1], l[5:], failure(lambda: l.__setitem__(slice(0, 1), [1]))[0]], 'bad': failure(lambda: l[9]),
  'inner': list(d['list']),
  'got': [q.get(), q.get()], 'empty': failure(lambda: q.get(False)), 'late': failure(lambda: q.get(True, 0.01)),
  'full': failure(lambda: [q.put(i, False) for i in range(3)]), 'size': q.qsize(),
  'z': n.z, 'no': failure(lambda: n.none),
}))`,
    );
    assert.deepEqual(found, {
      len: 3,
      in: true,
      b: "(2, b'two', None, 1180591620717411303424, 1.5)",
      keys: ['a', 'b', 'list'],
      iterated: ['a', 'b', 'list'],
      copy: '1',
      missing: ['KeyError', ['none']],
      get: 5,
      list: [1, 2, 3, 4],
      slice: [[2, 3], [1, 3], [4, 3, 2, 1], [3, 2], [], 'TypeError'],
      bad: ['IndexError', ['list index out of range']],
      inner: [1, 2, 3, 4],
      got: ['x', { y: 1 }],
      empty: ['Empty', []],
      late: ['Empty', []],
      full: ['Full', []],
      size: 2,
      z: [1],
      no: found['no'],
    });
    assert.equal((found['no'] as string[])[0], 'AttributeError');
  },
);

test(
  'Own classes of furca are made and called from Python, over TCP; what they throw is raised there',
  NEEDS_PYTHON,
  async () => {
    await using manager = await started({ host: '127.0.0.1', port: 0 });
    const found = await ask(
      pythonic(manager.address),
      `
c = m.Counter(40)
print(json.dumps({
  'sum': c.add(2), 'default': c.add(), 'value': failure(c._getvalue)[0],
  'range': failure(lambda: c.fail('range')), 'own': failure(lambda: c.fail('own')),
  'unsendable': failure(c.unsendable)[0], 'hidden': failure(lambda: c._callmethod('toString'))[0],
  'type': failure(lambda: m._create('nothing'))[0], 'class': failure(lambda: c.add(json.JSONDecoder))[0],
  'still': c.add(0),
}))`,
    );
    assert.deepEqual(found, {
      sum: 42,
      default: 43,
      value: 'RemoteError',
      range: ['ValueError', ['too much']],
      own: ['RuntimeError', ['own']],
      unsendable: 'RemoteError',
      hidden: 'RemoteError',
      type: 'RemoteError',
      class: 'RemoteError',
      still: 43,
    });
  },
);

test(
  'Python and furca share one object, and a lock that a killed program of Python held is free again',
  NEEDS_PYTHON,
  async () => {
    await using manager = await started();
    const lock = await manager.Lock();
    const list = await manager.list<number>([1]);
    const { ident } = lock.token;
    const python = startPython(
      `${CLIENT}
from multiprocessing.managers import AcquirerProxy, ListProxy, Token
address = m._address
l = ListProxy(Token('list', address, sys.argv[3]), 'pickle', authkey=b'manager key')
l.append(2)
k = AcquirerProxy(Token('Lock', address, sys.argv[2]), 'pickle', authkey=b'manager key')
k.acquire()
print('held')
sys.stdin.read()
`,
      JSON.stringify(pythonic(manager.address)),
      ident,
      list.token.ident,
    );
    assert.equal(await python.line(), 'held');
    assert.deepEqual(await list.copy(), [1, 2]);
    assert.equal(await lock.tryAcquire(), false);
    python.process.kill('SIGKILL');
    await lock.acquire({ timeoutMs: 60_000 });
    await python.result;
    await lock.release();
  },
);

test(
  'A client of Python lets go of its objects when it ends, and may end the server',
  NEEDS_PYTHON,
  async () => {
    const manager = await started();
    const before = await manager.numberOfObjects();
    await ask(pythonic(manager.address), `\nd = m.dict(); print(json.dumps({'size': len(d)}))`);
    await eventually('the dict is gone', async () => (await manager.numberOfObjects()) === before);
    await manager.shutdown();
  },
);

test('A pickle that names code is refused as such, and nothing of it runs', NEEDS_PYTHON, async () => {
  await using manager = await started();
  const found = await ask(
    pythonic(manager.address),
    `
import os
class Evil:
    def __reduce__(self): return (os.system, ('touch /tmp/never',))
d = m.dict()
print(json.dumps({'refused': failure(lambda: d.update({'x': Evil()})), 'still': len(d)}))`,
  );
  assert.equal((found['refused'] as string[])[0], 'RemoteError');
  assert.equal(found['still'], 0);
});
