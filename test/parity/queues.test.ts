import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BufferTooShortError,
  JoinableQueue,
  type Lock,
  Pipe,
  type PipeConnection,
  Queue,
  SimpleQueue,
} from '../../src/index.js';
import { askGrandchild, putAndDie } from '../fixtures/queue-children.js';
import { startChild } from '../harness/children.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids: groups QU, JQ, SQ, CN; and what it is weak at (W-01 to W-14).

watchTests();

const CLOSED = { code: 'ERR_FURCA_CLOSED' };
const TIMEOUT = { code: 'ERR_FURCA_TIMEOUT' };
const BROKEN = { code: 'ERR_FURCA_BROKEN' };
const INVALID_STATE = { code: 'ERR_FURCA_INVALID_STATE' };
const INVALID_ARGUMENT = { code: 'ERR_FURCA_INVALID_ARGUMENT' };
const NOT_SENDABLE = { code: 'ERR_FURCA_NOT_SENDABLE' };

test('QU-02: on a full queue tryPut answers false, and put rejects once its time is up', async () => {
  const queue = new Queue<number>({ maxItems: 6 });
  for (let item = 1; item <= 6; item++) await queue.put(item);
  assert.equal(queue.isFull, true);
  assert.equal(queue.tryPut(7), false);
  await assert.rejects(queue.put(7, { timeoutMs: 0 }), TIMEOUT);
  const began = performance.now();
  await assert.rejects(queue.put(7, { timeoutMs: 80 }), TIMEOUT);
  assert.throws(() => queue.putSync(7, { timeoutMs: 80 }), TIMEOUT);
  assert.ok(performance.now() - began >= 155);
  assert.equal(queue.size, 6);
  const waiting = queue.put(7);
  const child = await startChild((queue: Queue<number>) => queue.get(), [queue] as const);
  await waiting;
  await child.join();
  assert.deepEqual(await queue.getMany(), [2, 3, 4, 5, 6, 7]);
});

test('QU-03: every form of get keeps the order of one producer', async () => {
  const queue = new Queue<number>();
  const child = await startChild((queue: Queue<number>) => queue.putMany([1, 2, 3, 4, 5]), [queue] as const);
  await child.join();
  assert.equal(queue.tryGet(), 1);
  assert.equal(await queue.get(), 2);
  assert.equal(queue.getSync(), 3);
  assert.equal(await queue.get({ timeoutMs: 60_000 }), 4);
  assert.deepEqual(await queue.getMany(10), [5]);
  assert.equal(queue.isEmpty, true);
});

test('QU-04: on an empty queue tryGet answers undefined, and get rejects once its time is up', async () => {
  const queue = new Queue<number>();
  assert.equal(queue.tryGet(), undefined);
  await assert.rejects(queue.get({ timeoutMs: 0 }), TIMEOUT);
  const began = performance.now();
  await assert.rejects(queue.get({ timeoutMs: 80 }), TIMEOUT);
  assert.throws(() => queue.getSync({ timeoutMs: 80 }), TIMEOUT);
  assert.ok(performance.now() - began >= 155);
  const signal = AbortSignal.timeout(30);
  await assert.rejects(queue.get({ signal }), { name: 'TimeoutError' });
  assert.equal(queue.stats().waitingToGet, 0);
});

test('QU-06: a queue that the parent has used before is used by a child: 0 to 19 in order', async () => {
  const queue = new Queue<number>();
  for (let item = 0; item < 10; item++) await queue.put(item);
  const child = await startChild(
    async (queue: Queue<number>) => {
      for (let item = 10; item < 20; item++) await queue.put(item);
    },
    [queue] as const,
  );
  await child.join();
  assert.deepEqual(
    await queue.getMany(),
    Array.from({ length: 20 }, (_, index) => index),
  );
  assert.equal(queue.tryGet(), undefined);
});

test('QU-07: size follows put and get', async () => {
  const queue = new Queue<number>();
  const sizes = [queue.size];
  await queue.put(1);
  sizes.push(queue.size);
  await queue.put(5);
  sizes.push(queue.size);
  await queue.get();
  sizes.push(queue.size);
  await queue.get();
  sizes.push(queue.size);
  assert.deepEqual(sizes, [0, 1, 2, 1, 0]);
});

