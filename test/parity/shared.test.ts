import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownMembership } from '../../src/arena/member.js';
import { measureUse } from '../../src/arena/walk.js';
import {
  Barrier,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  Value,
} from '../../src/index.js';
import { inChild } from '../harness/children.js';
import { FORK_READY, runProgram } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids: groups VA and SH.

watchTests();

const INVALID_ARGUMENT = { code: 'ERR_FURCA_INVALID_ARGUMENT' };
const INVALID_STATE = { code: 'ERR_FURCA_INVALID_STATE' };
const CLOSED = { code: 'ERR_FURCA_CLOSED' };

/** Where a name of shared memory is kept. */
function folderOfName(name: string): string {
  const uid = process.getuid?.() ?? 0;
  return join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `furca-${uid}`, name);
}

// First, while the family has no other member: one that ends gives back what it held.
test('A hundred thousand primitives made and dropped leave the arena as it was', () => {
  const make = (): void => {
    new Lock().close();
    new RLock().close();
    new Semaphore(2).close();
    new Event().close();
    new Condition().close();
    new Barrier(2).close();
    new Value('int32').close();
    new SharedArray('float64', 10).close();
  };
  make();
  const { arena } = ownMembership();
  const before = measureUse(arena);
  for (let i = 0; i < 12_500; i++) make();
  assert.deepEqual(measureUse(arena), before);
});

test('VA-01: values of all types are read back, and a child’s write is seen', async () => {
  const int = new Value('int32', 4343);
  const float = new Value('float64', 3.625);
  const short = new Value('int16', -232);
  const big = new Value('bigint64', 2n ** 33n);
  const char = new Value('char', 'x');
  await inChild(
    (
      int: Value<'int32'>,
      float: Value<'float64'>,
      short: Value<'int16'>,
      big: Value<'bigint64'>,
      char: Value<'char'>,
    ) => {
      if (int.value !== 4343 || float.value !== 3.625 || short.value !== -232 || big.value !== 2n ** 33n)
        process.exit(3);
      if (char.exchange('y') !== 'x') process.exit(4);
      int.value = 24_234;
      float.value = -4.25;
      short.value = 234;
      big.value = 2n ** 34n;
    },
    [int, float, short, big, char],
  );
  assert.equal(char.value, 'y');
  assert.deepEqual([int.value, float.value, short.value, big.value], [24_234, -4.25, 234, 2n ** 34n]);
});

test('VA-02: the lock of a value is one of its own, the one given, or none', async () => {
  assert.ok(new Value('int8').getLock() instanceof RLock);
  const lock = new Lock();
  assert.equal(new Value('int8', 1, { lock }).getLock(), lock);
  assert.throws(() => new Value('int8', 1, { lock: false }).getLock(), INVALID_STATE);
  assert.throws(() => new Value('int8', 1, { lock: 'no' as never }), INVALID_ARGUMENT);
  const value = new Value('int8', 1, { lock });
  assert.equal(await value.runExclusive(() => lock.locked()), true);
  assert.deepEqual(value.stats(), { type: 'int8', value: 1, ownerPid: null });
});

test('VA-03: an array has length, elements, slices and a live view that a child shares', async () => {
  const numbers = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831];
  const array = new SharedArray('int32', numbers);
  assert.deepEqual([array.length, array.get(0), array.get(-1), [...array]], [10, 680, 831, numbers]);
  assert.deepEqual([...array.slice(2, 4)], [934, 821]);
  array.view.set([1, 2], 2);
  await inChild(
    (array: SharedArray<'int32'>) => {
      for (let i = 1; i < array.length; i++)
        array.view[i] = (array.view[i] as number) + (array.view[i - 1] as number);
    },
    [array],
  );
  let sum = 0;
  const expected = [680, 626, 1, 2, ...numbers.slice(4)].map((number) => {
    sum += number;
    return sum;
  });
  assert.deepEqual([...array.view], expected);
  assert.deepEqual([...new SharedArray('uint8', 0).view], []);
});

test('VA-07: bad indices, types and numbers are refused, and integers wrap', () => {
  const array = new SharedArray('int8', 2);
  for (const index of [2, -3, 0.5, Number.NaN]) {
    assert.throws(() => array.get(index), INVALID_ARGUMENT);
    assert.throws(() => array.set(index, 1), INVALID_ARGUMENT);
  }
  assert.throws(() => array.set(0, 1n as never), INVALID_ARGUMENT);
  assert.throws(() => array.set(0, '1' as never), INVALID_ARGUMENT);
  assert.throws(() => new SharedArray('int31' as never, 2), INVALID_ARGUMENT);
  assert.throws(() => new SharedArray('toString' as never, 2), INVALID_ARGUMENT);
  assert.throws(() => new SharedArray('int8', -1), INVALID_ARGUMENT);
  assert.throws(() => new SharedArray('int8', ['x'] as never), INVALID_ARGUMENT);
  assert.throws(() => new Value('nothing' as never), INVALID_ARGUMENT);
  assert.throws(() => new Value('bigint64', 1 as never), INVALID_ARGUMENT);
  assert.deepEqual([...array], [0, 0]);
  const value = new Value('int32', 2 ** 31 - 1);
  value.add(1);
  assert.equal(value.value, -(2 ** 31));
});

