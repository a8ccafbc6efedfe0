import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate } from '../../src/arena/allocator.js';
import { initRing, RingReader, RingWriter, ringBytes } from '../../src/arena/byte-ring.js';
import { RING } from '../../src/arena/layout.js';
import { Parking } from '../../src/arena/parking.js';
import { claimSlot, enterSlot } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { measureUse } from '../../src/arena/walk.js';
import {
  createMessagePipe,
  dropMessagePipe,
  dropUnsent,
  joinMessagePipe,
  MessageReader,
  MessageWriter,
} from '../../src/channel/message-pipe.js';
import { makeMessage, readMessage } from '../fixtures/arena-messages.js';
import { openStage, pickSeed, randomFrom, SCRATCH, type Stage } from '../fixtures/arena-stage.js';

function openRing(
  stage: Stage,
  capacity: number,
  startAt = 0,
): { writer: RingWriter; reader: RingReader; word: number } {
  const { at } = allocate(stage.arena, stage.owner, SCRATCH, ringBytes(capacity));
  initRing(stage.arena, at, capacity);
  stage.arena.words[at / 4 + RING.TAIL] = startAt;
  stage.arena.words[at / 4 + RING.HEAD] = startAt;
  return { writer: new RingWriter(stage.arena, at), reader: new RingReader(stage.arena, at), word: at / 4 };
}

function asMember({ arena }: Stage, owner: number) {
  return { arena, owner, parking: new Parking(arena, owner) };
}

test('A ring gives messages of every length whole and in order, past its end and past 2^32', () => {
  const seed = pickSeed();
  console.log(`FURCA_SEED=${seed}`);
  const random = randomFrom(seed);
  const stage = openStage();
  for (const startAt of [0, -8, -64, -256, -4096, 0x7fffffc0]) {
    const { writer, reader } = openRing(stage, 256, startAt);
    const sent: { bytes: Uint8Array; tag: number }[] = [];
    for (let i = 0; i < 2000; i++) {
      const bytes = new Uint8Array(random(writer.maxMessageBytes + 1)).fill(i & 0xff);
      if (writer.tryWrite(bytes, i)) sent.push({ bytes, tag: i });
      if (random(2) === 0) continue;
      const got = reader.tryRead((message, tag) => ({ bytes: message.slice(), tag }));
      assert.deepEqual(got, sent.shift());
    }
    for (const expected of sent)
      assert.deepEqual(
        reader.tryRead((m, tag) => ({ bytes: m.slice(), tag })),
        expected,
      );
    assert.ok(reader.isEmpty && reader.tryRead(() => 1) === undefined);
  }
});

test('A message of exactly the largest length fits into an empty ring wherever its end lies', () => {
  const stage = openStage();
  for (let position = 0; position < 256; position += 8) {
    for (const startAt of [position, (position - 256) | 0]) {
      const { writer, reader } = openRing(stage, 256, startAt);
      const longest = new Uint8Array(writer.maxMessageBytes).fill(9);
      assert.ok(writer.hasRoomFor(longest.byteLength));
      assert.ok(writer.tryWrite(longest, -5), `at ${startAt}`);
      assert.deepEqual(
        reader.tryRead((message, tag) => [message.slice(), tag]),
        [longest, -5],
      );
      assert.equal(writer.unread, 0);
    }
  }
});

test('A message that ends at the very end of the ring, and one that skips its last 8 bytes, arrive', () => {
  const stage = openStage();
  const { writer, reader, word } = openRing(stage, 256, 128);
  const half = new Uint8Array(120).fill(1);
  assert.ok(writer.tryWrite(half, 0));
  assert.equal(writer.unread, 128);
  assert.equal(
    reader.tryRead((message) => message.byteLength),
    120,
  );
  stage.arena.words[word + RING.TAIL] = 248;
  stage.arena.words[word + RING.HEAD] = 248;
  assert.ok(writer.tryWrite(new Uint8Array(9).fill(2), 0));
  assert.equal(
    reader.tryRead((message) => message.every((byte) => byte === 2) && message.byteLength),
    9,
  );
});

test('A full ring takes nothing and loses nothing; the reader calls the writer that asked for room', () => {
  const stage = openStage();
  const { writer, reader, word } = openRing(stage, 256);
  let written = 0;
  while (writer.tryWrite(new Uint8Array(24), written)) written++;
  assert.equal(written, 8);
  assert.ok(!writer.hasRoomFor(0));
  writer.askForRoom();
  for (let i = 0; i < 3; i++) reader.tryRead(() => 1);
  assert.equal(stage.arena.words[word + RING.WRITER_WAITS], 1, 'not for every message');
  reader.tryRead(() => 1);
  assert.equal(stage.arena.words[word + RING.WRITER_WAITS], 0);
  assert.equal(
    reader.tryRead((_, tag) => tag),
    4,
  );
});

