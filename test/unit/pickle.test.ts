import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dumps,
  float,
  frozenset,
  loads,
  PythonComplex,
  PythonError,
  PythonFloat,
  tuple,
} from '../../src/connection.js';
import { NotSendableError } from '../../src/index.js';
import { NEEDS_PYTHON, runPython } from '../harness/python.js';
import { mutated, SEED, seeded } from '../harness/random.js';

const VALUES: readonly (readonly [value: unknown, python: string])[] = [
  [null, 'None'],
  [true, 'True'],
  [false, 'False'],
  ...[0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2147483647, 2147483648, -2147483648, -2147483649].map(
    (n): [number, string] => [n, String(n)],
  ),
  [2 ** 53 - 1, '9007199254740991'],
  [-(2 ** 53 - 1), '-9007199254740991'],
  [2n ** 53n, '9007199254740992'],
  [2n ** 64n, '18446744073709551616'],
  [-(2n ** 63n), '-9223372036854775808'],
  [7n ** 900n, '7**900'],
  [-(7n ** 900n), '-7**900'],
  [1.5, '1.5'],
  [-0, '-0.0'],
  [1e300, '1e300'],
  [5e-324, '5e-324'],
  [Number.POSITIVE_INFINITY, "float('inf')"],
  [Number.NEGATIVE_INFINITY, "float('-inf')"],
  ['', "''"],
  ['hé\n\\u0041', "'h\\xe9\\n\\\\u0041'"],
  ['日本\u{1f600}\0', "'\\u65e5\\u672c\\U0001f600\\0'"],
  ['lone \ud800 and \udc00\ufffd', "'lone \\ud800 and \\udc00\\ufffd'"],
  ['x'.repeat(300), "'x' * 300"],
  ['é'.repeat(70_000), "'\\xe9' * 70000"],
  [new Uint8Array(0), "b''"],
  [Uint8Array.of(0, 1, 255), "b'\\x00\\x01\\xff'"],
  [new Uint8Array(70_000).fill(7), "b'\\x07' * 70000"],
  [[], '[]'],
  [[1, [2, [3, []]]], '[1, [2, [3, []]]]'],
  [tuple(), '()'],
  [tuple(1), '(1,)'],
  [tuple(1, 2), '(1, 2)'],
  [tuple(1, 2, 3), '(1, 2, 3)'],
  [tuple(1, [2], tuple(3, 4), 'd'), "(1, [2], (3, 4), 'd')"],
  [new Map(), '{}'],
  [
    new Map<unknown, unknown>([
      ['a', 1],
      [2, ['b']],
      [tuple(1, 2), null],
    ]),
    "{'a': 1, 2: ['b'], (1, 2): None}",
  ],
  [new Set(), 'set()'],
  [new Set([1, 'a']), "{1, 'a'}"],
  [frozenset([1, 2]), 'frozenset({1, 2})'],
  [new PythonComplex(1.5, -2), 'complex(1.5, -2)'],
];

const EQUAL = `
import sys, pickle
got = pickle.load(sys.stdin.buffer)
wanted = eval(sys.argv[1])
def same(a, b):
    if type(a) is not type(b): return False
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float): return repr(a) == repr(b)
    return a == b
assert same(got, wanted), (ascii(got)[:200], ascii(wanted)[:200])
`;

test('every value of the table arrives in Python as what it stands for', NEEDS_PYTHON, () => {
  const wanted = `[${VALUES.map(([, python]) => python).join(', ')}]`;
  runPython(EQUAL, dumps(VALUES.map(([value]) => value)), wanted);
});

test('every value of the table is read from each protocol that Python writes', NEEDS_PYTHON, () => {
  const source = `
import sys, pickle
for protocol in range(min(pickle.HIGHEST_PROTOCOL, 5) + 1):
    for value in eval(sys.argv[1]):
        data = pickle.dumps(value, protocol)
        sys.stdout.buffer.write(len(data).to_bytes(4, 'big') + data)
`;
  const out = runPython(source, undefined, `[${VALUES.map(([, python]) => python).join(', ')}]`);
  let at = 0;
  for (let protocol = 0; protocol <= 5; protocol++) {
    for (const [value, python] of VALUES) {
      const length = out.readUInt32BE(at);
      const read = loads(out.subarray(at + 4, at + 4 + length));
      // A tuple is a frozen array, a frozenset a marked set.
      assert.deepEqual(read, value, `${python} of protocol ${protocol}`);
      at += 4 + length;
    }
  }
  assert.equal(at, out.byteLength);
});

test('every value of the table comes back from its own pickle', () => {
  for (const [value, python] of VALUES) assert.deepEqual(loads(dumps(value)), value, python);
  assert.ok(Number.isNaN(loads(dumps(Number.NaN))));
});

