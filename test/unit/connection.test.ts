import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { Client, Connection, Listener, loads, tuple, wait } from '../../src/connection.js';
import { type BufferTooShortError, TimeoutError } from '../../src/index.js';
import { connectedPair, listening, rawSocket, rejection } from '../fixtures/connection-pairs.js';
import { someTurns } from '../fixtures/pool-outcomes.js';

/** Against hangs. */
const options = { timeout: 100_000 };
/** Longer than anything takes that is to be in time. */
const LONG = { timeoutMs: 60_000 };

test(
  'values arrive in order, in both directions, with the meaning of structuredClone',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t, { authKey: 'k' });
    const values = [
      undefined,
      null,
      1n,
      -0,
      'hé',
      new Map([[1, new Set([2])]]),
      new Float32Array([1.5]),
      new TypeError('no'),
    ];
    const sent = values.map((value) => client.send(value));
    for (const value of values) assert.deepEqual(await served.recv(), value);
    await Promise.all(sent);
    await served.send({ back: true });
    assert.deepEqual(await client.recv(), { back: true });
    assert.deepEqual(served.stats().receivedMessages, values.length);
  },
);

test('a value that cannot be sent rejects, and the connection goes on', options, async (t) => {
  const { client, served } = await connectedPair(t);
  assert.equal((await rejection(client.send({ f: () => 1 }))).code, 'ERR_FURCA_NOT_SENDABLE');
  await client.send('next');
  assert.equal(await served.recv(), 'next');
  await client.sendBytes(Buffer.from('not a message of furca'));
  await client.send('after');
  assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_NOT_SENDABLE');
  assert.equal(await served.recv(), 'after');
});

test(
  'a sender whose messages nobody takes waits, can give up, and loses nothing that had begun',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    const big = new Uint8Array(4 * 1024 * 1024).fill(1);
    const first = client.sendBytes(big);
    const second = rejection(client.sendBytes(big.fill(2), { timeoutMs: 20 }));
    assert.equal(client.trySendBytes(Buffer.from('no room')), false);
    assert.ok((await second) instanceof TimeoutError);
    const third = client.send('third');
    assert.equal((await served.recvBytes()).byteLength, big.byteLength);
    assert.equal(await served.recv(), 'third');
    await Promise.all([first, third]);
    assert.equal(client.trySend('room'), true);
    assert.equal(await served.recv(), 'room');
  },
);

test(
  'receivers get their messages in the order of their calls, and one that gave up takes none',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    const abort = new AbortController();
    const received = [
      served.recv(),
      rejection(served.recv({ signal: abort.signal })),
      served.recv(),
      rejection(served.recv({ timeoutMs: 5 })),
    ];
    const reason = new Error('enough');
    abort.abort(reason);
    assert.equal(await received[1], reason);
    assert.ok((await received[3]) instanceof TimeoutError);
    await client.send(1);
    await client.send(2);
    assert.deepEqual([await received[0], await received[2]], [1, 2]);
    assert.equal((await rejection(served.recv({ signal: abort.signal }))) as Error, reason);
  },
);

test(
  'CN-02, CN-10: poll tells whether recv would settle, and an empty message counts',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    assert.equal(await served.poll(), false);
    assert.equal(await served.poll({ timeoutMs: -1 }), false);
    assert.equal(await served.poll({ timeoutMs: 20 }), false);
    await client.sendBytes(new Uint8Array(0));
    assert.equal(await served.poll(), true);
    assert.equal(await served.poll(), true);
    assert.equal(served.tryPoll(), true);
    assert.equal((await served.recvBytes()).byteLength, 0);
    assert.equal(await served.poll(), false);
    const waiting = served.poll(LONG);
    await client.send(1);
    assert.equal(await waiting, true);
    assert.equal(served.tryRecv(), 1);
    assert.equal(served.tryRecv(), undefined);
    await client.close();
    assert.equal(await served.poll(LONG), true);
  },
);

