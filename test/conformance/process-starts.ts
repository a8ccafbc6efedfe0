import assert from 'node:assert/strict';
import {
  activeChildren,
  NotSendableError,
  Process,
  type ProcessOptions,
  UsageError,
} from '../../src/index.js';
import { answer, outcome } from '../harness/outcome.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

it('A child receives arguments equal to those given, of every kind that can travel', async (method) => {
  const shared = { name: 'shared' };
  const values = [
    1,
    -0,
    2n ** 70n,
    'text \u{1F600}',
    null,
    undefined,
    [1, [2, [3]]],
    { hello: 23, bye: 2.54 },
    new Map<unknown, unknown>([['a', new Set([1])]]),
    new Date(86_400_000),
    /a+b/giu,
    new Uint8Array([1, 2, 255]),
    new Float64Array([1.5, Number.NaN]),
    new RangeError('carried', { cause: 'why' }),
    [shared, shared],
  ] as const;
  const seen = await answer(
    method,
    async (...args: readonly unknown[]) => {
      const { inspect } = await import('node:util');
      const [first, second] = args[14] as [unknown, unknown];
      const error = args[13] as RangeError;
      const rest = args.filter((_, at) => at !== 13);
      const told = [error instanceof RangeError, error.message, error.cause];
      console.log(JSON.stringify({ rest: inspect(rest, { depth: 9 }), told, isSame: first === second }));
    },
    values,
  );
  const { inspect } = await import('node:util');
  const rest = inspect(
    values.filter((_, at) => at !== 13),
    { depth: 9 },
  );
  assert.deepEqual(seen, { rest, told: [true, 'carried', 'why'], isSame: true });
});

it('A child receives a megabyte of argument unharmed', async (method) => {
  const bytes = new Uint8Array(1 << 20).map((_, at) => at % 251);
  const seen = await answer(
    method,
    (given: Uint8Array) => {
      console.log(JSON.stringify([given.length, given.every((byte, at) => byte === at % 251)]));
    },
    [bytes],
  );
  assert.deepEqual(seen, [1 << 20, true]);
});

it('Changing an argument after start() was called does not change what the child receives', async (method) => {
  const list = [1, 2];
  const child = new Process({
    startMethod: method,
    target: (given: number[]) => process.exit(given.length),
    args: [list],
  });
  const started = child.start();
  list.push(3);
  await started;
  await child.join();
  assert.equal(child.exitCode, 2);
  child.close();
});

it('A process without a target ends with exit code 0', async (method) => {
  const child = new Process({ startMethod: method });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
});

it('A second start() is refused with ERR_FURCA_INVALID_STATE, while it runs and after its end', async (method) => {
  const child = new Process({ startMethod: method, target: () => {} });
  const first = child.start();
  await assert.rejects(child.start(), { code: 'ERR_FURCA_INVALID_STATE' });
  await first;
  await assert.rejects(child.start(), { code: 'ERR_FURCA_INVALID_STATE' });
  await child.join();
  await assert.rejects(child.start(), { code: 'ERR_FURCA_INVALID_STATE' });
  assert.equal(child.exitCode, 0);
  child.close();
});

it('Joining, signalling and watching before the start are refused with ERR_FURCA_INVALID_STATE', async (method) => {
  const child = new Process({ startMethod: method, target: () => {} });
  const code = 'ERR_FURCA_INVALID_STATE';
  await assert.rejects(child.join(), { code });
  assert.throws(() => child.joinSync(), { code });
  assert.throws(() => child.terminate(), { code });
  assert.throws(() => child.kill(), { code });
  assert.throws(() => child.interrupt(), { code });
  assert.throws(() => child.sentinel, { code });
  assert.deepEqual([child.isAlive(), child.pid, child.exitCode], [false, undefined, null]);
  child.close();
});

it('Options of the wrong kind are refused by the constructor, each by name', async (method) => {
  const wrong: [string, object][] = [
    ['target', { target: 'text' }],
    ['args', { args: 'text' }],
    ['name', { name: 7 }],
    ['daemon', { daemon: 1 }],
    ['cwd', { cwd: 7 }],
    ['env', { env: 'A=1' }],
    ['inherit', { inherit: 'server' }],
    ['stdio', { stdio: ['pipe'] }],
    ['start method', { startMethod: 'thread' }],
  ];
  for (const [named, options] of wrong) {
    const whole = { startMethod: method, ...options } as unknown as ProcessOptions<readonly []>;
    assert.throws(
      () => new Process(whole),
      (error: unknown) =>
        error instanceof UsageError &&
        error.code === 'ERR_FURCA_INVALID_ARGUMENT' &&
        error.message.includes(named),
      named,
    );
  }
});

it('An argument that cannot travel is refused by start(), naming its path, and nothing is started', async (method) => {
  const child = new Process<readonly [unknown]>({
    startMethod: method,
    target: () => {},
    args: [{ deep: [new Promise(() => {})] }],
  });
  await assert.rejects(
    child.start(),
    (error: unknown) =>
      error instanceof NotSendableError && error.path === 'args[0].deep[0]' && error.stage === 'send',
  );
  assert.deepEqual(activeChildren(), []);
  assert.equal(child.pid, undefined);
});

it('A target that captures what cannot travel is refused by start(), naming it; a forked child inherits it', async (method) => {
  const captive = { value: new WeakMap<object, number>() };
  captive.value.set(captive, 21);
  const child = new Process({ startMethod: method, target: () => process.exit(captive.value.get(captive)) });
  if (method === 'fork') {
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 21);
  } else {
    await assert.rejects(child.start(), {
      code: 'ERR_FURCA_NOT_SENDABLE',
      message: /a WeakMap at target → .* → captured variable captive → \.value/,
    });
  }
  assert.deepEqual(activeChildren(), []);
});

it('A target takes along what it captures: values, functions and instances of classes', async (method) => {
  const step = 2;
  class Counter {
    count = 3;
    add(): number {
      this.count += step;
      return this.count;
    }
  }
  const counter = new Counter();
  const twice = (work: () => number): number => work() + work();
  const { exitCode } = await outcome(
    method,
    (given: Counter) => process.exit(given instanceof Counter ? twice(() => given.add()) : 99),
    [counter],
  );
  assert.equal(exitCode, 12);
});

it('A working directory that is not there is refused by start()', async (method) => {
  const child = new Process({ startMethod: method, target: () => {}, cwd: '/no/such/folder' });
  await assert.rejects(child.start(), { code: 'ERR_FURCA_INVALID_ARGUMENT', message: /no\/such\/folder/ });
  assert.deepEqual(activeChildren(), []);
});

it('Starting costs nothing of the next start when it failed before', async (method) => {
  const refused = new Process<readonly [unknown]>({
    startMethod: method,
    target: () => {},
    args: [new WeakMap()],
  });
  await refused.start().catch(() => {});
  await refused[Symbol.asyncDispose]();
  const { exitCode } = await outcome(method, () => 5, []);
  assert.equal(exitCode, 0);
});
