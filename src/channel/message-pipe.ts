import {
  allocate,
  type Block,
  blockAt,
  drop,
  dropOrphans,
  hold,
  kindOf,
  payloadBytes,
} from '../arena/allocator.js';
import type { Arena } from '../arena/arena.js';
import { initRing, RingReader, RingWriter, ringBytes, setRingEnd } from '../arena/byte-ring.js';
import { createEnvelope, messageIn } from '../arena/envelope.js';
import { BLOCK_ALIGNMENT, KIND } from '../arena/layout.js';
import type { Member } from '../arena/member.js';
import type { OwnerId } from '../arena/slots.js';
import { ClosedError } from '../base/errors.js';
import { carriedBy } from '../wire/handles.js';

/** Bytes of a pipe's ring; longer messages than half of it travel in a block of their own. */
const CAPACITY_BYTES = 128 * 1024;
const INLINE = 0;
const NOTHING = new Uint8Array(0);

/** One of the two ends of a pipe. */
export type PipeRole = 'reader' | 'writer';

/** Makes a pipe of which this member is one end; another joins it as the other. Answers where it lies. */
export function createMessagePipe(member: Member, role: PipeRole): number {
  const block = allocate(member.arena, member.owner, KIND.RING, ringBytes(CAPACITY_BYTES));
  initRing(member.arena, block.at, CAPACITY_BYTES);
  setRingEnd(member.arena, block.at, role, member.owner);
  return block.at;
}

/** Makes this member an end of a pipe that another has made. What was sent before is there. */
export function joinMessagePipe(member: Member, at: number, role: PipeRole): void {
  const block = blockAt(member.arena, at);
  hold(member.arena, block, member.owner);
  if (kindOf(member.arena, block) !== KIND.RING) {
    drop(member.arena, block, member.owner);
    throw new ClosedError('Joining a pipe failed: it was closed and freed before.');
  }
  setRingEnd(member.arena, at, role, member.owner);
}

/** Lets go of a pipe; the last one to do so frees it. */
export function dropMessagePipe(member: Member, at: number): void {
  drop(member.arena, blockAt(member.arena, at), member.owner);
}

/**
 * Frees what `dead` had allocated for messages to this member and never got to send. Read all its messages first, of every pipe
 * from it: what lies in one unread would be freed too.
 */
export function dropUnsent(member: Member, dead: OwnerId): void {
  for (const kind of [KIND.MESSAGE, KIND.ENVELOPE]) dropOrphans(member.arena, kind, dead, member.owner);
}

/** The sending end: messages of any length, from one process to one other. */
export class MessageWriter {
  readonly #arena: Arena;
  readonly #member: Member;
  readonly #own: OwnerId;
  readonly #reader: OwnerId;
  readonly #ring: RingWriter;

  constructor(member: Member, reader: OwnerId, at: number) {
    this.#arena = member.arena;
    this.#member = member;
    this.#own = member.owner;
    this.#reader = reader;
    this.#ring = new RingWriter(member.arena, at);
  }

  /**
   * Sends a message without waking the reader; `false` when there is no room now, and nothing was sent.
   *
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: it names a handle that was closed since it was packed.
   */
  trySend(message: Uint8Array): boolean {
    const carried = carriedBy(message);
    const isPlain = carried.length === 0;
    if (isPlain && message.byteLength <= this.#ring.maxMessageBytes)
      return this.#ring.tryWrite(message, INLINE);
    // Before the block is taken and filled: only this writer takes room away, so what is there now stays.
    if (!this.#ring.hasRoomFor(0)) return false;
    const block = isPlain ? this.#pack(message) : createEnvelope(this.#member, carried, message);
    // In flight it is the reader's: it outlives this process, and goes when the reader goes.
    hold(this.#arena, block, this.#reader);
    this.#ring.tryWrite(NOTHING, block.at / BLOCK_ALIGNMENT);
    drop(this.#arena, block, this.#own);
    return true;
  }

  #pack(message: Uint8Array): Block {
    const block = allocate(this.#arena, this.#own, KIND.MESSAGE, message.byteLength);
    this.#arena.bytes.set(message, block.at);
    return block;
  }

  /** Wakes the reader if it sleeps. */
  flush(): void {
    this.#ring.flush();
  }

  /** Asks to be woken when there is room; try once more after calling it. */
  askForRoom(): void {
    this.#ring.askForRoom();
  }
}

/** The receiving end. */
export class MessageReader {
  readonly #arena: Arena;
  readonly #own: OwnerId;
  readonly #ring: RingReader;

  constructor(member: Member, at: number) {
    this.#arena = member.arena;
    this.#own = member.owner;
    this.#ring = new RingReader(member.arena, at);
  }

  /**
   * Hands the next message to `take`, where it lies: it must keep no view of it.
   *
   * @returns What `take` returned; `undefined` when there is no message.
   */
  tryReceive<T>(take: (message: Uint8Array) => T): T | undefined {
    return this.#ring.tryRead((message, tag) =>
      tag === INLINE ? take(message) : this.#takeBlock(tag, take),
    );
  }

  get isEmpty(): boolean {
    return this.#ring.isEmpty;
  }

  #takeBlock<T>(tag: number, take: (message: Uint8Array) => T): T {
    const block = blockAt(this.#arena, (tag >>> 0) * BLOCK_ALIGNMENT);
    try {
      // What it names is held by the envelope until `take` has made handles of its own.
      if (kindOf(this.#arena, block) === KIND.ENVELOPE) return take(messageIn(this.#arena, block));
      return take(this.#arena.bytes.subarray(block.at, block.at + payloadBytes(this.#arena, block)));
    } finally {
      drop(this.#arena, block, this.#own);
    }
  }
}