test(
  'CN-01: recvBytesInto fills a buffer that is there, and keeps a message that is too long for it',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    const buffer = new Int32Array(10);
    await client.sendBytes(new Uint8Array(new Int32Array([1, 2, 3]).buffer));
    assert.equal(await served.recvBytesInto(buffer, { offsetBytes: 4 }), 12);
    assert.deepEqual([...buffer.subarray(0, 5)], [0, 1, 2, 3, 0]);
    const long = Buffer.alloc(110, 'x');
    await client.sendBytes(long);
    const error = await rejection(served.recvBytesInto(buffer));
    assert.equal(error.code, 'ERR_FURCA_BUFFER_TOO_SHORT');
    assert.deepEqual(Buffer.from((error as unknown as BufferTooShortError).received), long);
    assert.deepEqual([...buffer.subarray(0, 5)], [0, 1, 2, 3, 0]);
    assert.equal(served.tryRecvBytesInto(buffer), undefined);
    for (const wrong of [{ offsetBytes: 41 }, { offsetBytes: -1 }])
      assert.equal((await rejection(served.recvBytesInto(buffer, wrong))).code, 'ERR_FURCA_INVALID_ARGUMENT');
    await client.sendBytes(long.subarray(0, 40));
    assert.equal(await served.recvBytesInto(buffer), 40);
  },
);

test(
  'CN-06: a part of the bytes can be sent, and a part that is not there is refused',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz');
    for (const [offsetBytes, sizeBytes, expected] of [
      [0, undefined, letters.toString()],
      [5, undefined, 'fghijklmnopqrstuvwxyz'],
      [7, 8, 'hijklmno'],
      [26, undefined, ''],
      [26, 0, ''],
    ] as const) {
      await client.sendBytes(letters, { offsetBytes, sizeBytes });
      assert.equal(Buffer.from(await served.recvBytes()).toString(), expected);
    }
    for (const [offsetBytes, sizeBytes] of [
      [27, undefined],
      [22, 5],
      [26, 1],
      [-1, undefined],
      [4, -1],
      [1.5, 1],
    ] as const) {
      assert.equal(
        (await rejection(client.sendBytes(letters, { offsetBytes, sizeBytes }))).code,
        'ERR_FURCA_INVALID_ARGUMENT',
      );
    }
  },
);

test(
  'LA-17: a message longer than allowed breaks receiving for good; sending goes on',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    await client.sendBytes(new Uint8Array(10));
    assert.equal((await served.recvBytes({ maxLengthBytes: 10 })).byteLength, 10);
    await client.sendBytes(new Uint8Array(11));
    assert.equal((await rejection(served.recvBytes({ maxLengthBytes: 10 }))).code, 'ERR_FURCA_LIMIT');
    assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_LIMIT');
    assert.deepEqual([served.readable, served.writable], [false, true]);
    await served.send('still');
    assert.equal(await client.recv(), 'still');
    for (const maxLengthBytes of [-1, Number.NaN]) {
      assert.equal(
        (await rejection(client.recvBytes({ maxLengthBytes }))).code,
        'ERR_FURCA_INVALID_ARGUMENT',
      );
    }
  },
);

test(
  'maxMessageBytes bounds every message, also one fetched before anyone asked for it',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t, { maxMessageBytes: 100 });
    await client.sendBytes(new Uint8Array(50));
    assert.equal(await served.poll(LONG), true);
    assert.equal((await rejection(served.recvBytes({ maxLengthBytes: 49 }))).code, 'ERR_FURCA_LIMIT');
    await served.sendBytes(new Uint8Array(101));
    assert.equal((await rejection(client.recvBytes())).code, 'ERR_FURCA_LIMIT');
  },
);

