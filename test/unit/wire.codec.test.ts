import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { NotSendableError } from '../../src/base/errors.js';
import { decode, encode } from '../../src/wire/codec.js';

function trip(value: unknown): unknown {
  return decode(encode(value));
}

/** What structuredClone and the codec must agree on, by name. */
function sameAsStructuredClone(): ReadonlyMap<string, unknown> {
  const cyclic: Record<string, unknown> = { name: 'loop', list: [1, 2] };
  cyclic['self'] = cyclic;
  (cyclic['list'] as unknown[]).push(cyclic);
  const map = new Map<unknown, unknown>([['a', 1]]);
  map.set(map, new Set([map]));
  const shared = { x: 1 };
  const key = { id: 1 };
  const sparse: unknown[] = [];
  sparse[4_000_000_000] = 'far';
  sparse[7] = { x: 1 };
  class Point {
    x = 1;
    readonly #hidden = undefined;
    static readonly made = 0;
    get sum(): number {
      return this.x + Number(this.#hidden ?? 0);
    }
  }
  class PlainPoint {
    x = 1;
    y = [2];
    get sum(): number {
      return this.x;
    }
    toJSON(): string {
      return 'never asked';
    }
  }
  void Point;
  const view = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  const typed = new Map<string, unknown>(
    ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'Float16']
      .filter((name) => `${name}Array` in globalThis)
      .map((name) => {
        const Class = (globalThis as unknown as Record<string, new (from: number[]) => unknown>)[
          `${name}Array`
        ]!;
        return [name, new Class([0, 1, 2, 100])];
      }),
  );
  return new Map<string, unknown>([
    ['integers of every width', [0, 1, 63, 64, 127, 128, -1, -128, -129, 32767, 32768, -32768, -32769]],
    ['32-bit edges', [2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53, -(2 ** 53)]],
    ['odd numbers', [-0, Number.NaN, Infinity, -Infinity, 0.1, 5e-324, Number.MAX_VALUE, 1.5]],
    ['one negative zero', -0],
    ['a number', 17.25],
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['empty string', ''],
    ['strings', ['', 'a', 'ä', '日本', '🎉', 'x'.repeat(31), 'x'.repeat(32), 'ÿ'.repeat(300), '\0', 'a\0b']],
    ['lone surrogates', ['\ud800', 'a\udfffb', '\udc00\ud800']],
    ['a string beyond 64 KiB', 'ab'.repeat(50_000)],
    ['a wide string beyond 64 KiB', '日'.repeat(50_000)],
    ['long strings beside short ones', ['s', 'l'.repeat(5000), '日'.repeat(3000), 'ä', '日']],
    ['bigints', [0n, 1n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 64n), 3n ** 500n, -(3n ** 5000n)]],
    ['dates', [new Date(0), new Date(-1.5e12 + 1), new Date(8.64e15), new Date(1.7e12 + 0.9)]],
    ['regexps', [/a/, /[/]\n\u{1f389}/giu, /(?:)/]],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [1, 'a'],
        [Number.NaN, null],
        [undefined, undefined],
      ]),
    ],
    ['a map in a map as key', new Map([[new Map([[{ deep: 1 }, new Set([1])]]), 1]])],
    ['a set', new Set<unknown>([1, 'a', null, undefined, {}, []])],
    ['a plain object', { a: 1, b: { c: [{}] }, 'd e': undefined }],
    ['an empty key', { '': 1 }],
    ['an empty key twice over', [{ '': { '': 1 } }, {}]],
    ['numeric keys', { 10: 'a', 2: 'b', x: 'c', '-1': 'd', 1.5: 'e' }],
    ['keys with NUL', { 'a\0b': 1, 'a\0': 2, '\0': 3, a: 4 }],
    ['keys like Object.prototype', { constructor: 1, hasOwnProperty: 2, toString: 3, toJSON: 4 }],
    ['an own __proto__', JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')],
    ['an own __proto__ beside NUL', JSON.parse('{"__proto__": {"polluted": true}, "a\\u0000": 1}')],
    ['a null prototype', Object.assign(Object.create(null), { a: 1 })],
    [
      'an object with accessors',
      {
        get a() {
          return 1;
        },
        b: 2,
      },
    ],
    ['a hidden property', Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false })],
    ['a symbol key', { a: 1, [Symbol('s')]: 2 }],
    ['a class instance', new PlainPoint()],
    ['an inherited object', Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } })],
    ['a cyclic object', cyclic],
    ['a map that holds itself', map],
    ['shared references', [shared, shared, { shared }]],
    ['a shared map key', [key, new Map([[key, key]])]],
    ['many shared references', Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? shared : { i }))],
    [
      'shared arrays of numbers',
      (() => {
        const a = Array.from({ length: 100 }, (_, i) => i);
        return [a, a];
      })(),
    ],
    // biome-ignore lint/suspicious/noSparseArray: this is what is tested
    ['holes', [1, , 3, , ,] as unknown[]],
    ['only holes', new Array<unknown>(100)],
    ['a sparse array', sparse],
    // biome-ignore lint/suspicious/noSparseArray: this is what is tested
    ['undefined beside holes', [undefined, , undefined]],
    ['numbers by the dozen', Array.from({ length: 12 }, (_, i) => i)],
    ['negative zero late', Array.from({ length: 100 }, (_, i) => (i === 99 ? -0 : i))],
    ['a double late', Array.from({ length: 100 }, (_, i) => (i === 98 ? 0.5 : i))],
    ['a string late', Array.from({ length: 100 }, (_, i) => (i === 98 ? 'x' : i + 0.5))],
    ['NaN by the dozen', Array.from({ length: 64 }, () => Number.NaN)],
    ['a big array of mixed parts', Array.from({ length: 70_000 }, (_, i) => (i % 3 === 0 ? `s${i}` : i))],
    ['rows', Array.from({ length: 100 }, (_, i) => ({ id: i, name: `n${i}`, tags: [`${i}`], in: { i } }))],
    ['many shapes', Array.from({ length: 60 }, (_, i) => [{ [`k${i}`]: i }, { [`k${i % 7}`]: i, z: 0 }])],
    ['a dictionary', Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, i]))],
    ['boxed primitives', [new Number(-0), new String('s'), new Boolean(false), Object(7n)]],
    ['typed arrays', typed],
    ['64-bit typed arrays', [new BigInt64Array([-1n]), new BigUint64Array([2n ** 64n - 1n])]],
    ['an ArrayBuffer', view.buffer],
    ['an empty ArrayBuffer', new ArrayBuffer(0)],
    ['a DataView', new DataView(view.buffer)],
    ['two views on one buffer', [view, new Uint16Array(view.buffer, 2, 2), view.buffer]],
    ['two partial views on one buffer', [view.subarray(1, 3), view.subarray(2, 5)]],
    ['a big typed array', new Float64Array(20_000).fill(0.5)],
    [
      'a subclass of Array',
      Object.assign(Object.setPrototypeOf([1, 2], class A extends Array {}.prototype), {}),
    ],
    ['a subclass of Map', new (class M extends Map<number, number> {})([[1, 2]])],
    [
      'an object of another realm',
      runInNewContext('({ a: [1, new Map([[1, new Date(5)]])], s: new Set([1]) })'),
    ],
    ['nested twenty deep', Array.from({ length: 20 }).reduce<unknown>((inner) => [{ inner }], 1)],
  ]);
}

