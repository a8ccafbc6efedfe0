import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { allocate, payloadBytes } from '../../src/arena/allocator.js';
import { KIND } from '../../src/arena/layout.js';
import { joinOrFoundFamily } from '../../src/arena/member.js';
import { visitBlocks } from '../../src/arena/walk.js';
import { lendFrom } from '../../src/channel/loan.js';
import { JoinableQueue, type Loan, Lock, Pipe, Process, Queue } from '../../src/index.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

const CLOSED = { code: 'ERR_FURCA_CLOSED' };
const INVALID = { code: 'ERR_FURCA_INVALID_ARGUMENT' };
const ZERO_COPY = { zeroCopy: true } as const;

/** Blocks that are in use of messages of that many bytes and a few more: each test has sizes of its own, for others leave garbage. */
function countItems(bytes: number): number {
  const { arena } = joinOrFoundFamily();
  let count = 0;
  visitBlocks(arena, KIND.ITEM, (block) => {
    const size = payloadBytes(arena, block);
    if (size >= bytes && size < bytes + 400) count++;
  });
  return count;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects, and lets what is called after a collection run. */
async function collectGarbage(isDone: () => boolean, mostTurns = 5): Promise<void> {
  for (let turn = 0; turn < mostTurns && !isDone(); turn++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function makeSample(length = 5000): { name: string; numbers: Float64Array; bytes: Uint8Array } {
  return {
    name: 'sample',
    numbers: new Float64Array(length).map((_, index) => index / 2),
    bytes: new Uint8Array(length).fill(7),
  };
}

test('A loan shows what was put; closing it empties the arrays that were lent and gives the memory back', async () => {
  const queue = new Queue<ReturnType<typeof makeSample>>();
  await queue.put(makeSample(6000));
  assert.equal(countItems(54_000), 1);
  const loan = await queue.get(ZERO_COPY);
  const { name, numbers, bytes } = loan.value;
  assert.equal(name, 'sample');
  assert.deepEqual(numbers, makeSample(6000).numbers);
  assert.deepEqual(bytes, makeSample(6000).bytes);
  numbers[0] = 42;
  assert.equal(loan.value.numbers[0], 42);
  loan.close();
  loan.close();
  assert.deepEqual([loan.isClosed, numbers.length, bytes.length, name], [true, 0, 0, 'sample']);
  assert.throws(() => loan.value, CLOSED);
  queue.close();
  assert.equal(countItems(54_000), 0);
});

test('Arrays of every kind and width, at odd places in a message, are lent whole and aligned', () => {
  const queue = new Queue<unknown>();
  const filled = <T extends { fill(value: never): T }>(array: T, value: unknown): T =>
    array.fill(value as never);
  const value = {
    x: 'odd',
    a: filled(new Int8Array(4097), -3),
    b: filled(new Uint16Array(4001), 513),
    c: filled(new Float32Array(3001), 1.5),
    d: filled(new BigInt64Array(1001), -5n),
    e: Buffer.alloc(4099, 'é'),
    f: new DataView(new ArrayBuffer(5001)),
    g: new ArrayBuffer(4096),
    list: Array.from({ length: 100 }, (_, index) => index / 4),
    small: new Float64Array([1, 2]),
    y: ['behind', -0, 1n],
  };
  for (let round = 0; round < 3; round++) {
    queue.putSync(value);
    const loan = queue.getSync(ZERO_COPY);
    assert.deepEqual(loan.value, value);
    loan.close();
    queue.putSync(value);
    assert.deepEqual(queue.getSync(), value);
  }
});

test('Views that shared a buffer share the lent one', () => {
  const queue = new Queue<readonly [Uint8Array, Float64Array]>();
  const buffer = new ArrayBuffer(80_000);
  queue.putSync([new Uint8Array(buffer), new Float64Array(buffer, 8, 100)]);
  const [bytes, numbers] = queue.getSync(ZERO_COPY).value;
  assert.equal(bytes.buffer, numbers.buffer);
});

test('A small item comes as a copy, which outlives its loan', async () => {
  const queue = new Queue<Uint8Array>();
  await queue.put(new Uint8Array(10).fill(1));
  const loan = await queue.get(ZERO_COPY);
  const { value } = loan;
  loan.close();
  assert.throws(() => loan.value, CLOSED);
  assert.equal(value.length, 10);
});

test('Handles in an item live as long as its loan, and what came out of it longer', async () => {
  const queue = new Queue<{ lock: Lock; numbers: Float64Array }>();
  await queue.put({ lock: new Lock(), numbers: new Float64Array(10_000).fill(3) });
  const loan = queue.getSync(ZERO_COPY);
  const { lock, numbers } = loan.value;
  assert.equal(numbers[9999], 3);
  loan.close();
  assert.equal(numbers.length, 0);
  assert.equal(lock.tryAcquire(), true);
});

test('tryGet, getMany, loans() and all receiving calls of a pipe lend', async () => {
  const queue = new Queue<Uint8Array>();
  assert.equal(queue.tryGet(ZERO_COPY), undefined);
  for (let number = 1; number <= 4; number++) queue.putSync(new Uint8Array(50_000).fill(number));
  const seen: number[] = [];
  const note = (loan: Loan<Uint8Array> | undefined): void => {
    assert.ok(loan !== undefined);
    assert.equal(loan.value.length, 50_000);
    seen.push(loan.value[1] as number);
    loan[Symbol.dispose]();
  };
  note(queue.tryGet(ZERO_COPY));
  for (const loan of await queue.getMany(2, ZERO_COPY)) note(loan);
  queue.shutdown();
  for await (const loan of queue.loans()) note(loan);
  const [here, there] = Pipe<Uint8Array>();
  const send = (number: number): void => there.sendSync(new Uint8Array(50_000).fill(number));
  const sendBytes = (number: number): void => there.sendBytesSync(new Uint8Array(50_000).fill(number));
  send(5);
  note(await here.recv(ZERO_COPY));
  send(6);
  note(here.tryRecv(ZERO_COPY));
  send(7);
  note(here.recvSync(ZERO_COPY));
  sendBytes(8);
  note(await here.recvBytes(ZERO_COPY));
  sendBytes(9);
  note(here.tryRecvBytes(ZERO_COPY));
  sendBytes(10);
  note(here.recvBytesSync(ZERO_COPY));
  sendBytes(11);
  there.close();
  for await (const loan of here.loans()) note(loan);
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('A JoinableQueue does not lend, and zeroCopy is a boolean: refused before anything is taken', async () => {
  const joinable = new JoinableQueue<Uint8Array>();
  await joinable.put(new Uint8Array(50_000));
  await assert.rejects(joinable.get(ZERO_COPY), INVALID);
  await assert.rejects(joinable.getMany(1, ZERO_COPY), INVALID);
  assert.throws(() => joinable.tryGet(ZERO_COPY), INVALID);
  assert.throws(() => joinable.loans(), INVALID);
  assert.equal(joinable.size, 1);
  const [here, there] = Pipe();
  there.sendSync(1);
  assert.throws(() => here.recvSync({ zeroCopy: 1 } as never), INVALID);
  assert.equal(here.recvSync(), 1);
});

test('An array that a getter detaches while its item is read is refused, and nothing is put', () => {
  const queue = new Queue<unknown>();
  const bytes = new Uint8Array(50_000);
  const item = {
    bytes,
    get later() {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return 1;
    },
  };
  assert.throws(() => queue.putSync(item), { code: 'ERR_FURCA_NOT_SENDABLE' });
  assert.equal(queue.size, 0);
});

test('A message that cannot be read gives its memory back, and leaves no way to it', () => {
  const { arena, owner } = joinOrFoundFamily();
  const block = allocate(arena, owner, KIND.ITEM, 61_000);
  let left = 0;
  let lent: ArrayBuffer | undefined;
  const fail = (): never => {
    throw new RangeError('unreadable');
  };
  assert.throws(
    () =>
      lendFrom(
        block,
        () => {
          left++;
        },
        (lending) => {
          lent = lending.lend(block.at, 5000);
          return fail();
        },
      ),
    RangeError,
  );
  assert.deepEqual([left, lent?.byteLength], [1, 0]);
  assert.equal(countItems(61_000), 0);
});

test('Arrays beside a class come as copies, which outlive the loan', () => {
  const queue = new Queue<readonly [Uint8Array, unknown]>();
  class Own {
    bytes = new Uint8Array(50_000).fill(1);
  }
  queue.putSync([new Uint8Array(50_000).fill(2), new Own()]);
  const loan = queue.getSync(ZERO_COPY);
  const [bytes, own] = loan.value;
  loan.close();
  assert.deepEqual([bytes.length, bytes[49_999], (own as Own).bytes.length], [50_000, 2, 50_000]);
});

/** Takes loans and keeps them. */
export function hoard(queue: Queue<Uint8Array>, ready: Queue<number>): void {
  const loans = [1, 2, 3].map(() => queue.getSync(ZERO_COPY));
  ready.putSync(loans.reduce((sum, { value }) => sum + (value[51_999] as number), 0));
  process.kill(process.pid, 'SIGKILL');
}

test('What was lent to a process that is killed is free again', async () => {
  const queue = new Queue<Uint8Array>();
  const ready = new Queue<number>();
  for (let number = 1; number <= 4; number++) queue.putSync(new Uint8Array(52_000).fill(number));
  const child = new Process({ target: hoard, args: [queue, ready] });
  await child.start();
  assert.equal(await ready.get(), 6);
  await child.join();
  assert.equal(child.exitCode, -9);
  assert.equal(queue.getSync()[0], 4);
  queue.close();
  assert.equal(countItems(52_000), 0);
});

/** Gets an item while its sender goes on putting; answers what it saw at first and at last. */
export function keepLooking(queue: Queue<Uint8Array>, answers: Queue<number[]>, go: Queue<true>): void {
  const loan = queue.getSync(ZERO_COPY);
  const { value } = loan;
  const first = value[0] as number;
  answers.putSync([first]);
  go.getSync();
  answers.putSync([first, ...new Set(value)]);
  loan.close();
}

test('A sender that puts on and on does not write into what is lent', async () => {
  const queue = new Queue<Uint8Array>();
  const answers = new Queue<number[]>();
  const go = new Queue<true>();
  const child = new Process({ target: keepLooking, args: [queue, answers, go] });
  await child.start();
  queue.putSync(new Uint8Array(50_000).fill(1));
  assert.deepEqual(await answers.get(), [1]);
  for (let number = 2; number <= 40; number++) {
    queue.putSync(new Uint8Array(50_000).fill(number));
    assert.equal(queue.getSync()[0], number);
  }
  go.putSync(true);
  assert.deepEqual(await answers.get(), [1, 1]);
  await child.join();
  assert.equal(child.exitCode, 0);
});

test('A loan that is only forgotten is given back once it is collected', async () => {
  const queue = new Queue<Uint8Array>();
  const forget = (): void => {
    queue.putSync(new Uint8Array(53_000).fill(1));
    assert.equal(queue.getSync(ZERO_COPY).value[0], 1);
  };
  forget();
  await collectGarbage(() => countItems(53_000) === 0, 500);
  assert.equal(countItems(53_000), 0);
});

test('Whoever has an array that was lent has its memory, though nobody has the loan', async () => {
  const queue = new Queue<Uint8Array>();
  queue.putSync(new Uint8Array(50_000).fill(9));
  const bytes = queue.getSync(ZERO_COPY).value.subarray(10, 20);
  await collectGarbage(() => false);
  for (let number = 1; number <= 20; number++) {
    queue.putSync(new Uint8Array(50_000).fill(number));
    queue.getSync(ZERO_COPY).close();
  }
  assert.deepEqual([...bytes], new Array(10).fill(9));
});