test('VA-05, VA-07: an array of characters holds one byte each, shown as text of length 1', async () => {
  const array = new SharedArray('char', 20);
  array.view.set(Buffer.from('hello', 'latin1'));
  await inChild(
    (array: SharedArray<'char'>) => {
      for (let index = 0; index < 5; index++) array.set(index + 5, array.get(index));
    },
    [array],
  );
  assert.equal([...array].join('').replace(/\0+$/, ''), 'hellohello');
  assert.deepEqual([...new SharedArray('char', 'é\0ÿ').view], [0xe9, 0, 0xff]);
  assert.equal(array.compareExchange(0, 'h', 'j'), 'h');
  assert.equal(array.compareExchange(0, 'h', 'k'), 'j');
  assert.equal(new Value('char').value, '\0');
  for (const wrong of ['', 'ab', '€', 97, null]) {
    assert.throws(() => new Value('char', wrong as never), INVALID_ARGUMENT);
    assert.throws(() => array.set(1, wrong as never), INVALID_ARGUMENT);
  }
  assert.throws(() => array.add(0, 'a' as never), INVALID_ARGUMENT);
  assert.throws(() => new Value('char', 'a').sub(1 as never), INVALID_ARGUMENT);
  assert.equal(array.get(1), 'e');
});

test('W-21: additions of several processes to one value lose nothing, also to a float', async () => {
  const int = new Value('int32', 0, { lock: false });
  const float = new Value('float64', 0, { lock: false });
  const add = (int: Value<'int32'>, float: Value<'float64'>): void => {
    for (let i = 0; i < 20_000; i++) {
      int.add(1);
      float.add(0.5);
    }
  };
  await Promise.all([0, 1, 2].map(() => inChild(add, [int, float])));
  assert.deepEqual([int.value, float.value], [60_000, 30_000]);
});

test('Values and arrays exchange in one step, floats and NaN included', () => {
  for (const type of ['float32', 'float64'] as const) {
    const value = new Value(type, Number.NaN);
    assert.ok(Number.isNaN(value.compareExchange(Number.NaN, 2)));
    assert.equal(value.sub(0.5), 2);
    assert.equal(value.exchange(-0), 1.5);
    assert.ok(Object.is(value.value, -0));
    const array = new SharedArray(type, [1, 2]);
    assert.deepEqual([array.add(-1, 2), array.sub(0, 1), array.exchange(0, 9)], [2, 1, 0]);
    assert.deepEqual([array.compareExchange(0, 1, 5), [...array]], [9, [9, 4]]);
  }
  const big = new SharedArray('biguint64', [1n]);
  assert.deepEqual([big.sub(0, 2n), big.get(0)], [1n, 2n ** 64n - 1n]);
});

test('A view shows its own memory alone: copies are of its size, close() empties it, a transfer harms nobody', () => {
  const neighbour = new SharedArray('uint8', 4);
  const array = new SharedArray('uint8', [1, 2, 3]);
  assert.equal(array.view, array.view);
  assert.equal(array.view.buffer.byteLength, 3);
  assert.equal(structuredClone(array.view).buffer.byteLength, 3);
  const buffer = array.view.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
  if (buffer.transfer !== undefined) {
    const taken = new Uint8Array(buffer.transfer());
    taken[0] = 9;
    assert.equal(array.get(0), 1);
    assert.deepEqual([...array.view], [1, 2, 3]);
  }
  const { view } = array;
  array.close();
  assert.equal(view.length, 0);
  assert.throws(() => array.view, CLOSED);
  assert.throws(() => array.get(0), CLOSED);
  assert.deepEqual([...neighbour], [0, 0, 0, 0]);
});

test('A view keeps its memory although its array is out of reach', async () => {
  const views = Array.from(
    { length: 200 },
    (_, index) => new SharedArray('int32', [index], { lock: false }).view,
  );
  for (let i = 0; i < 50; i++) new SharedArray('int32', new Array<number>(2000).fill(-1), { lock: false });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(
    views.map((view) => view[0]),
    views.map((_, index) => index),
  );
});