for (const [name, value] of sameAsStructuredClone()) {
  test(`decode(encode(x)) equals structuredClone(x) for ${name}`, () => {
    const actual = trip(value);
    assert.deepStrictEqual(actual, structuredClone(value));
    assert.deepStrictEqual(trip([value, value]), structuredClone([value, value]));
  });
}

test('an invalid date stays an invalid date', () => {
  const back = trip(new Date(Number.NaN));
  assert.ok(back instanceof Date && Number.isNaN(back.getTime()));
});

test('shared and cyclic references are the same objects on arrival', () => {
  const a: { self?: unknown; twice?: unknown[] } = {};
  const inner = new Map();
  a.self = a;
  a.twice = [inner, inner, a];
  const back = trip(a) as typeof a;
  assert.equal(back.self, back);
  assert.equal(back.twice?.[0], back.twice?.[1]);
  assert.equal(back.twice?.[2], back);
});

test('views on one buffer look at one buffer on arrival, and a lone view brings its own bytes only', () => {
  const bytes = new Uint8Array(100).map((_, i) => i);
  const [a, b] = trip([bytes.subarray(1, 3), bytes.subarray(2, 5)]) as [Uint8Array, Uint8Array];
  assert.equal(a.buffer, b.buffer);
  a[1] = 99;
  assert.equal(b[0], 99);
  const lone = trip(bytes.subarray(1, 3)) as Uint8Array;
  assert.deepEqual([lone.byteOffset, lone.buffer.byteLength, ...lone], [0, 2, 1, 2]);
});