test('QU-08, W-12: a value that cannot be sent rejects put, and the queue is as it was', async () => {
  const queue = new Queue<unknown>({ maxItems: 1 });
  await assert.rejects(queue.put({ socket: { inner: new WeakMap() } }), NOT_SENDABLE);
  assert.throws(() => queue.tryPut(new WeakMap()), NOT_SENDABLE);
  assert.equal(queue.size, 0);
  assert.equal(queue.tryPut(true), true);
  assert.equal(await queue.get(), true);
});

test('QU-10, SQ-02, SQ-03: closing twice is fine, and a closed queue refuses everything', async () => {
  for (const queue of [new Queue<number>(), new SimpleQueue<number>(), new JoinableQueue<number>()]) {
    const waiting = queue.get();
    queue.close();
    queue.close();
    await assert.rejects(waiting, CLOSED);
    assert.equal(queue.isClosed, true);
    assert.throws(() => queue.isEmpty, CLOSED);
    assert.throws(() => queue.tryGet(), CLOSED);
    assert.throws(() => queue.tryPut(1), CLOSED);
    await assert.rejects(queue.put(1), CLOSED);
    await assert.rejects(queue.get(), CLOSED);
  }
});

test('QU-11: a queue in the child of a child is empty there, and all exit cleanly', async () => {
  const child = await startChild(askGrandchild, [] as const);
  await child.join();
  assert.equal(child.exitCode, 0);
});

test('QU-12: other than in CPython, a queue travels through a queue, with all its kind', async () => {
  const outer = new Queue<object>();
  for (const inner of [
    new SimpleQueue<number>(),
    new Queue<number>({ maxItems: 3 }),
    new JoinableQueue<number>(),
  ]) {
    const child = await startChild(
      async (queue: Queue<object>) => {
        const { inner } = (await queue.get()) as { inner: SimpleQueue<number> };
        await inner.put(1);
      },
      [outer] as const,
    );
    await outer.put({ inner });
    assert.equal(await inner.get(), 1);
    await child.join();
    await outer.put(inner);
    const again = await outer.get();
    assert.equal(again.constructor, inner.constructor);
    inner.close();
    await (again as SimpleQueue<number>).put(2);
    assert.equal(await (again as SimpleQueue<number>).get(), 2);
  }
});

test('JQ-01: join resolves only after taskDone was called for every item', async () => {
  const queue = new JoinableQueue<number | null>();
  const done = new Queue<number>();
  const work = async (queue: JoinableQueue<number | null>, done: Queue<number>): Promise<void> => {
    for (let item = await queue.get(); item !== null; item = await queue.get()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await done.put(item);
      queue.taskDone();
    }
    queue.taskDone();
  };
  const workers = await Promise.all(
    Array.from({ length: 4 }, () => startChild(work, [queue, done] as const)),
  );
  for (let item = 0; item < 10; item++) await queue.put(item);
  await queue.join();
  assert.equal(done.size, 10);
  for (const _ of workers) await queue.put(null);
  for (const worker of workers) await worker.join();
  assert.ok(workers.every(({ exitCode }) => exitCode === 0));
  assert.equal(queue.unfinished, 0);
});

test('JQ-02: taskDone called more often than items were got is an error', async () => {
  const queue = new JoinableQueue<object>();
  assert.throws(() => queue.taskDone(), INVALID_STATE);
  await queue.putMany([{ a: 1 }, { a: 2 }]);
  const [first, second] = [await queue.get(), await queue.get()];
  queue.taskDone(second);
  assert.throws(() => queue.taskDone(second), INVALID_STATE);
  queue.taskDone(first);
  assert.throws(() => queue.taskDone(), INVALID_STATE);
  assert.throws(() => new JoinableQueue({ whenConsumerDies: 'x' as 'fail' }), INVALID_ARGUMENT);
});

