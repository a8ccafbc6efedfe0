import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Client, Connection, type HandshakeDigest, type Listener } from '../../src/connection.js';
import { connectedPair, listening, rawSocket, rejection } from '../fixtures/connection-pairs.js';
import { NEEDS_PYTHON, startPython } from '../harness/python.js';
import { eventually } from '../harness/watchdog.js';

const options = { timeout: 120_000 };
/** For handshakes that shall succeed, however long the other side is kept from running. */
const patient = { handshakeTimeoutMs: 60_000 };
const SIZES = [0, 1, 16_383, 16_384, 16_385, 1024 * 1024];
const FAMILIES = ['AF_UNIX', 'AF_INET'] as const;

/** Reads the address that furca gives, and connects. */
const CONNECT = `
import sys, json, os
from multiprocessing.connection import Client, Listener
def address(text):
    a = json.loads(text)
    return a if isinstance(a, str) else (a['host'], a['port'])
key = bytes.fromhex(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] != '-' else None
`;

/** Listens in the family that is named, and says where. */
const LISTEN = `
import sys, json, os
from multiprocessing.connection import Client, Listener
key = bytes.fromhex(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] != '-' else None
l = Listener(('127.0.0.1', 0) if sys.argv[1] == 'AF_INET' else None, authkey=key)
print(json.dumps(l.address))
`;

const ECHO = `
try:
    while True: c.send_bytes(c.recv_bytes())
except EOFError: pass
`;

const hex = (key: string): string => Buffer.from(key).toString('hex');

async function echoes(connection: Connection): Promise<void> {
  for (const size of SIZES) {
    const body = Buffer.alloc(size, `${size} `);
    const [, back] = await Promise.all([connection.sendBytes(body), connection.recvBytes()]);
    assert.ok(body.equals(back), `${size} bytes`);
  }
}

for (const family of FAMILIES) {
  for (const authKey of ['a key', undefined]) {
    const how = authKey === undefined ? 'without a key' : 'with a key';

    test(`LA-09: a furca listener serves a CPython client, ${family} ${how}`, NEEDS_PYTHON, async (t) => {
      const listener = await listening(t, { authKey, family, ...patient });
      const python = startPython(
        `${CONNECT}\nc = Client(address(sys.argv[1]), authkey=key)${ECHO}`,
        JSON.stringify(listener.address),
        authKey === undefined ? '-' : hex(authKey),
      );
      const served = await listener.accept();
      await echoes(served);
      await served.close();
      assert.deepEqual(await python.result, { code: 0, stderr: '' });
    });

    test(`LA-09: a furca client connects to a CPython listener, ${family} ${how}`, NEEDS_PYTHON, async () => {
      const python = startPython(
        `${LISTEN}\nc = l.accept()${ECHO}`,
        family,
        authKey === undefined ? '-' : hex(authKey),
      );
      const client = await Client(JSON.parse(await python.line()), { authKey, ...patient });
      await echoes(client);
      await client.close();
      assert.deepEqual(await python.result, { code: 0, stderr: '' });
    });
  }
}

test(
  'a CPython client with a wrong key, and one without, are turned away, and the next is served',
  NEEDS_PYTHON,
  async (t) => {
    const rejected: string[] = [];
    const onRejected = (error: unknown): void => void rejected.push((error as { code: string }).code);
    const listener = await listening(t, { authKey: 'right', onRejected, format: 'pickle', ...patient });
    const program = `${CONNECT}
from multiprocessing import AuthenticationError
try: Client(address(sys.argv[1]), authkey=b'wrong')
except AuthenticationError as e: print('refused', e)
c = Client(address(sys.argv[1]))
c.send('no key')
try: print(c.recv_bytes()[:11], c.recv_bytes(), c.recv_bytes())
except EOFError: print('end')
c = Client(address(sys.argv[1]), authkey=b'right')
c.send('hello')
`;
    const python = startPython(program, JSON.stringify(listener.address));
    assert.match(await python.line(), /^refused digest sent was rejected/);
    const served = await listener.accept();
    assert.equal(await served.recv(), 'hello');
    assert.deepEqual(rejected, ['ERR_FURCA_AUTHENTICATION', 'ERR_FURCA_AUTHENTICATION']);
    assert.deepEqual([listener.stats().rejected, listener.stats().accepted], [2, 1]);
    await served.close();
    assert.equal((await python.result).code, 0);
  },
);

test(
  'a CPython listener refuses a furca client with a wrong key, which is told so',
  NEEDS_PYTHON,
  async () => {
    const program = `${LISTEN}
from multiprocessing import AuthenticationError
try: l.accept()
except AuthenticationError as e: print('refused', e)
`;
    const python = startPython(program, 'AF_UNIX', hex('right'));
    const error = await rejection(Client(JSON.parse(await python.line()), { authKey: 'wrong' }));
    assert.equal(error.code, 'ERR_FURCA_AUTHENTICATION');
    assert.match(await python.line(), /^refused digest received was wrong/);
    await python.result;
  },
);