test('a Buffer stays a Buffer and never brings its pool along', () => {
  const [a, b, same] = trip([Buffer.from('ab'), Buffer.from('cd'), new Uint8Array([1])]) as Uint8Array[];
  assert.ok(Buffer.isBuffer(a) && Buffer.isBuffer(b) && !Buffer.isBuffer(same));
  assert.equal(a.toString(), 'ab');
  assert.equal(a.buffer.byteLength, 2);
});

test('an error inside of a value keeps its class, properties, cause and stack', () => {
  const error = Object.assign(new TypeError('no', { cause: new RangeError('deep') }), {
    code: 'E_NO',
    skip: () => 1,
  });
  const [back, again] = trip([error, error]) as [TypeError & { code: string }, unknown];
  assert.ok(back instanceof TypeError);
  assert.equal(back, again);
  assert.equal(back.code, 'E_NO');
  assert.equal(back.stack, error.stack);
  assert.ok(back.cause instanceof RangeError);
  assert.equal('skip' in back, false);
});

test('a decoded message shares no memory with its bytes', () => {
  const bytes = encode([
    new Uint8Array([1, 2, 3]),
    Array.from({ length: 100 }, (_, i) => i / 2),
    'x'.repeat(5000),
  ]);
  const copy = bytes.slice();
  const value = decode(copy);
  copy.fill(0);
  assert.deepEqual(value, decode(bytes));
});

test('a message can be read from any offset of any memory', () => {
  const value = [
    Array.from({ length: 50 }, (_, i) => i / 3),
    Array.from({ length: 50 }, (_, i) => i),
    'text',
    'ü',
  ];
  const bytes = encode(value);
  for (let offset = 0; offset < 9; offset += 1) {
    const memory = new Uint8Array(new SharedArrayBuffer(bytes.length + 16));
    memory.set(bytes, offset);
    assert.deepEqual(decode(memory.subarray(offset, offset + bytes.length)), value);
  }
});

test('the bytes of a message stay as they are when further messages are written', () => {
  const messages = Array.from({ length: 3000 }, (_, i) => encode({ i, text: `message ${i}`.repeat(i % 40) }));
  for (const [i, message] of messages.entries()) {
    assert.deepEqual(decode(message), { i, text: `message ${i}`.repeat(i % 40) });
  }
});

test('a getter that encodes, and one that throws, leave the writer in order', () => {
  const value = {
    a: 1,
    get b() {
      return encode(['inner', { a: 2 }]);
    },
    c: 'after',
  };
  const back = trip(value) as { b: Uint8Array; c: string };
  assert.deepEqual(decode(back.b), ['inner', { a: 2 }]);
  assert.equal(back.c, 'after');
  const thrown = new Error('mine');
  const bad = {
    list: [
      {
        get x(): never {
          throw thrown;
        },
      },
    ],
  };
  assert.throws(
    () => encode(bad, 'args'),
    (error: unknown) =>
      error instanceof NotSendableError && error.path === 'args.list[0].x' && error.cause === thrown,
  );
  assert.deepEqual(trip({ a: [1] }), { a: [1] });
});

class WithPrivate {
  readonly #secret = 1;
  reveal(): number {
    return this.#secret;
  }
}

function argumentsOf(..._: unknown[]): unknown {
  // biome-ignore lint/complexity/noArguments: this is what is tested
  return arguments;
}

class CommentOnly {
  // see issue #123
  x = 1;
}

