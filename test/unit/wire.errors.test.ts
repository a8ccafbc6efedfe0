import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import {
  FurcaError,
  NotSendableError,
  SystemCallError,
  TimeoutError,
  UsageError,
  WorkerLostError,
} from '../../src/base/errors.js';
import { decode, encode } from '../../src/wire/codec.js';
import {
  type ErrorRecord,
  joinStacks,
  rebuildError,
  recordError,
  registerError,
} from '../../src/wire/errors.js';

/** Through the wire, as it will be. */
function trip(thrown: unknown): unknown {
  return rebuildError(decode(encode(recordError(thrown))) as ErrorRecord);
}

const DROPPED = Symbol.for('furca:dropped');

for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  test(`${Class.name} comes back as itself, with message and stack`, () => {
    const error = new Class('what happened');
    const back = trip(error) as Error;
    assert.equal(Object.getPrototypeOf(back), Class.prototype);
    assert.equal(back.name, Class.name);
    assert.equal(back.message, 'what happened');
    assert.equal(back.stack, error.stack);
    assert.deepEqual(Object.keys(back), []);
    assert.equal(Object.hasOwn(back, 'cause'), false);
  });
}

test("furca's own errors come back as their class with all their fields", () => {
  const lost = new WorkerLostError(
    'lost',
    {
      threadId: 0,
      pid: 7,
      exitCode: -9,
      signal: 'SIGKILL',
      reason: 'signal',
      stderrTail: 'last words',
      index: 0,
      startMethod: 'fork',
      taskId: 3,
      attempts: 1,
    },
    { cause: new SystemCallError('waitid', 10, 'ECHILD', '') },
  );
  const back = trip(lost) as WorkerLostError;
  assert.ok(back instanceof WorkerLostError && FurcaError.is(back));
  assert.deepEqual({ ...back }, { ...lost });
  assert.equal(back.code, 'ERR_FURCA_WORKER_LOST');
  assert.ok(back.cause instanceof SystemCallError);
  assert.equal(back.cause.errnoCode, 'ECHILD');
  for (const error of [
    new UsageError('u'),
    new TimeoutError('t', 5),
    new NotSendableError('n', 'a.b', 'send'),
  ]) {
    const again = trip(error) as FurcaError;
    assert.equal(again.constructor, error.constructor);
    assert.equal(again.name, error.name);
    assert.deepEqual({ ...again }, { ...error });
  }
});

test('an error of a class that is not known here keeps its name on the nearest known class', () => {
  class DatabaseError extends TypeError {
    override name = 'DatabaseError';
    code = 'E_DB';
    detail = { table: 'users', ids: new Set([1]) };
  }
  const back = trip(new DatabaseError('no')) as DatabaseError;
  assert.ok(back instanceof TypeError);
  assert.equal(back.name, 'DatabaseError');
  assert.equal(back.code, 'E_DB');
  assert.deepEqual(back.detail, { table: 'users', ids: new Set([1]) });
  assert.match(String(back), /^DatabaseError: no/);
  class Named extends Error {}
  Named.prototype.name = 'OnThePrototype';
  assert.equal((trip(new Named('x')) as Error).name, 'OnThePrototype');
});

test('an error of another realm comes back as the class of its name', () => {
  assert.ok(trip(runInNewContext('new RangeError("far")')) instanceof RangeError);
});

test('AggregateError keeps its errors, and DOMException its code', () => {
  const back = trip(new AggregateError([new TypeError('a'), 'plain', 5], 'all failed')) as AggregateError;
  assert.ok(back instanceof AggregateError);
  assert.equal(back.errors.length, 3);
  assert.ok(back.errors[0] instanceof TypeError);
  assert.deepEqual(back.errors.slice(1), ['plain', 5]);
  const dom = trip(new DOMException('gone', 'AbortError')) as DOMException;
  assert.ok(dom instanceof DOMException);
  assert.deepEqual([dom.name, dom.message, dom.code], ['AbortError', 'gone', 20]);
});

test('a cause may be anything, and a chain of causes ends at a bound', () => {
  const back = trip(new Error('a', { cause: new Error('b', { cause: { plain: 1 } }) })) as Error;
  assert.deepEqual((back.cause as Error).cause, { plain: 1 });
  assert.equal((trip(new Error('a', { cause: undefined })) as Error).cause, undefined);
  assert.ok(Object.hasOwn(trip(new Error('a', { cause: undefined })) as Error, 'cause'));
  let chain = new Error('0');
  for (let i = 1; i < 500; i += 1) chain = new Error(`${i}`, { cause: chain });
  let level: unknown = trip(chain);
  let depth = 0;
  while (level instanceof Error) {
    depth += 1;
    if (!(level.cause instanceof Error)) assert.deepEqual(Reflect.get(level, DROPPED), ['[cause]']);
    level = level.cause;
  }
  assert.equal(depth, 257);
});

test('an error that causes itself does so on arrival', () => {
  const error = new AggregateError([], 'loop');
  error.cause = error;
  error.errors.push(error, new Error('other'));
  const back = trip(error) as AggregateError;
  assert.equal(back.cause, back);
  assert.equal(back.errors[0], back);
  assert.equal((back.errors[1] as Error).message, 'other');
  assert.equal(Reflect.get(back, DROPPED), undefined);
});