test('undefined goes as None, a plain object as a dict, an ArrayBuffer and a Buffer as bytes, a marked float as itself', () => {
  assert.equal(loads(dumps(undefined)), null);
  assert.deepEqual(loads(dumps({ a: { b: undefined } })), new Map([['a', new Map([['b', null]])]]));
  assert.deepEqual(loads(dumps(Buffer.from('ab'))), Uint8Array.of(97, 98));
  assert.deepEqual(loads(dumps(Uint8Array.of(1).buffer)), Uint8Array.of(1));
  assert.ok(float(1) instanceof PythonFloat);
  assert.deepEqual([...dumps(float(1))].slice(2, 3), [0x47]);
});

test('dicts arrive as plain objects on demand, and __proto__ is a key like any other there', () => {
  const read = loads(dumps(JSON.parse('{"a": [{"__proto__": 1}]}')), { dicts: 'object' }) as { a: object[] };
  assert.deepEqual(Object.keys(read), ['a']);
  assert.deepEqual(Object.entries(read.a[0] as object), [['__proto__', 1]]);
  assert.equal(Object.getPrototypeOf(read.a[0]), Object.prototype);
  assert.throws(() => loads(dumps(new Map([[1, 2]])), { dicts: 'object' }), NotSendableError);
});

test('a tuple stays a tuple and a frozenset a frozenset when it is sent back', NEEDS_PYTHON, () => {
  runPython(EQUAL, dumps(loads(dumps([tuple(1), frozenset([2])]))), '[(1,), frozenset({2})]');
});

test(
  'arrays in keys and in sets go as tuples, sets as frozensets, and stay what they are elsewhere',
  NEEDS_PYTHON,
  () => {
    const list = [1, [2]];
    const inner = new Set([3]);
    const value = [new Map<unknown, unknown>([[list, list]]), new Set<unknown>([list, inner]), inner, list];
    runPython(EQUAL, dumps(value), '[{(1, (2,)): [1, [2]]}, {(1, (2,)), frozenset({3})}, {3}, [1, [2]]]');
  },
);

test('shared and cyclic references survive in both directions', NEEDS_PYTHON, () => {
  const list: unknown[] = [];
  const map = new Map<unknown, unknown>([['self', list]]);
  const pair = tuple(list, map);
  list.push(list, map, pair, pair);
  map.set('map', map);
  const check = `
import sys, pickle
l = pickle.load(sys.stdin.buffer)
assert l[0] is l and l[1]['self'] is l and l[1]['map'] is l[1] and l[2] is l[3] and l[2][0] is l and type(l[2]) is tuple
sys.stdout.buffer.write(pickle.dumps(l))
`;
  const back = loads(runPython(check, dumps(list))) as unknown[];
  assert.equal(back[0], back);
  assert.equal((back[1] as Map<string, unknown>).get('self'), back);
  assert.equal((back[1] as Map<string, unknown>).get('map'), back[1]);
  assert.equal(back[2], back[3]);
  assert.equal((back[2] as unknown[])[0], back);
});

test('a tuple that contains itself by way of a list is written as Python writes it', NEEDS_PYTHON, () => {
  const list: unknown[] = [];
  const pair = tuple(list);
  list.push(pair);
  const check =
    'import sys, pickle; t = pickle.load(sys.stdin.buffer); assert t[0][0] is t and type(t) is tuple';
  runPython(check, dumps(pair));
  const back = loads(dumps(pair)) as unknown[][];
  assert.equal(back[0]?.[0], back);
});

test('exceptions of Python arrive as errors with their class, text and arguments', NEEDS_PYTHON, () => {
  const source = `
import sys, pickle, queue
import multiprocessing.context
err = ValueError('not', 7); err.extra = [1]
sys.stdout.buffer.write(pickle.dumps([err, KeyError('k'), IndexError('list index out of range'), StopIteration(), queue.Empty(),
  FileNotFoundError(2, 'No such file'), multiprocessing.context.BufferTooShort(b'x'), UnicodeDecodeError('utf8', b'a', 0, 1, 'why')]))`;
  const errors = loads(runPython(source)) as PythonError[];
  assert.ok(errors.every((error) => error instanceof PythonError));
  assert.deepEqual(
    errors.map(({ name, message }) => `${name}: ${message}`),
    [
      "ValueError: ('not', 7)",
      "KeyError: 'k'",
      'IndexError: list index out of range',
      'StopIteration: ',
      'Empty: ',
      'FileNotFoundError: [Errno 2] No such file',
      'BufferTooShort: <Uint8Array>',
      "UnicodeDecodeError: ('utf8', <Uint8Array>, 0, 1, 'why')",
    ],
  );
  assert.deepEqual([errors[0]?.args, errors[0]?.attributes], [['not', 7], new Map([['extra', [1]]])]);
});