test('JQ-03: join resolves at once where nothing is unfinished, and all who join are told', async () => {
  const queue = new JoinableQueue<number>();
  await queue.join({ timeoutMs: 0 });
  queue.joinSync({ timeoutMs: 0 });
  await queue.put(1);
  await assert.rejects(queue.join({ timeoutMs: 30 }), TIMEOUT);
  const joined = [queue.join(), queue.join()];
  const child = await startChild((queue: JoinableQueue<number>) => queue.joinSync(), [queue] as const);
  await queue.get();
  queue.taskDone();
  await Promise.all(joined);
  await child.join();
  assert.equal(child.exitCode, 0);
});

test('SQ-04, W-03: writers that put at the same time never mix up their items, also when killed', async () => {
  const queue = new SimpleQueue<Uint8Array>();
  const flood = (queue: SimpleQueue<Uint8Array>, byte: number): void => {
    for (;;) queue.putSync(new Uint8Array(200_000).fill(byte));
  };
  const writers = await Promise.all([1, 2].map((byte) => startChild(flood, [queue, byte] as const)));
  for (let count = 0; count < 20; count++) {
    const item = await queue.get({ timeoutMs: 60_000 });
    assert.ok(item.every((byte) => byte === item[0]) && item.byteLength === 200_000);
  }
  for (const writer of writers) writer.kill();
  for (const writer of writers) await writer.join();
  // Both writers are gone, and this process never wrote: once all is read there is nothing more to wait for.
  for await (const item of queue)
    assert.ok(item.every((byte) => byte === item[0]) && item.byteLength === 200_000);
});

test('W-01: joining a child before reading what it has put does not deadlock', async () => {
  const queue = new Queue<Uint8Array>();
  const child = await startChild((queue: Queue<Uint8Array>) => queue.put(new Uint8Array(1_000_000)), [
    queue,
  ] as const);
  await child.join({ timeoutMs: 60_000 });
  assert.equal((await queue.get()).byteLength, 1_000_000);
});

test('W-02: a reader killed while it waits takes nothing along and nobody in its way', async () => {
  const queue = new Queue<number>();
  const readers = await Promise.all(
    [0, 1, 2].map((kind) =>
      startChild(
        async (queue: Queue<number>, kind: number) => void (kind === 0 ? await queue.get() : queue.getSync()),
        [queue, kind] as const,
      ),
    ),
  );
  while (queue.stats().waitingToGet < 3) await sleep(5);
  for (const reader of readers) reader.kill();
  for (const reader of readers) await reader.join();
  assert.equal(queue.stats().waitingToGet, 0);
  await queue.put(7);
  assert.equal(await queue.get({ timeoutMs: 60_000 }), 7);
});

test('W-06: the items of a dead consumer come to others, or join fails, as the option says', async () => {
  const die = async (queue: JoinableQueue<string>): Promise<void> => {
    await queue.get();
    process.kill(process.pid, 'SIGKILL');
  };
  const kind = new JoinableQueue<string>();
  const strict = new JoinableQueue<string>({ whenConsumerDies: 'fail' });
  for (const queue of [kind, strict]) {
    await queue.put('work');
    const joined = queue.join({ timeoutMs: 60_000 });
    joined.catch(() => {});
    const child = await startChild(die, [queue] as const);
    await child.join();
    assert.equal(child.exitCode, -9);
    if (queue === kind) {
      assert.equal(await queue.get({ timeoutMs: 60_000 }), 'work');
      queue.taskDone();
      await joined;
    } else await assert.rejects(joined, BROKEN);
  }
});

test('W-14: what put has resolved for is there after SIGKILL, large and small, with handles and without', async () => {
  const queue = new Queue<unknown>();
  const child = await startChild(putAndDie, [queue] as const);
  await child.join();
  assert.equal(await queue.get(), 1);
  assert.equal(((await queue.get()) as string).length, 300_000);
  const { inner, lock } = (await queue.get()) as { inner: Queue<string>; lock: Lock };
  assert.equal(await inner.get(), 'still here');
  assert.equal(lock.tryAcquire(), true);
  lock.release();
});

