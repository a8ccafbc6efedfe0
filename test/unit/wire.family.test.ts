import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Session } from 'node:inspector';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { NotSendableError } from '../../src/base/errors.js';
import { isInspecting } from '../../src/wire/closures/inspector.js';
import { decode, encode } from '../../src/wire/codec.js';
import {
  brokenPart,
  decodeFromFamily,
  decodeFromFamilySync,
  encodeForFamily,
  Inbox,
  Outbox,
  pack,
  type Received,
} from '../../src/wire/family-message.js';
import { functionIn, packFunction } from '../../src/wire/functions.js';
import { late } from '../fixtures/closures-awaits.js';
import { exported } from '../fixtures/closures-library.js';
import { seededRandom } from '../fixtures/pool-outcomes.js';

const factor = 3;
const state = { total: 1 };
let level = 1;
const constant = (x: number): number => x * factor;
const changing = (): number => state.total;
const assigned = (): number => level;

class Ship {
  crew = factor;
  sail(): number {
    return this.crew * factor;
  }
}

function both(): { readonly outbox: Outbox; readonly inbox: Inbox } {
  return { outbox: new Outbox(), inbox: new Inbox() };
}

function hasText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text);
}

test('code travels once to each peer, and is compiled once', () => {
  const { outbox, inbox } = both();
  const first = outbox.seal(pack(constant));
  const second = outbox.seal(pack(constant));
  assert.ok(hasText(first, 'x * factor'));
  assert.ok(!hasText(second, 'x * factor'));
  assert.ok(second.length < 120, `${second.length} bytes`);
  const functions = [first, second].map((bytes) => inbox.receiveSync(bytes).value as typeof constant);
  assert.deepEqual(
    functions.map((fn) => fn(5)),
    [15, 15],
  );
  assert.ok(hasText(new Outbox().seal(pack(constant)), 'x * factor'));
});

test('after undo() everything is sent anew', () => {
  const { outbox, inbox } = both();
  outbox.seal(pack(constant));
  outbox.undo();
  const { value } = inbox.receiveSync(outbox.seal(pack(constant)));
  assert.equal((value as typeof constant)(2), 6);
});

test('sender and receiver agree on what is kept, however many different functions go by', () => {
  const { outbox, inbox } = both();
  const made = Array.from({ length: 1500 }, (_, i) => new Function('x', `return x + ${i} + ${factor}`));
  const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 7));
  for (let round = 0; round < 4000; round += 1) {
    const i = Math.floor(random() * (round % 3 === 0 ? made.length : 40));
    const j = (i + 1) % made.length;
    const bytes = outbox.seal(pack([made[i], made[j]]));
    const { value } = inbox.receiveSync(bytes);
    const [f, g] = value as ((x: number) => number)[];
    assert.deepEqual([f?.(1), g?.(1)], [i + 1 + factor, j + 1 + factor]);
  }
});

test('what a function captured is read anew at each send, unless it cannot change', async () => {
  const read = async (packed: unknown): Promise<unknown> => {
    const { value } = await new Inbox().receive(new Outbox().seal(packed as ReturnType<typeof pack>));
    return (value as (x: number) => number)(2);
  };
  const kept = packFunction(constant, 'task');
  assert.equal(packFunction(constant, 'task', kept), kept);
  assert.ok(kept.isConstant);
  for (const [fn, change] of [
    [changing, () => (state.total += 1)],
    [assigned, () => (level += 1)],
  ] as const) {
    const before = packFunction(fn, 'task');
    assert.equal(packFunction(fn, 'task', before), before);
    assert.equal(await read(before), 1);
    change();
    const after = packFunction(fn, 'task', before);
    assert.notEqual(after, before);
    assert.equal(await read(after), 2);
  }
});

test('a class is the same one in all messages, and instances come home as instances of their class', async () => {
  const there = both();
  const shipOf = ({ value }: Received): Ship => value as Ship;
  const one = shipOf(there.inbox.receiveSync(there.outbox.seal(pack(new Ship()))));
  const two = shipOf(there.inbox.receiveSync(there.outbox.seal(pack([new Ship()])))) as unknown as Ship[];
  assert.equal(one.constructor, two[0]?.constructor);
  // In this one process home and away are the same: the class is found by its id.
  assert.ok(one instanceof Ship);
  const home = there.inbox.peer;
  const back = new Outbox().seal(pack(one, 'value', home));
  assert.ok(!hasText(back, 'crew *'));
  assert.ok(((await decodeFromFamily(back)) as Ship) instanceof Ship);
});