const refusals: readonly (readonly [string, unknown, string])[] = [
  ['a function', { db: { conn: () => 1 } }, 'value.db.conn'],
  ['a class', [[class A {}]], 'value[0][0]'],
  ['a symbol', { 'odd key': [1, Symbol('s')] }, 'value["odd key"][1]'],
  ['a Symbol object', [Object(Symbol('s'))], 'value[0]'],
  ['arguments', [argumentsOf(1)], 'value[0]'],
  ['no arguments', [argumentsOf()], 'value[0]'],
  ['a Promise', { p: Promise.resolve(1) }, 'value.p'],
  ['a WeakMap', new WeakMap(), 'value'],
  ['a WeakSet', [new WeakSet()], 'value[0]'],
  ['a WeakRef', [new WeakRef({})], 'value[0]'],
  ['a FinalizationRegistry', [new FinalizationRegistry(() => {})], 'value[0]'],
  ['a Proxy of an object', { p: new Proxy({}, {}) }, 'value.p'],
  ['a Proxy of an array', [new Proxy([1], {})], 'value[0]'],
  ['a Proxy of a Map', [new Proxy(new Map(), {})], 'value[0]'],
  [
    'a function as a Map key',
    new Map([
      ['x', 1],
      [(() => 1) as never, 2],
    ]),
    'value.<entry 1>',
  ],
  ['a function as a Map value', { m: new Map([['x', { f: () => 1 }]]) }, 'value.m.<entry 0>.f'],
  ['a function in a Set', new Set([1, 2, () => 1]), 'value.<entry 2>'],
  ['a SharedArrayBuffer', [new SharedArrayBuffer(8)], 'value[0]'],
  ['a view on a SharedArrayBuffer', [new Int32Array(new SharedArrayBuffer(8))], 'value[0]'],
  ['a Socket', { sock: new Socket() }, 'value.sock'],
  ['an EventEmitter', [new EventEmitter()], 'value[0]'],
  ['an AbortSignal', [new AbortController().signal], 'value[0]'],
  [
    'a generator',
    [
      (function* () {
        yield 1;
      })(),
    ],
    'value[0]',
  ],
  ['an iterator', [[1][Symbol.iterator]()], 'value[0]'],
  ['a Map iterator', [new Map().keys()], 'value[0]'],
  ['an Intl object', [new Intl.NumberFormat()], 'value[0]'],
  ['an instance with private fields', { w: new WithPrivate() }, 'value.w'],
  ['a URL, whose data is private', [new URL('http://x/')], 'value[0]'],
  [
    'a function late in an array of numbers',
    [...Array.from({ length: 50 }, (_, i) => i), () => 1],
    'value[50]',
  ],
  ['a function behind holes', Object.assign(new Array(200), { 150: () => 1 }), 'value[150]'],
];

for (const [name, value, path] of refusals) {
  test(`encode refuses ${name} and names its path`, () => {
    assert.throws(
      () => encode(value),
      (error: unknown) => {
        assert.ok(error instanceof NotSendableError, String(error));
        assert.equal(error.path, path);
        assert.equal(error.stage, 'send');
        assert.ok(error.message.includes(path));
        return true;
      },
    );
    assert.deepEqual(trip([1, 'x', {}]), [1, 'x', {}]);
  });
}

test('a "#" in a comment of a class does not make its fields private', () => {
  assert.deepEqual(trip(new CommentOnly()), { x: 1 });
});

test('encode refuses a detached and a resizable buffer', () => {
  const detached = new ArrayBuffer(8);
  const view = new Uint8Array(detached);
  structuredClone(detached, { transfer: [detached] });
  assert.throws(() => encode([detached]), NotSendableError);
  assert.throws(() => encode([view]), NotSendableError);
  const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
  assert.throws(() => encode(new Resizable(1, { maxByteLength: 2 })), NotSendableError);
});

test('encode refuses what is nested deeper than the stack, and works on', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 1_000_000; i += 1) deep = [deep];
  assert.throws(() => encode(deep), NotSendableError);
  assert.deepEqual(trip([1]), [1]);
});