test('properties that cannot be sent are dropped and listed; the others arrive', () => {
  const error = Object.assign(new Error('x'), {
    socket: new WeakMap(),
    port: 80,
    request: { on: new WeakSet() },
  });
  Object.defineProperty(error, 'hidden', { value: 1, enumerable: false });
  Object.defineProperty(error, 'bad', {
    get() {
      throw new Error('getter');
    },
  });
  const back = trip(error) as Error & { port: number };
  assert.equal(back.port, 80);
  assert.deepEqual(Object.keys(back), ['port']);
  assert.equal((back as unknown as { hidden: number }).hidden, 1);
  assert.deepEqual(Reflect.get(back, DROPPED), ['socket', 'request', 'bad']);
});

const thrownValues: readonly unknown[] = [
  undefined,
  null,
  0,
  -0,
  'text',
  7n,
  { a: [1] },
  [undefined],
  new Map([[1, 2]]),
];

for (const value of thrownValues) {
  test(`what is no error comes back as it is: ${typeof value} ${String(value)}`, () => {
    assert.deepStrictEqual(trip(value), value);
  });
}

test('recordError never throws, whatever was thrown', () => {
  const hostile = [
    new WeakMap(),
    Promise.resolve(1),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
        getPrototypeOf: () => {
          throw new Error('trap');
        },
      },
    ),
    new Proxy(new Error('behind'), {
      get: () => {
        throw new Error('trap');
      },
    }),
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('getter');
      },
    }),
    Object.defineProperty(new Error('x'), 'name', { value: Symbol('name') }),
    Object.defineProperty(new Error('x'), 'stack', { value: { not: 'text' } }),
    Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error('getter');
      },
    }),
    Object.setPrototypeOf(new Error('x'), null),
    Object.assign(new AggregateError([]), { errors: 5 }),
    Object.assign(new AggregateError([]), {
      errors: new Proxy([], {
        get: () => {
          throw new Error('trap');
        },
      }),
    }),
    Object.freeze(new Error('frozen')),
    Object.assign(new Error('x'), JSON.parse('{"__proto__": {"polluted": 1}}')),
  ];
  for (const thrown of hostile) {
    const back = trip(thrown);
    assert.ok(back instanceof Error, String(back));
    assert.equal(typeof back.stack, 'string');
  }
  assert.ok(trip(new WeakMap()) instanceof NotSendableError);
});

test('an error is an instance of its own class on arrival, with what the class gives it', () => {
  class QuotaError extends RangeError {
    readonly limit: number;
    constructor(limit: number, extra: string) {
      super(`over ${limit}${extra.trim()}`);
      this.limit = limit;
    }
    get isBig(): boolean {
      return this.limit > 9;
    }
  }
  const back = trip(new QuotaError(10, ' ')) as QuotaError;
  assert.ok(back instanceof QuotaError);
  assert.deepEqual([back.message, back.limit, back.isBig], ['over 10', 10, true]);
});

test('an error whose class cannot travel is the nearest that can be made, with everything else kept', () => {
  const secrets = new WeakMap<object, string>();
  class VaultError extends TypeError {
    override name = 'VaultError';
    code = 'E_VAULT';
    secret(): string | undefined {
      return secrets.get(this);
    }
  }
  for (let i = 0; i < 2; i += 1) {
    const back = trip(new VaultError('shut', { cause: 1n })) as Error & { code: string };
    assert.ok(back instanceof TypeError);
    assert.notEqual(back.constructor, VaultError);
    assert.deepEqual([back.name, back.code, back.message, back.cause], ['VaultError', 'E_VAULT', 'shut', 1n]);
  }
});

test('a registered class holds in messages that carry data alone, too', () => {
  class PlainError extends Error {}
  assert.ok(!(decode(encode(new PlainError('x'))) instanceof PlainError));
  registerError(PlainError, 'test:PlainError');
  const back = decode(encode(Object.assign(new PlainError('x'), { code: 5 })));
  assert.ok(back instanceof PlainError);
  assert.equal((back as Error & { code: number }).code, 5);
});

test('parts of an AggregateError that cannot be sent say so in their place', () => {
  const back = trip(new AggregateError([new Error('a'), new WeakMap(), 3], 'all')) as AggregateError;
  assert.equal((back.errors[0] as Error).message, 'a');
  assert.ok(back.errors[1] instanceof NotSendableError);
  assert.equal(back.errors[2], 3);
});

test('joinStacks puts the frames of the caller below those of the child', () => {
  const error = trip(new Error('deep')) as Error;
  const before = error.stack as string;
  joinStacks(error, 'Error\n    at ask (file:///app.js:1:2)\n    at main (file:///app.js:9:9)', 'Pool.map');
  assert.equal(
    error.stack,
    `${before}\n    at Pool.map (caller)\n    at ask (file:///app.js:1:2)\n    at main (file:///app.js:9:9)`,
  );
  assert.deepEqual(Object.keys(error), []);
});

test('joinStacks leaves alone what has no stack or is frozen', () => {
  for (const value of [null, 5, 'text', {}, { stack: 5 }, undefined])
    joinStacks(value, 'Error\n    at x', 'via');
  const frozen = Object.freeze(new Error('frozen'));
  const before = frozen.stack;
  joinStacks(frozen, 'Error\n    at x', 'via');
  assert.equal(frozen.stack, before);
});