test(
  'LA-16: the end before a message is ERR_FURCA_CLOSED, within one ERR_FURCA_BROKEN',
  options,
  async (t) => {
    const listener = await listening(t);
    for (const [hex, code] of [
      ['', 'ERR_FURCA_CLOSED'],
      ['0000', 'ERR_FURCA_BROKEN'],
      ['00000005', 'ERR_FURCA_BROKEN'],
      ['000000056162', 'ERR_FURCA_BROKEN'],
      ['fffffffe', 'ERR_FURCA_BROKEN'],
    ] as const) {
      const socket = await rawSocket(t, listener);
      const served = await listener.accept();
      socket.end(Buffer.from(hex, 'hex'));
      assert.equal((await rejection(served.recv())).code, code, hex);
      assert.equal(served.readable, false);
      served.terminate();
    }
  },
);

test(
  'iteration gives every message and ends when the other side closes; a torn message is thrown',
  options,
  async (t) => {
    const { client, served, listener } = await connectedPair(t);
    for (const x of [1, 2, 3]) await client.send(x);
    await client.close();
    const seen: unknown[] = [];
    for await (const x of served) seen.push(x);
    assert.deepEqual(seen, [1, 2, 3]);
    const socket = await rawSocket(t, listener);
    const torn = await listener.accept();
    socket.end(Buffer.from('00000005ab', 'hex'));
    assert.equal(
      (
        await rejection(
          (async () => {
            for await (const _ of torn);
          })(),
        )
      ).code,
      'ERR_FURCA_BROKEN',
    );
    torn.terminate();
  },
);

test(
  'close sends what was accepted, refuses everything after it, and may be called twice',
  options,
  async (t) => {
    const { client, served } = await connectedPair(t);
    const big = client.sendBytes(new Uint8Array(3_000_000));
    const waiting = rejection(client.recv());
    const closing = client.close();
    assert.equal((await waiting).code, 'ERR_FURCA_CLOSED');
    assert.deepEqual([client.closed, client.readable, client.writable], [true, false, false]);
    assert.equal((await served.recvBytes()).byteLength, 3_000_000);
    await Promise.all([big, closing, client.close()]);
    for (const use of [
      () => client.send(1),
      () => client.recv(),
      () => client.sendBytes(new Uint8Array(1)),
    ]) {
      assert.equal((await rejection(use())).code, 'ERR_FURCA_CLOSED');
    }
    assert.throws(() => client.trySend(1), { code: 'ERR_FURCA_CLOSED' });
    assert.throws(() => client.tryRecv(), { code: 'ERR_FURCA_CLOSED' });
    assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_CLOSED');
  },
);

test('what was sent arrives though its sender closes with messages unread', options, async (t) => {
  const listener = await listening(t, {}, { host: '127.0.0.1', port: 0 });
  for (let round = 0; round < 20; round++) {
    const [client, served] = await Promise.all([Client(listener.address), listener.accept()]);
    await served.send('unread');
    await client.send('last words');
    await client.close();
    assert.equal(await served.recv(), 'last words');
    assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_CLOSED');
    await served.close();
  }
});

test('terminate ends both directions at once; the other side is told', options, async (t) => {
  const { client, served } = await connectedPair(t);
  const stuck = rejection(client.sendBytes(new Uint8Array(8_000_000)));
  client.terminate();
  assert.equal((await stuck).code, 'ERR_FURCA_BROKEN');
  assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_BROKEN');
  assert.equal((await rejection(client.recv())).code, 'ERR_FURCA_CLOSED');
});

test('what had arrived before the connection broke is received first', options, async (t) => {
  const { client, served } = await connectedPair(t);
  await client.send('first');
  await client.send('second');
  client.terminate();
  // The event loop takes in what has arrived.
  await someTurns();
  await rejection(served.sendBytes(new Uint8Array(100_000)));
  assert.equal(await served.recv(), 'first');
  assert.equal(await served.recv(), 'second');
  assert.match(String((await rejection(served.recv())).code), /CLOSED|BROKEN/);
});

