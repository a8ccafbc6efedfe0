import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, frameHeader } from '../../src/connection/framing.js';
import { SEED, seeded } from '../harness/random.js';

const LIMIT = 1024 * 1024;

function frame(body: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(body.byteLength), body]);
}

/** Hands out `chunks` one by one, then nothing. */
function source(...chunks: readonly Uint8Array[]): () => Uint8Array | null {
  const left = [...chunks];
  return () => left.shift() ?? null;
}

test('LA-13: up to 0x7fffffff the length is four bytes, above -1 and eight bytes', () => {
  assert.equal(frameHeader(0).toString('hex'), '00000000');
  assert.equal(frameHeader(2 ** 31 - 1).toString('hex'), '7fffffff');
  assert.equal(frameHeader(2 ** 31 + 5).toString('hex'), 'ffffffff0000000080000005');
});

test('messages come out whole however the stream is cut', () => {
  const random = seeded(SEED);
  const bodies = Array.from({ length: 200 }, (_, at) =>
    Buffer.alloc(Math.floor(random() * (at % 10 === 0 ? 20_000 : 40)), at),
  );
  const stream = Buffer.concat(bodies.map(frame));
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.byteLength; ) {
    const end = at + 1 + Math.floor(random() * (random() < 0.5 ? 5 : 5000));
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  const reader = new FrameReader(LIMIT);
  const pull = source(...chunks);
  for (const body of bodies) assert.ok(body.equals(reader.take(pull) as Uint8Array), `seed ${SEED}`);
  assert.equal(reader.take(pull), undefined);
  assert.equal(reader.isInside, false);
});

test('the long form is read for any length', () => {
  const header = Buffer.from('ffffffff0000000000000003', 'hex');
  const reader = new FrameReader(LIMIT);
  assert.deepEqual(reader.take(source(header, Buffer.from('abc'))), new Uint8Array(Buffer.from('abc')));
});

test('LA-15, W-24: negative lengths are refused', () => {
  for (const hex of ['fffffffe', '80000000', 'ffff0000']) {
    assert.throws(
      () => new FrameReader(LIMIT).take(source(Buffer.from(hex, 'hex'))),
      { code: 'ERR_FURCA_BROKEN' },
      hex,
    );
  }
});

test('W-24: a length above the limit is refused before anything is allocated, as soon as it is known', () => {
  for (const hex of ['00100001', '7fffffff', 'ffffffffffffffffffffffff', 'ffffffff0000000000100001']) {
    assert.throws(
      () => new FrameReader(LIMIT).take(source(Buffer.from(hex, 'hex'))),
      { code: 'ERR_FURCA_LIMIT' },
      hex,
    );
  }
  const reader = new FrameReader(LIMIT);
  assert.equal(reader.take(source(Buffer.from('00100000', 'hex'))), undefined);
});

test('memory follows what was received, not what was announced', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 50 }, () => {
    const reader = new FrameReader(2 ** 31);
    assert.equal(reader.take(source(Buffer.from('7fffffff00', 'hex'))), undefined);
    return reader;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024);
  assert.ok(readers.every(({ isInside }) => isInside));
});

test('a message longer than this call allows is refused, one of exactly that length is not', () => {
  const reader = new FrameReader(LIMIT);
  const pull = source(frame(Buffer.from('abcd')), frame(Buffer.from('abcde')));
  assert.equal(reader.take(pull, 4)?.byteLength, 4);
  assert.throws(() => reader.take(pull, 4), { code: 'ERR_FURCA_LIMIT' });
});