test('no session of the inspector stays open, whether packing succeeds, fails or packs something itself', () => {
  const open = (): boolean => isInspecting();
  const { connect } = Session.prototype;
  let sessions = 0;
  Session.prototype.connect = function counted(): void {
    sessions += 1;
    connect.call(this);
  };
  try {
    const fresh = (x: number) => (): number => x;
    pack([fresh(1), fresh(2), { deep: fresh(3) }]);
    assert.deepEqual([sessions, open()], [1, false]);
    const weak = new WeakMap();
    assert.throws(() => pack([fresh(4), () => weak]), NotSendableError);
    assert.equal(open(), false);
    pack({
      get inner() {
        return encodeForFamily(fresh(5)).length;
      },
      outer: fresh(6),
    });
    assert.equal(open(), false);
    sessions = 0;
    pack([constant, changing]);
    pack([constant, changing]);
    assert.equal(sessions <= 1, true);
  } finally {
    Session.prototype.connect = connect;
  }
});

test('messages with functions, classes or symbols are refused where strangers may write', () => {
  let ran = false;
  const hostile = [
    () => {
      ran = true;
    },
    // biome-ignore lint/complexity/noStaticOnlyClass: this is what is tested
    class {
      static {
        ran = true;
      }
    },
    Math.sqrt,
    new Ship(),
    Symbol.for('x'),
    constant.bind(null, 1),
    { a: [{ b: () => 1 }] },
  ];
  ran = false;
  for (const value of hostile) {
    const { bytes } = pack(value);
    for (const message of [bytes, encodeForFamily(value)]) {
      assert.throws(
        () => decode(message),
        (error: unknown) => error instanceof NotSendableError && error.stage === 'receive',
      );
    }
  }
  assert.throws(() => encode(() => 1), NotSendableError);
  assert.equal(ran, false);
});

test('plain data has the same bytes for family and strangers', () => {
  const value = { a: [1, 'x', null, { b: new Map([[1, new Date(5)]]) }], c: new Uint8Array(9) };
  assert.deepEqual(Buffer.from(encodeForFamily(value)), Buffer.from(encode(value)));
});

test('no damaged message does anything but fail: data alone is read, or NotSendableError thrown', () => {
  const rounds = Number(process.env['FURCA_FUZZ'] ?? 20_000);
  const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 11));
  (globalThis as { furcaRan?: boolean }).furcaRan = false;
  const boom = (): void => {
    (globalThis as unknown as { furcaRan: boolean }).furcaRan = true;
  };
  const samples = [
    [boom, Math.sqrt, { a: boom }],
    new Ship(),
    [Ship, new Ship(), Symbol('u'), Symbol.for('r')],
    boom.bind(null),
    new Error('x', { cause: new AggregateError([new TypeError('y')]) }),
    [{ a: 1 }, { a: 2 }, new Map([[1, new Set([2])]]), [1.5, 2.5], Buffer.from('abc')],
  ].flatMap((value) => [pack(value).bytes.slice(), encodeForFamily(value)]);
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const sample = samples[Math.floor(random() * samples.length)] as Uint8Array;
    const cut = random() < 0.3 ? Math.floor(random() * sample.length) : sample.length;
    const damaged = sample.slice(0, cut);
    for (let hits = Math.floor(random() * 6); hits > 0 && cut > 0; hits -= 1) {
      damaged[Math.floor(random() * cut)] = Math.floor(random() * 256);
    }
    try {
      decode(damaged);
    } catch (error) {
      refused += 1;
      assert.ok(error instanceof NotSendableError, String(error));
    }
  }
  assert.ok(refused > rounds / 2);
  assert.equal((globalThis as { furcaRan?: boolean }).furcaRan, false);
});