test('LA-01: an address can be listened at once, for each family', options, async (t) => {
  const unix = await listening(t, { family: 'AF_UNIX' });
  const inet = await listening(t, { family: 'AF_INET' });
  assert.equal(typeof unix.address, 'string');
  assert.equal((inet.address as { host: string }).host, '127.0.0.1');
  for (const listener of [unix, inet]) {
    const error = await rejection(Listener.listen(listener.address));
    assert.deepEqual(
      [error.code, (error.cause as { code?: string }).code],
      ['ERR_FURCA_BROKEN', 'EADDRINUSE'],
    );
  }
});

test(
  'closing a listener removes its socket and folder, ends accept, and leaves accepted connections alone',
  options,
  async (t) => {
    const listener = await listening(t);
    const path = listener.address as string;
    assert.ok(existsSync(path));
    const [client, served] = await Promise.all([Client(path), listener.accept()]);
    const accepting = rejection(listener.accept());
    await listener.close();
    assert.equal((await accepting).code, 'ERR_FURCA_CLOSED');
    assert.deepEqual([existsSync(path), existsSync(dirname(path))], [false, false]);
    await client.send('alive');
    assert.equal(await served.recv(), 'alive');
    assert.equal((await rejection(Client(path))).code, 'ERR_FURCA_BROKEN');
    assert.throws(() => listener.tryAccept(), { code: 'ERR_FURCA_CLOSED' });
    await Promise.all([client.close(), served.close(), listener.close()]);
  },
);

test('a client that nobody accepted is told when the listener closes', options, async (t) => {
  const listener = await listening(t);
  const left = await Client(listener.address);
  await wait([listener]);
  await listener.close();
  assert.match(String((await rejection(left.recv())).code), /CLOSED|BROKEN/);
  await left.close();
});

test('a listener can be iterated, tells who came, and counts', options, async (t) => {
  const listener = await listening(t, {}, { host: 'localhost', port: 0 });
  const serving = (async () => {
    const seen: unknown[] = [];
    for await (const connection of listener) {
      seen.push(await connection.recv());
      await connection.close();
    }
    return seen;
  })();
  for (const x of ['a', 'b']) {
    await using client = await Client(listener.address);
    await client.send(x);
    assert.equal((await rejection(client.recv())).code, 'ERR_FURCA_CLOSED');
  }
  assert.equal((listener.lastAccepted as { host: string }).host, '127.0.0.1');
  assert.equal(listener.stats().accepted, 2);
  await listener.close();
  assert.deepEqual(await serving, ['a', 'b']);
});

test('accept and Client honour timeoutMs and signal', options, async (t) => {
  const listener = await listening(t);
  assert.ok((await rejection(listener.accept({ timeoutMs: 10 }))) instanceof TimeoutError);
  assert.ok((await rejection(listener.accept({ timeoutMs: 0 }))) instanceof TimeoutError);
  const reason = new Error('no more');
  assert.equal(await rejection(listener.accept({ signal: AbortSignal.abort(reason) })), reason);
  assert.equal(await rejection(Client(listener.address, { signal: AbortSignal.abort(reason) })), reason);
  // Nobody answers the handshake: the listener has no key.
  const abort = new AbortController();
  const client = rejection(Client(listener.address, { authKey: 'k', signal: abort.signal }));
  (await listener.accept()).unref();
  abort.abort(reason);
  assert.equal(await client, reason);
});

test(
  'CN-13, CN-14: wait gives all that is ready, in order, and nothing at its timeout',
  options,
  async (t) => {
    const one = await connectedPair(t);
    const two = await connectedPair(t);
    let end = (): void => {};
    const sentinel = new Promise<void>((resolve) => {
      end = resolve;
    });
    const objects = [one.served, sentinel, two.served, one.listener];
    assert.deepEqual(await wait(objects, { timeoutMs: 0 }), []);
    assert.deepEqual(await wait(objects, { timeoutMs: -1 }), []);
    assert.deepEqual(await wait(objects, { timeoutMs: 20 }), []);
    assert.deepEqual(await wait([], { timeoutMs: 5 }), []);
    await two.client.send('x');
    assert.deepEqual(await wait(objects), [two.served]);
    end();
    await one.client.send('y');
    assert.deepEqual(await wait(objects, { timeoutMs: 0 }), [one.served, sentinel, two.served]);
    await one.served.recv();
    await two.served.recv();
    const rejected = Promise.reject(new Error('it has settled, too'));
    assert.deepEqual(await wait<Promise<never> | Connection>([one.served, rejected]), [rejected]);
  },
);