test('A reader whose copying throws has taken that message and only that', () => {
  const stage = openStage();
  const { writer, reader } = openRing(stage, 256);
  writer.tryWrite(new Uint8Array(3), 1);
  writer.tryWrite(new Uint8Array(0), 2);
  assert.throws(() => reader.tryRead(() => assert.fail()));
  assert.deepEqual(
    reader.tryRead((message, tag) => [message.byteLength, tag]),
    [0, 2],
  );
});

test('What a dead writer wrote and did not commit is not there, and the next writer writes over it', () => {
  const stage = openStage();
  const { writer, reader, word } = openRing(stage, 256);
  stage.arena.bytes.fill(255, word * 4 + RING.DATA_BYTES, word * 4 + RING.DATA_BYTES + 100);
  assert.equal(
    reader.tryRead(() => 1),
    undefined,
  );
  writer.tryWrite(new Uint8Array([1, 2, 3]), 7);
  assert.deepEqual(
    reader.tryRead((message, tag) => [[...message], tag]),
    [[1, 2, 3], 7],
  );
});

test('A ring that is no power of two is refused', () => {
  const stage = openStage();
  assert.throws(() => initRing(stage.arena, stage.scratch * 4, 100), { code: 'ERR_FURCA_INTERNAL' });
});

test('A pipe carries messages below, at and above what its ring takes, and leaves nothing behind', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const other = claimSlot(arena, owner);
  enterSlot(arena, other, process.pid);
  const before = measureUse(arena);
  const at = createMessagePipe(asMember(stage, owner), 'writer');
  joinMessagePipe(asMember(stage, other), at, 'reader');
  const writer = new MessageWriter(asMember(stage, owner), other, at);
  const reader = new MessageReader(asMember(stage, other), at);
  for (const length of [0, 1, 7, 8, 9, 65_527, 65_528, 65_529, 70_000, 1_000_000]) {
    const message = new Uint8Array(length).fill(length & 0xff);
    assert.ok(writer.trySend(message), `${length}`);
    assert.deepEqual(
      reader.tryReceive((bytes) => bytes.slice()),
      message,
    );
  }
  for (let number = 1; number <= 50; number++) assert.ok(writer.trySend(makeMessage(number, 1)));
  for (let number = 1; number <= 50; number++) assert.equal(reader.tryReceive(readMessage), number);
  dropMessagePipe(asMember(stage, owner), at);
  dropMessagePipe(asMember(stage, other), at);
  assert.equal(measureUse(arena).blocks, before.blocks);
});

test('A full pipe refuses a large message without taking memory for it', () => {
  const stage = openStage();
  const member = asMember(stage, stage.owner);
  const writer = new MessageWriter(member, stage.owner, createMessagePipe(member, 'writer'));
  while (writer.trySend(new Uint8Array(1000)));
  while (writer.trySend(new Uint8Array(0)));
  const { blocks } = measureUse(stage.arena);
  const pages = stage.arena.words[6];
  assert.equal(writer.trySend(new Uint8Array(500_000)), false);
  assert.equal(measureUse(stage.arena).blocks, blocks);
  assert.equal(stage.arena.words[6], pages, 'no block was ever taken');
});

test('Large messages in flight outlive their writer, and go with their reader', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  for (const whoDies of ['writer', 'reader'] as const) {
    const [writerId, readerId] = [claimSlot(arena, owner), claimSlot(arena, owner)];
    for (const id of [writerId, readerId]) enterSlot(arena, id, process.pid);
    const before = measureUse(arena).blocks;
    const at = createMessagePipe(asMember(stage, readerId), 'reader');
    joinMessagePipe(asMember(stage, writerId), at, 'writer');
    const writer = new MessageWriter(asMember(stage, writerId), readerId, at);
    const reader = new MessageReader(asMember(stage, readerId), at);
    for (let number = 1; number <= 3; number++) assert.ok(writer.trySend(makeMessage(number, 1)));
    if (whoDies === 'writer') {
      sweepMember(arena, writerId, owner);
      for (let number = 1; number <= 3; number++) assert.equal(reader.tryReceive(readMessage), number);
      dropUnsent(asMember(stage, readerId), writerId);
      sweepMember(arena, readerId, owner);
    } else {
      sweepMember(arena, readerId, owner);
      assert.ok(writer.trySend(makeMessage(4, 1)), 'it does not know yet');
      sweepMember(arena, writerId, owner);
    }
    assert.equal(measureUse(arena).blocks, before, whoDies);
  }
});

test('Memory that is no pipe any more is not joined', () => {
  const stage = openStage();
  const { arena, owner } = stage;
  const member = asMember(stage, owner);
  const at = createMessagePipe(member, 'writer');
  dropMessagePipe(member, at);
  assert.throws(() => joinMessagePipe(member, at, 'reader'), { code: 'ERR_FURCA_CLOSED' });
  const other = allocate(arena, owner, SCRATCH, 200_000);
  assert.equal(other.at, at);
  assert.throws(() => joinMessagePipe(member, at, 'reader'), { code: 'ERR_FURCA_CLOSED' });
});