test('a key named __proto__ makes a property and changes no prototype', () => {
  const back = trip(JSON.parse('{"a": {"__proto__": {"polluted": 1}}}')) as { a: object };
  assert.equal(Object.getPrototypeOf(back.a), Object.prototype);
  assert.ok(Object.hasOwn(back.a, '__proto__'));
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

/** mulberry32: small, seeded, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('decode gives a value or NotSendableError for 20,000 damaged messages', () => {
  const random = randomFrom(20_261_121);
  const below = (limit: number): number => Math.floor(random() * limit);
  const error = Object.assign(new AggregateError([new TypeError('a'), 'text'], 'b'), {
    code: 'E',
    data: { x: [1] },
  });
  const values = [...sameAsStructuredClone().values(), error, [error, { error }], Buffer.from('pool')];
  const messages = values.map((value) => encode(value).slice()).filter(({ length }) => length < 5000);
  let refused = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const message = messages[below(messages.length)]!.slice();
    let bytes: Uint8Array = message;
    if (below(4) === 0) bytes = message.subarray(0, below(message.length + 1));
    else if (below(8) === 0)
      bytes = Uint8Array.from([...message, ...message.subarray(below(message.length))]);
    for (let flips = below(6); flips > 0 && bytes.length > 0; flips -= 1) {
      bytes[below(bytes.length)] = below(3) === 0 ? below(256) : bytes[below(bytes.length)]!;
    }
    try {
      decode(bytes);
    } catch (failure) {
      assert.ok(failure instanceof NotSendableError, `round ${round}: ${String(failure)}`);
      assert.equal(failure.stage, 'receive');
      refused += 1;
    }
  }
  assert.ok(refused > 5000, `${refused} refused`);
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.deepEqual(trip({ still: ['fine'] }), { still: ['fine'] });
});

test('decode refuses every shortened message', () => {
  for (const value of [
    { a: 'text', b: [1, 2.5, 3n] },
    Array.from({ length: 20 }, (_, i) => i),
    'long'.repeat(1000),
  ]) {
    const message = encode(value);
    for (let length = 0; length < message.length; length += 1) {
      assert.throws(
        () => decode(message.subarray(0, length)),
        NotSendableError,
        `${length} of ${message.length}`,
      );
    }
  }
});

test('random values come back as structuredClone gives them', () => {
  const random = randomFrom(7);
  const below = (limit: number): number => Math.floor(random() * limit);
  const made: object[] = [];
  const make = (depth: number): unknown => {
    const kind = below(depth > 4 ? 7 : 13);
    const track = <T extends object>(object: T): T => {
      made.push(object);
      return object;
    };
    const many = (): number => below(20);
    if (kind === 0) return below(2) === 0 ? below(300) - 150 : (random() - 0.5) * 2 ** below(70);
    if (kind === 1)
      return String.fromCharCode(...Array.from({ length: below(40) }, () => below(below(9) ? 128 : 65536)));
    if (kind === 2) return [true, false, null, undefined, -0, Number.NaN, ''][below(7)];
    if (kind === 3) return (below(2) === 0 ? 1n : -1n) * BigInt(below(2 ** 32)) ** BigInt(below(6));
    if (kind === 4) return made.length > 0 ? made[below(made.length)] : 0;
    if (kind === 5) return new Date(below(2 ** 32) * 1000);
    if (kind === 6) return track(new Float32Array(Array.from({ length: below(9) }, () => random())));
    if (kind === 7) return track(Array.from({ length: many() }, () => below(1000)));
    if (kind < 10) {
      const array: unknown[] = track([]);
      for (let i = many(); i > 0; i -= 1) {
        if (below(12) === 0) array.length += 1;
        else array.push(make(depth + 1));
      }
      return array;
    }
    if (kind === 10) {
      const map = track(new Map());
      for (let i = below(8); i > 0; i -= 1) map.set(make(depth + 1), make(depth + 1));
      return map;
    }
    if (kind === 11) {
      const set = track(new Set());
      for (let i = below(8); i > 0; i -= 1) set.add(make(depth + 1));
      return set;
    }
    const object: Record<string, unknown> = track({});
    for (let i = below(8); i > 0; i -= 1) object[`k${below(12)}`] = make(depth + 1);
    return object;
  };
  for (let round = 0; round < 3000; round += 1) {
    made.length = 0;
    const value = make(0);
    assert.deepStrictEqual(trip(value), structuredClone(value), `round ${round}`);
  }
});