test('wait takes sockets and listeners, and gives up on abort', options, async (t) => {
  const { listener } = await connectedPair(t);
  const socket = await rawSocket(t, listener);
  assert.deepEqual(await wait([listener, socket]), [listener]);
  const served = await listener.accept();
  assert.deepEqual(await wait([listener, socket], { timeoutMs: 10 }), []);
  await served.sendBytes(Buffer.from('hi'));
  assert.deepEqual(await wait([listener, socket]), [socket]);
  assert.equal((socket.read() as Buffer).toString('latin1'), '\0\0\0\x02hi');
  const reason = new Error('abort');
  const abort = new AbortController();
  const waiting = rejection(wait([socket], { signal: abort.signal }));
  abort.abort(reason);
  assert.equal(await waiting, reason);
  assert.equal((await rejection(wait([7 as never]))).code, 'ERR_FURCA_INVALID_ARGUMENT');
  served.terminate();
});

test('who had no CPU until its time was up receives what came before', options, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, served } = await connectedPair(t);
  const received = served.recv({ timeoutMs: 20 });
  void client.send('in time');
  t.mock.timers.tick(20);
  assert.equal(await received, 'in time');
});

test('a connection over any socket: what send packs, recv of another unpacks', options, async (t) => {
  const listener = await listening(t, { format: 'pickle' });
  const connection = new Connection(await rawSocket(t, listener), { format: 'pickle' });
  const served = await listener.accept();
  await connection.send({ pair: tuple(1, 'x') });
  assert.deepEqual(await served.recv(), new Map([['pair', [1, 'x']]]));
  await served.close();
  await connection.close();
});

test('bad arguments are refused before anything happens', options, async () => {
  const invalid = async (use: () => unknown): Promise<void> => {
    assert.equal(
      (await rejection((async () => await use())())).code,
      'ERR_FURCA_INVALID_ARGUMENT',
      String(use),
    );
  };
  await invalid(() => new Connection({} as Socket));
  await invalid(() => new Connection(new Socket(), { maxMessageBytes: -1 }));
  await invalid(() => new Connection(new Socket(), { format: 'json' as 'furca' }));
  await invalid(() => new Connection(new Socket(), { dicts: 'list' as 'map' }));
  await invalid(() => new Connection(new Socket(), null as never));
  await invalid(() => Listener.listen(undefined, null as never));
  await invalid(() => Client('/tmp/x', null as never));
  await invalid(() => wait(7 as never));
  await invalid(() => wait([], { signal: 7 as never }));
  await invalid(() => loads('text' as never));
  await invalid(() => Client(''));
  await invalid(() => Client('a'.repeat(108)));
  await invalid(() => Client('a\0b'));
  await invalid(() => Client('\\\\.\\pipe\\x'));
  await invalid(() => Client({ host: 'localhost', port: 70_000 }));
  await invalid(() => Client(['localhost', 1.5]));
  await invalid(() => Client(undefined as unknown as string));
  await invalid(() => Client('/tmp/x', { family: 'AF_INET' }));
  await invalid(() => Client('/tmp/x', { authKey: 7 as unknown as string }));
  await invalid(() => Client('/tmp/x', { handshakeTimeoutMs: 0 }));
  await invalid(() => Client('/tmp/x', { timeoutMs: '5' as unknown as number }));
  await invalid(() => Listener.listen('/tmp/x', { backlog: 0 }));
  await invalid(() => Listener.listen('/tmp/x', { digest: 'sha1' as 'md5' }));
  await invalid(() => Listener.listen('/tmp/x', { onRejected: 1 as never }));
});