test('A queue ends for those who read when all who wrote are gone, and for all after shutdown()', async () => {
  const queue = new Queue<number>();
  const child = await startChild((queue: Queue<number>) => queue.putMany([1, 2]), [queue] as const);
  const items: number[] = [];
  for await (const item of queue) items.push(item);
  assert.deepEqual(items, [1, 2]);
  await child.join();
  await assert.rejects(queue.get(), CLOSED);
  await assert.rejects(queue.put(3), CLOSED);
  const jobs = new Queue<number>({ maxItems: 2 });
  const results = new Queue<number>();
  const workers = await Promise.all(
    [0, 1].map(() =>
      startChild(
        async (jobs: Queue<number>, results: Queue<number>) => {
          for await (const job of jobs) await results.put(job * job);
        },
        [jobs, results] as const,
      ),
    ),
  );
  assert.equal(await jobs.putMany([1, 2, 3, 4, 5, 6]), 6);
  const full = [jobs.put(7), jobs.put(8), jobs.put(9)].map((put) => put.catch(() => 'refused'));
  jobs.shutdown();
  await Promise.all(full);
  for (const worker of workers) await worker.join();
  const squares: number[] = [];
  for await (const square of results) squares.push(square);
  assert.deepEqual(squares.sort((a, b) => a - b).slice(0, 6), [1, 4, 9, 16, 25, 36]);
  assert.throws(() => jobs.tryGet(), CLOSED);
});

test('Readers that are left alone with each other are told when the only writer closes the queue', async () => {
  const queue = new Queue<number>();
  await queue.put(1);
  const readers = await Promise.all(
    [0, 1].map((kind) =>
      startChild(
        async (queue: Queue<number>, kind: number) => {
          if (kind === 0) for await (const _ of queue);
          else
            try {
              for (;;) queue.getSync();
            } catch {}
        },
        [queue, kind] as const,
      ),
    ),
  );
  queue.close();
  for (const reader of readers) {
    await reader.join({ timeoutMs: 60_000 });
    assert.equal(reader.exitCode, 0);
  }
});

test('A queue that nobody else has ever had does not end: a later put in this process comes', async () => {
  const queue = new Queue<number>();
  const got = queue.get({ timeoutMs: 60_000 });
  setTimeout(() => void queue.put(5), 30);
  assert.equal(await got, 5);
});

test('Options that are none, and times that are none, are refused before anything happens', async () => {
  for (const options of [null, 10, 'x'] as unknown as { maxItems: number }[]) {
    assert.throws(() => new Queue(options), INVALID_ARGUMENT);
    assert.throws(() => new JoinableQueue(options), INVALID_ARGUMENT);
    assert.throws(() => Pipe(options as object), INVALID_ARGUMENT);
  }
  const queue = new Queue<number>();
  const options = { timeoutMs: '5' as unknown as number };
  await assert.rejects(queue.put(1, options), INVALID_ARGUMENT);
  assert.throws(() => queue.putSync(1, options), INVALID_ARGUMENT);
  await assert.rejects(queue.putMany(5 as unknown as number[]), INVALID_ARGUMENT);
  assert.equal(queue.size, 0);
});

test('maxItems must be a positive integer', () => {
  for (const maxItems of [0, -1, 1.5, Number.NaN, '3' as unknown as number])
    assert.throws(() => new Queue({ maxItems }), INVALID_ARGUMENT);
  assert.equal(new Queue({ maxItems: Number.POSITIVE_INFINITY }).maxItems, null);
});

test('CN-01, CN-10: values and bytes come back through a duplex pipe, empty ones too', async () => {
  const [here, there] = Pipe();
  const child = await startChild(
    async (end: PipeConnection) => {
      for await (const value of end) {
        if (Buffer.isBuffer(value)) await end.sendBytes(value);
        else await end.send(value);
      }
    },
    [there] as const,
  );
  there.close();
  await here.send([1, 2.25, null]);
  assert.deepEqual(await here.recv(), [1, 2.25, null]);
  for (const text of ['hello world', '', 'x'.repeat(1_000_000)]) {
    await here.sendBytes(Buffer.from(text));
    assert.equal(await here.poll({ timeoutMs: 60_000 }), true);
    assert.equal((await here.recvBytes()).toString(), text);
  }
  here.sendSync('sync');
  assert.equal(here.recvSync(), 'sync');
  here.close();
  await child.join();
  assert.equal(child.exitCode, 0);
});

