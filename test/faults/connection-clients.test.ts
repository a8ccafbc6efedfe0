import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, Connection } from '../../src/connection.js';
import { fuzzFrames } from '../fixtures/connection-fuzz.js';
import { listening, rawSocket, rejection } from '../fixtures/connection-pairs.js';
import { SEED } from '../harness/random.js';
import { eventually } from '../harness/watchdog.js';

const options = { timeout: 90_000 };

test('W-22: silent clients keep nobody waiting', options, async (t) => {
  const listener = await listening(t, { authKey: 'k', handshakeTimeoutMs: 600_000 });
  const silent = await Promise.all(Array.from({ length: 50 }, () => rawSocket(t, listener)));
  const [client, served] = await Promise.all([Client(listener.address, { authKey: 'k' }), listener.accept()]);
  await client.send('served at once');
  assert.equal(await served.recv(), 'served at once');
  await eventually('all are in their handshake', () => listener.stats().handshaking === 50);
  assert.equal(listener.stats().rejected, 0);
  for (const socket of silent) socket.destroy();
  await client.close();
  await served.close();
});

test('W-22: silent clients are turned away at their deadline', options, async (t) => {
  const listener = await listening(t, { authKey: 'k', handshakeTimeoutMs: 100 });
  await Promise.all(Array.from({ length: 50 }, () => rawSocket(t, listener)));
  await eventually('they are turned away', () => listener.stats().rejected === 50);
  await eventually('none is in its handshake', () => listener.stats().handshaking === 0);
});

test('clients that hang up in the middle of the handshake harm nobody', options, async (t) => {
  const listener = await listening(t, { authKey: 'k' });
  for (const bytes of ['', '\0', '\0\0\0\x28', '\0\0\0\x28{sha256}']) {
    const socket = await rawSocket(t, listener);
    socket.end(bytes, 'latin1');
  }
  for (let i = 0; i < 4; i++) (await rawSocket(t, listener)).destroy();
  await eventually('all are turned away', () => listener.stats().rejected === 8);
  const [client, served] = await Promise.all([Client(listener.address, { authKey: 'k' }), listener.accept()]);
  await client.send(1);
  assert.equal(await served.recv(), 1);
  client.terminate();
  served.terminate();
});

test('a client that is killed while it sends leaves whole messages and one clear end', options, async (t) => {
  const listener = await listening(t);
  const socket = await rawSocket(t, listener);
  const served = await listener.accept();
  const sender = new Connection(socket);
  void sender.sendBytes(Buffer.alloc(100_000, 1)).catch(() => {});
  void sender.sendBytes(Buffer.alloc(5_000_000, 2)).catch(() => {});
  assert.equal((await served.recvBytes()).byteLength, 100_000);
  sender.terminate();
  assert.equal((await rejection(served.recvBytes())).code, 'ERR_FURCA_BROKEN');
  served.terminate();
});

test('mutated frames give an error or a whole message each, and the next client is served', {
  timeout: 100_000,
}, async () => {
  // The long form: node scripts/fuzz-frames.mjs 100000
  const { frames, whole, errors, grownBytes } = await fuzzFrames(4000, SEED);
  assert.ok(frames >= 4000 && whole > 0 && errors > 0, JSON.stringify({ frames, whole, errors, seed: SEED }));
  assert.ok(grownBytes < 64 * 1024 * 1024, `memory grew by ${grownBytes} bytes, seed ${SEED}`);
});