test('SH-02, SH-03: bad sizes and names are refused, and a name is taken once', () => {
  for (const sizeBytes of [-1, 0, 0.5, Number.NaN]) {
    assert.throws(() => new SharedMemory({ sizeBytes }), INVALID_ARGUMENT);
  }
  assert.throws(() => new SharedMemory({}), INVALID_ARGUMENT);
  for (const name of ['', 'a\0b', 'x'.repeat(300)]) {
    assert.throws(() => new SharedMemory({ name, sizeBytes: 1 }), INVALID_ARGUMENT);
  }
  const name = `../a:b\n${process.pid}`;
  assert.throws(() => new SharedMemory({ name }), { code: 'ERR_FURCA_NAME_UNKNOWN' });
  const memory = new SharedMemory({ name, sizeBytes: 10 });
  assert.throws(() => new SharedMemory({ name, sizeBytes: 10 }), { code: 'ERR_FURCA_NAME_TAKEN' });
  const same = new SharedMemory({ name });
  new Uint8Array(memory.buffer)[3] = 4;
  assert.deepEqual([same.sizeBytes, same.name, new Uint8Array(same.buffer)[3]], [10, name, 4]);
  memory.unlink();
  assert.throws(() => new SharedMemory({ name }), { code: 'ERR_FURCA_NAME_UNKNOWN' });
  new Uint8Array(memory.buffer)[3] = 5;
  assert.equal(new Uint8Array(same.buffer)[3], 5);
  memory.close();
  memory.close();
  assert.equal(memory.isClosed, true);
  assert.throws(() => memory.buffer, CLOSED);
  assert.equal(new Uint8Array(same.buffer)[3], 5);
  same.close();
});

test('SH-04: memory that was sent is the same memory, with and without a name', async () => {
  const plain = new SharedMemory({ sizeBytes: 100_000 });
  const named = new SharedMemory({ sizeBytes: 10, name: `sent-${process.pid}` });
  await inChild(
    (plain: SharedMemory, named: SharedMemory) => {
      new Uint8Array(plain.buffer).fill(7);
      new Uint8Array(named.buffer).fill(8);
      if (plain.name !== null || plain.sizeBytes !== 100_000) process.exit(3);
    },
    [plain, named],
  );
  assert.ok(new Uint8Array(plain.buffer).every((byte) => byte === 7));
  assert.ok(new Uint8Array(named.buffer).every((byte) => byte === 8));
  assert.throws(() => plain.unlink(), INVALID_STATE);
  plain.close();
  named.close();
  assert.equal(
    existsSync(folderOfName(named.name as string)),
    false,
    'the child, too, has taken its link along',
  );
});

test('A forked child that closes its memory leaves it to be found through its parent', async () => {
  const name = `forked-${process.pid}`;
  const program = `
    import { SharedMemory } from 'furca';
    import { _exit, fork, waitpid } from 'furca/os';
    const memory = new SharedMemory({ name: ${JSON.stringify(name)}, sizeBytes: 8 });
    const pid = fork();
    if (pid === 0) {
      memory.close();
      _exit(0);
    }
    await waitpid(pid);
    new SharedMemory({ name: memory.name }).close();
  `;
  const { code, stderr } = await runProgram(program, { flags: FORK_READY });
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(existsSync(folderOfName(name)), false);
});

test('W-13, SH-08: who merely attached takes nothing along; named memory of a killed program is gone', async () => {
  const name = `foreign-${process.pid}`;
  const memory = new SharedMemory({ name, sizeBytes: 8 });
  const attach = (after: string): string => `
    import { SharedMemory } from 'furca';
    const memory = new SharedMemory({ name: ${JSON.stringify(name)} });
    new Uint8Array(memory.buffer)[0]++;
    ${after}
  `;
  assert.equal((await runProgram(attach('memory.close();'))).code, 0);
  assert.equal((await runProgram(attach('process.exit(0);'))).code, 0);
  await runProgram(attach("process.kill(process.pid, 'SIGKILL');"));
  assert.equal(new Uint8Array(memory.buffer)[0], 3);
  new SharedMemory({ name }).close();
  memory.close();
  assert.throws(() => new SharedMemory({ name }), { code: 'ERR_FURCA_NAME_UNKNOWN' });
  await runProgram(`
    import { SharedMemory } from 'furca';
    new SharedMemory({ name: ${JSON.stringify(name)}, sizeBytes: 100 });
    process.kill(process.pid, 'SIGKILL');
  `);
  assert.throws(() => new SharedMemory({ name }), { code: 'ERR_FURCA_NAME_UNKNOWN' });
  new SharedMemory({ name, sizeBytes: 3 }).close();
});