test('errors arrive in Python as the exception that means the same', NEEDS_PYTHON, () => {
  const errors = [
    new TypeError('t'),
    new RangeError('r'),
    new Error('e'),
    Object.assign(new Error('named'), { name: 'MyError' }),
    new PythonError('KeyError', ['k', 1]),
    new PythonError('Empty', [], { module: '_queue' }),
    new PythonError('MyError', ['mine'], { module: '__main__' }),
  ];
  const expected =
    "[TypeError('t'), ValueError('r'), RuntimeError('e'), RuntimeError('MyError: named'), KeyError('k', 1), Empty(), RuntimeError('MyError: mine')]";
  const out = runPython('import sys, pickle; print(pickle.load(sys.stdin.buffer))', dumps(errors));
  assert.equal(out.toString().trim(), expected);
});

test('what only Python can make is refused by name', NEEDS_PYTHON, () => {
  const source = `
import sys, pickle, datetime, decimal, collections, functools, os
class Evil:
    def __reduce__(self): return (os.system, ('touch /tmp/never',))
for value in [datetime.date(2020, 1, 1), decimal.Decimal(1), int, print, os.system, Evil(), range(3), functools.partial(print), set, [set]]:
    for protocol in range(6):
        data = pickle.dumps(value, protocol)
        sys.stdout.buffer.write(len(data).to_bytes(4, 'big') + data)`;
  const out = runPython(source);
  const names = new Set<string>();
  for (let at = 0; at < out.byteLength; at += 4 + out.readUInt32BE(at)) {
    const pickle = out.subarray(at + 4, at + 4 + out.readUInt32BE(at));
    assert.throws(
      () => loads(pickle),
      (error) => {
        assert.ok(error instanceof NotSendableError && error.stage === 'receive');
        names.add(error.path);
        return error.path !== '';
      },
    );
  }
  for (const name of [
    'datetime.date',
    'decimal.Decimal',
    'builtins.int',
    'posix.system',
    'functools.partial',
    'builtins.set',
  ]) {
    assert.ok(names.has(name), `${name} is not among ${[...names]}`);
  }
});

test('what Python has nothing for is refused by path, before anything is written', () => {
  class Own {
    x = 1;
  }
  const cyclic = new Set<unknown>();
  cyclic.add([cyclic]);
  for (const [value, path] of [
    [{ a: [() => 1] }, 'value.a[0]'],
    [[Symbol('s')], 'value[0]'],
    [new Map([['k', new Date()]]), 'value.k'],
    [[new Own()], 'value[0]'],
    [[Promise.resolve()], 'value[0]'],
    [new Float64Array(1), 'value'],
    [new Map([[{}, 1]]), 'value.keys()'],
    [cyclic, 'value.values()[0]'],
    [
      {
        get bad(): never {
          throw new Error('getter');
        },
      },
      'value',
    ],
  ] as const) {
    assert.throws(
      () => dumps(value),
      (error) => error instanceof NotSendableError && error.path === path && error.stage === 'send',
      path,
    );
  }
  let deep: unknown = [];
  for (let level = 0; level < 200_000; level++) deep = [deep];
  assert.throws(() => dumps(deep), NotSendableError);
});

test('damaged pickles are refused, each with the one error', () => {
  for (const hex of [
    '',
    '80',
    '8004',
    '80042e',
    '80064e2e',
    '4e4e2e',
    '4e2e4e',
    '282e',
    '65',
    '5d65',
    '8c05',
    '8c01ff2e',
    '8d00000000000000ff2e',
    '5d4b0168002e',
    '7d5d754e2e',
    '8bffffff7f2e',
    '52',
    '4e4e52',
    '62',
    '6801',
    '700a',
    '4e70390a2e',
    '493132330d0a',
    '4c39',
    '9a',
    '294b01612e',
    '8f286190',
    '5595',
    '8200',
    '97',
    '4e6200',
  ]) {
    assert.throws(
      () => loads(Buffer.from(hex, 'hex')),
      (error) =>
        error instanceof NotSendableError &&
        error.code === 'ERR_FURCA_NOT_SENDABLE' &&
        error.stage === 'receive',
      hex,
    );
  }
});

test('100,000 mutated pickles each give a value or the one error', { timeout: 120_000 }, () => {
  const random = seeded(SEED);
  const seeds = [
    dumps([
      1,
      'two',
      { three: [3.5, null, true, 2n ** 70n] },
      tuple(1, 2),
      new Set(['a', 4]),
      frozenset([1]),
      new TypeError('x'),
      Uint8Array.of(1, 2),
    ]),
    Buffer.from("(lp0\nI1\naF2.5\naVtext\np1\nag1\na(dp2\nS'x'\nI01\nsa.", 'latin1'),
    Buffer.from('80027d71002858010000006171015d7102284b014d00014a00000100658a0800000000000000ff', 'hex'),
  ];
  let read = 0;
  for (let round = 0; round < 100_000; round++) {
    const pickle = mutated(seeds[round % seeds.length] as Uint8Array, random);
    try {
      loads(pickle);
      read++;
    } catch (error) {
      if (!(error instanceof NotSendableError)) {
        throw new Error(`seed ${SEED}, round ${round}: ${Buffer.from(pickle).toString('hex')}`, {
          cause: error,
        });
      }
    }
  }
  assert.ok(read > 1000 && read < 99_000, `${read} were read`);
});