test(
  'LA-11, W-23: where only one side has a key, furca says so within its deadline, in each role',
  NEEDS_PYTHON,
  async () => {
    // A CPython listener without a key, a furca client with one: nobody would ever say anything.
    const keyless = startPython(
      `${LISTEN}\nc = l.accept()\ntry: c.recv_bytes()\nexcept EOFError: print('end')`,
      'AF_UNIX',
    );
    const silence = await rejection(
      Client(JSON.parse(await keyless.line()), { authKey: 'k', handshakeTimeoutMs: 300 }),
    );
    assert.equal(silence.code, 'ERR_FURCA_AUTHENTICATION');
    assert.match(silence.message, /300 ms.*without a key/);
    assert.equal(await keyless.line(), 'end');
    // A CPython listener with a key, a furca client without one: the challenge comes as a message.
    const asking = startPython(
      `${LISTEN}\ntry: l.accept()\nexcept BaseException as e: print(type(e).__name__)`,
      'AF_UNIX',
      hex('k'),
    );
    const client = await Client(JSON.parse(await asking.line()), {});
    const challenge = await rejection(client.recv());
    assert.equal(challenge.code, 'ERR_FURCA_AUTHENTICATION');
    assert.match(challenge.message, /none was given here/);
    assert.equal(await asking.line(), 'EOFError');
    await Promise.all([keyless.result, asking.result]);
  },
);

test('W-23: one side without a key, furca at both ends', options, async (t) => {
  const keyless = await listening(t);
  const silence = rejection(Client(keyless.address, { authKey: 'k', handshakeTimeoutMs: 100 }));
  const served = await keyless.accept();
  assert.equal((await silence).code, 'ERR_FURCA_AUTHENTICATION');
  served.terminate();
  const talking = rejection(Client(keyless.address, { authKey: 'k', ...patient }));
  const talker = await keyless.accept();
  await talker.send('hello, anybody');
  assert.match((await talking).message, /something else than a challenge/);
  talker.terminate();
  const rejected: string[] = [];
  const asking = await listening(t, {
    authKey: 'k',
    ...patient,
    onRejected: (error) => void rejected.push((error as Error).message),
  });
  const client = await Client(asking.address);
  await client.send('no key');
  assert.equal((await rejection(client.recv())).code, 'ERR_FURCA_AUTHENTICATION');
  await eventually('the listener has turned it away', () => rejected.length > 0);
  assert.match(rejected[0] ?? '', /wrongly/);
  client.terminate();
});

test('LA-03: an empty key is a key', options, async (t) => {
  const { client, served } = await connectedPair(t, { authKey: '', ...patient });
  await client.send(1);
  assert.equal(await served.recv(), 1);
  const listener = await listening(t, { authKey: new Uint8Array(0) });
  assert.equal(
    (await rejection(Client(listener.address, { authKey: 'x' }))).code,
    'ERR_FURCA_AUTHENTICATION',
  );
});

for (const digest of ['md5', 'sha256', 'sha384', 'sha3_256', 'sha3_384'] as const) {
  test(`LA-08: a challenge that asks for ${digest} is answered and verified`, options, async (t) => {
    const { client, served } = await connectedPair(t, { authKey: 'k', digest, ...patient });
    await client.send(digest);
    assert.equal(await served.recv(), digest);
  });
}

test('peers that only know MD5 are refused on demand', options, async (t) => {
  const listener = await listening(t, { authKey: 'k', allowMd5: false });
  const { answer } = await answerRaw(t, listener, (message) =>
    createHmac('md5', 'k').update(message).digest(),
  );
  assert.equal(answer, '#FAILURE#');
  const asking = await listening(t, { authKey: 'k', digest: 'md5' as HandshakeDigest });
  assert.equal(
    (await rejection(Client(asking.address, { authKey: 'k', allowMd5: false }))).code,
    'ERR_FURCA_AUTHENTICATION',
  );
});

/** Answers a listener's challenge with `respond`, and tells what the listener says to that. */
async function answerRaw(
  t: Parameters<typeof rawSocket>[0],
  listener: Listener,
  respond: (message: Uint8Array) => Uint8Array,
): Promise<{ answer: string; connection: Connection }> {
  const connection = new Connection(await rawSocket(t, listener));
  const challenge = await connection.recvBytes();
  await connection.sendBytes(respond(challenge.subarray('#CHALLENGE#'.length)));
  const answer = await connection.recvBytes().catch((error: { code: string }) => Buffer.from(error.code));
  return { answer: Buffer.from(answer).toString(), connection };
}