test('CN-02: poll answers at once, or once its time is up, or as soon as a message is there', async () => {
  const [here, there] = Pipe<number>();
  assert.equal(await here.poll(), false);
  assert.equal(await here.poll({ timeoutMs: -1 }), false);
  const began = performance.now();
  assert.equal(await here.poll({ timeoutMs: 60 }), false);
  assert.equal(here.pollSync({ timeoutMs: 60 }), false);
  assert.ok(performance.now() - began >= 115);
  await there.send(1);
  assert.equal(await here.poll({ timeoutMs: 60_000 }), true);
  assert.equal(here.tryRecv(), 1);
  assert.equal(here.tryRecv(), undefined);
});

test('CN-04: of a simplex pipe one end only receives and the other only sends', async () => {
  const [reader, writer] = Pipe({ duplex: false });
  assert.deepEqual([reader.readable, reader.writable], [true, false]);
  assert.deepEqual([writer.readable, writer.writable], [false, true]);
  await writer.send(1);
  assert.equal(await reader.recv(), 1);
  await assert.rejects(reader.send(2), INVALID_STATE);
  await assert.rejects(writer.recv(), INVALID_STATE);
  await assert.rejects(writer.poll(), INVALID_STATE);
});

test('CN-05: the parent may close its copy of the end that it gave to a child, right after the start', async () => {
  const [here, there] = Pipe<string>();
  const child = await startChild((end: PipeConnection<string>) => end.send('hello'), [there] as const);
  there.close();
  assert.equal(await here.recv(), 'hello');
  await child.join();
  await assert.rejects(here.recv(), CLOSED);
  await assert.rejects(here.send('x'), BROKEN);
  assert.equal(await here.poll(), true);
});

test('CN-06: sendBytes sends the part that was named, and refuses one that is not there', async () => {
  const [here, there] = Pipe();
  const message = Buffer.from('abcdefghijklmnopqrstuvwxyz');
  for (const [part, text] of [
    [{ offsetBytes: 5 }, 'fghijklmnopqrstuvwxyz'],
    [{ offsetBytes: 7, sizeBytes: 8 }, 'hijklmno'],
    [{ offsetBytes: 26 }, ''],
    [{ offsetBytes: 26, sizeBytes: 0 }, ''],
  ] as const) {
    await here.sendBytes(message, part);
    assert.equal((await there.recvBytes()).toString(), text);
  }
  for (const part of [
    { offsetBytes: 27 },
    { offsetBytes: 22, sizeBytes: 5 },
    { offsetBytes: 26, sizeBytes: 1 },
    { offsetBytes: -1 },
    { offsetBytes: 4, sizeBytes: -1 },
  ])
    await assert.rejects(here.sendBytes(message, part), INVALID_ARGUMENT);
  await here.sendBytes(message);
  await assert.rejects(there.recvBytes({ maxLengthBytes: 25 }), { code: 'ERR_FURCA_LIMIT' });
  assert.equal((await there.recvBytes({ maxLengthBytes: 26 })).byteLength, 26);
  await here.send('a value');
  assert.throws(() => there.tryRecvBytes(), INVALID_STATE);
  assert.equal(await there.recv(), 'a value');
});

test('CN-09: ends of a pipe are sent over a pipe and used by who receives them', async () => {
  const [here, there] = Pipe();
  const child = await startChild(
    async (end: PipeConnection) => {
      const inner = (await end.recv()) as PipeConnection;
      await inner.send('from afar');
    },
    [there] as const,
  );
  const [a, b] = Pipe();
  await here.send(b);
  b.close();
  assert.equal(await a.recv(), 'from afar');
  await child.join();
  await assert.rejects(a.recv(), CLOSED);
});

test('A sender waits while the pipe is full, in every form, and goes on when the other end reads or goes', async () => {
  const [here, there] = Pipe<Uint8Array>();
  const part = new Uint8Array(1024 * 1024);
  for (let count = 0; count < 4; count++) await here.send(part.subarray(100));
  assert.equal(here.trySend(part), false);
  assert.throws(() => here.sendSync(part, { timeoutMs: 30 }), TIMEOUT);
  await assert.rejects(here.send(part, { timeoutMs: 30 }), TIMEOUT);
  const sent = here.send(part);
  assert.equal((await there.recv()).byteLength, part.byteLength - 100);
  await sent;
  const left = here.send(part).then(
    () => 'sent',
    (error: { code: string }) => error.code,
  );
  there.close();
  assert.equal(await left, 'ERR_FURCA_BROKEN');
  // One that is longer than all there may be passes when it is alone.
  const [one, other] = Pipe<Uint8Array>();
  await one.send(new Uint8Array(9_000_000));
  assert.equal((await other.recv()).byteLength, 9_000_000);
});