test('a damaged message of the family itself is refused, too', () => {
  const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 13));
  // Only what makes nothing run: damage to a text of code is code.
  const samples = [[Math.sqrt, Symbol('u')], new Error('x'), Math.max.bind(null, 1)].map((value) =>
    pack(value).bytes.slice(),
  );
  for (let round = 0; round < 5000; round += 1) {
    const damaged = (samples[round % samples.length] as Uint8Array).slice();
    for (let hits = 1 + Math.floor(random() * 3); hits > 0; hits -= 1) {
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    }
    try {
      new Inbox().receiveSync(damaged);
    } catch (error) {
      assert.ok(error instanceof NotSendableError, String(error));
    }
  }
  const inbox = new Inbox();
  for (const bytes of [[0xf6], [0xf6, 255, 255, 255, 255, 0], [0xf6, 3, 0, 0, 0, 0xf7, 0x60, 0, 0]]) {
    assert.throws(() => inbox.receiveSync(Uint8Array.from(bytes)), NotSendableError);
  }
});

test('a module that awaits while it loads is waited for; a blocking reader says that it cannot', async () => {
  const bytes = encodeForFamily([late, 1]);
  assert.throws(() => decodeFromFamilySync(bytes), {
    code: 'ERR_FURCA_NOT_SENDABLE',
    message: /closures-awaits.*awaits something while it loads/,
  });
  assert.deepEqual(((await decodeFromFamily(bytes)) as [typeof late])[0]('a'), 'a!');
  const other = encodeForFamily(exported);
  assert.equal((decodeFromFamilySync(other) as typeof exported)(1), 101);
});

test('a message whose module does not load is read, and says what of it is missing', async () => {
  const missing = functionIn(new URL('./no-such-module.js', import.meta.url), 'work');
  const bytes = encodeForFamily([1, { fn: missing }, 'rest']);
  const { value, failure } = await new Inbox().receive(bytes);
  assert.ok(failure instanceof NotSendableError);
  assert.match(String(failure.cause), /no-such-module/);
  assert.deepEqual([(value as unknown[])[0], (value as unknown[])[2]], [1, 'rest']);
  assert.equal(brokenPart(value), failure);
  assert.equal(brokenPart([1, { a: [2] }]), null);
  await assert.rejects(decodeFromFamily(bytes), { code: 'ERR_FURCA_NOT_SENDABLE' });
  assert.throws(() => decodeFromFamilySync(bytes), { code: 'ERR_FURCA_NOT_SENDABLE' });
});

test('stack traces of a function that travelled show where it was written', async () => {
  const thrower = (): never => {
    throw new Error(String(factor));
  };
  const stackOf = (fn: () => never): string => {
    try {
      return fn();
    } catch (error) {
      return ((error as Error).stack as string).split('\n')[1]?.replace(/^.*(wire\.family)/, '$1') as string;
    }
  };
  const travelled = (await decodeFromFamily(encodeForFamily(thrower))) as () => never;
  assert.notEqual(travelled, thrower);
  assert.equal(stackOf(travelled), stackOf(thrower));
});

test('an array of another context is plain data, not an instance of a class', async () => {
  const foreign = runInNewContext('({ list: [1, new Map([[1, 2]])], error: new RangeError("x") })') as {
    list: unknown[];
  };
  const back = (await decodeFromFamily(encodeForFamily(foreign))) as typeof foreign & { error: Error };
  assert.deepEqual(back.list, [1, new Map([[1, 2]])]);
  assert.ok(back.error instanceof RangeError);
});

test('without the inspector references and plain functions go, and a refusal names the flag that helps', () => {
  const major = Number.parseInt(process.versions.node, 10);
  const flag = major < 24 ? '--experimental-permission' : '--permission';
  const program = fileURLToPath(new URL('../fixtures/closures-permission.js', import.meta.url));
  const run = (flags: readonly string[]): Record<string, string> =>
    JSON.parse(
      execFileSync(process.execPath, [...flags, '--no-warnings', program], {
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, NODE_OPTIONS: '' },
      }),
    ) as Record<string, string>;
  const results = run([flag, '--allow-fs-read=*']);
  assert.deepEqual([results['plain'], results['builtin'], results['named']], ['sent', 'sent', 'sent']);
  assert.match(results['capturing'] ?? '', /`captured`.*--allow-inspector/);
  if (major < 24) return;
  const allowed = run([flag, '--allow-fs-read=*', '--allow-inspector']);
  assert.deepEqual(new Set(Object.values(allowed)), new Set(['sent']));
});