test(
  'LA-07, LA-12: a listener takes the right answers and says #FAILURE# to all others',
  options,
  async (t) => {
    const listener = await listening(t, { authKey: 'k', ...patient });
    const right = (digest: string, prefix: string) => (message: Uint8Array) =>
      Buffer.concat([Buffer.from(prefix), createHmac(digest, 'k').update(message).digest()]);
    for (const [respond, expected] of [
      [right('md5', ''), '#WELCOME#'],
      [right('md5', '{md5}'), '#WELCOME#'],
      [right('sha256', '{sha256}'), '#WELCOME#'],
      [right('sha3-384', '{sha3_384}'), '#WELCOME#'],
      [right('sha256', ''), '#FAILURE#'],
      [right('sha1', '{sha1}'), '#FAILURE#'],
      [right('sha512', '{sha512}'), '#FAILURE#'],
      [right('sha384', '{sha256}'), '#FAILURE#'],
      [(m: Uint8Array) => right('sha256', '{sha256}')(m).subarray(0, 39), '#FAILURE#'],
      [() => new Uint8Array(0), '#FAILURE#'],
      [() => Buffer.from('something bogus'), '#FAILURE#'],
      [() => Buffer.alloc(257), 'ERR_FURCA_CLOSED'],
    ] as const) {
      const { answer, connection } = await answerRaw(t, listener, respond);
      assert.equal(answer, expected, String(respond));
      connection.terminate();
    }
  },
);

test('LA-07, LA-12: a client answers what is a challenge, and refuses all else', options, async (t) => {
  const listener = await listening(t);
  for (const [challenge, length] of [
    [`#CHALLENGE#${'x'.repeat(20)}`, 16],
    [`#CHALLENGE#{md5}${'x'.repeat(20)}`, 21],
    [`#CHALLENGE#{sha3_256}${'x'.repeat(20)}`, 42],
    ['#CHALLENGE#', undefined],
    [`#CHALLENGE#${'x'.repeat(19)}`, undefined],
    [`#CHALLENGE#${'x'.repeat(21)}`, undefined],
    [`#CHALLENGE#{sha1}${'x'.repeat(40)}`, undefined],
    ['hello', undefined],
    [`#CHALLENGE#{sha256}${'x'.repeat(250)}`, undefined],
  ] as const) {
    const outcome = rejection(Client(listener.address, { authKey: 'k' }));
    const served = await listener.accept();
    await served.sendBytes(Buffer.from(challenge));
    if (length === undefined)
      assert.equal((await rejection(served.recvBytes())).code, 'ERR_FURCA_CLOSED', challenge);
    else assert.equal((await served.recvBytes()).byteLength, length, challenge);
    await served.sendBytes(Buffer.from('#WELCOMED#')).catch(() => {});
    assert.equal((await outcome).code, 'ERR_FURCA_AUTHENTICATION', challenge);
    served.terminate();
  }
});

test('LA-05: a client may connect, send and close before it is accepted', NEEDS_PYTHON, async (t) => {
  const listener = await listening(t, { format: 'pickle' });
  const python = startPython(
    `${CONNECT}\nc = Client(address(sys.argv[1])); c.send('early'); c.close()`,
    JSON.stringify(listener.address),
  );
  assert.equal((await python.result).code, 0);
  const served = await listener.accept();
  assert.equal(await served.recv(), 'early');
  assert.equal((await rejection(served.recv())).code, 'ERR_FURCA_CLOSED');
  await served.close();
});

test(
  'CN-01: objects, bytes and exceptions cross between furca and CPython, both ways',
  NEEDS_PYTHON,
  async (t) => {
    const listener = await listening(t, { authKey: 'k', format: 'pickle', dicts: 'object', ...patient });
    const program = `${CONNECT}
c = Client(address(sys.argv[1]), authkey=key)
o = c.recv()
assert o == [1, 2.25, None, {'a': {1, 2}, 'b': b'xy'}], o
c.send(o)
e = c.recv()
assert type(e) is TypeError and str(e) == 'from Node', e
try: {}['missing']
except KeyError as e: c.send(e)
class Own: pass
c.send(Own())
c.send('after')
`;
    const python = startPython(program, JSON.stringify(listener.address), hex('k'));
    const served = await listener.accept();
    const value = [1, 2.25, null, { a: new Set([1, 2]), b: new Uint8Array(Buffer.from('xy')) }];
    await served.send(value);
    assert.deepEqual(await served.recv(), value);
    await served.send(new TypeError('from Node'));
    assert.equal(String(await served.recv()), "KeyError: 'missing'");
    const refused = (await rejection(served.recv())) as Error & { code?: string; path?: string };
    assert.deepEqual([refused.code, refused.path], ['ERR_FURCA_NOT_SENDABLE', '__main__.Own']);
    assert.equal(await served.recv(), 'after');
    await served.close();
    assert.deepEqual(await python.result, { code: 0, stderr: '' });
  },
);

test('a descriptor that Python was started with is a connection: no port, no key', NEEDS_PYTHON, async () => {
  const { spawn } = await import('node:child_process');
  const { PYTHON } = await import('../harness/python.js');
  const child = spawn(
    PYTHON as string,
    ['-c', 'from multiprocessing.connection import Connection; c = Connection(3); c.send(c.recv() * 2)'],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    },
  );
  const pipe = child.stdio[3];
  assert.ok(pipe instanceof Socket);
  const connection = new Connection(pipe, { format: 'pickle' });
  await connection.send(21);
  assert.equal(await connection.recv(), 42);
  await connection.close();
});