test('One end in several processes: each message goes to one of them, whole', async () => {
  const [here, there] = Pipe<number, number | null>();
  const work = async (end: PipeConnection<number | null, number>): Promise<void> => {
    for (let item = await end.recv(); item !== null; item = await end.recv()) await end.send(item);
  };
  const workers = await Promise.all([0, 1, 2].map(() => startChild(work, [there] as const)));
  there.close();
  for (let item = 0; item < 300; item++) await here.send(item);
  const items: number[] = [];
  for (let count = 0; count < 300; count++) items.push(await here.recv());
  assert.deepEqual(
    items.sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, index) => index),
  );
  for (const _ of workers) await here.send(null);
  for (const worker of workers) await worker.join();
  await assert.rejects(here.recv(), CLOSED);
});

test('CN-01: recvBytesInto fills a buffer that is there, and keeps a message that is too long for it', async () => {
  const [here, there] = Pipe();
  const numbers = new Int32Array([1, 2, 3, 4]);
  for (const offsetBytes of [0, 12]) {
    const buffer = new Int32Array(10);
    await there.sendBytes(new Uint8Array(numbers.buffer));
    assert.equal(await here.recvBytesInto(buffer, { offsetBytes }), 16);
    const wanted = new Int32Array(10);
    wanted.set(numbers, offsetBytes / 4);
    assert.deepEqual(buffer, wanted);
  }
  const latin = Buffer.alloc(40, ' ');
  for (const length of [110, 5000]) {
    const long = Buffer.alloc(length, 'xyz');
    for (const receive of [
      () => here.recvBytesInto(latin),
      async () => here.tryRecvBytesInto(latin),
      async () => here.recvBytesIntoSync(latin),
    ]) {
      await there.sendBytes(long);
      await assert.rejects(receive(), (error: BufferTooShortError) => {
        assert.equal(error.code, 'ERR_FURCA_BUFFER_TOO_SHORT');
        assert.deepEqual(error.received, long);
        return true;
      });
      assert.deepEqual(latin, Buffer.alloc(40, ' '), 'the buffer is as it was');
    }
  }
  assert.equal(here.tryRecvBytesInto(latin), undefined, 'what was too long is received all the same');
  await there.sendBytes(Buffer.alloc(100_000, 7));
  const whole = new Uint8Array(100_001);
  assert.equal(here.recvBytesIntoSync(whole, { offsetBytes: 1 }), 100_000);
  assert.deepEqual([whole[0], whole[1], whole[100_000]], [0, 7, 7]);
});

test('recvBytesInto refuses no buffer, a bad offset and a value: before anything is taken', async () => {
  const [here, there] = Pipe();
  const buffer = new Uint8Array(4);
  await there.sendBytes(Buffer.from('ab'));
  for (const offsetBytes of [-1, 5, 0.5, '1', Number.NaN])
    assert.throws(() => here.tryRecvBytesInto(buffer, { offsetBytes } as never), INVALID_ARGUMENT);
  for (const none of [null, [1], new ArrayBuffer(8)])
    assert.throws(() => here.tryRecvBytesInto(none as never), INVALID_ARGUMENT);
  assert.equal(here.tryRecvBytesInto(buffer, { offsetBytes: 2 }), 2);
  await there.send('a value');
  await assert.rejects(here.recvBytesInto(buffer), INVALID_STATE);
  assert.equal(await here.recv(), 'a value');
  await assert.rejects(here.recvBytesInto(buffer, { timeoutMs: 1 }), TIMEOUT);
  await there.sendBytes(Buffer.alloc(0));
  assert.equal(await here.recvBytesInto(new Uint8Array(0)), 0);
});
