import { InternalError } from '../base/errors.js';
import type { Arena } from './arena.js';
import { RING } from './layout.js';
import { wake } from './parking.js';
import type { OwnerId } from './slots.js';

/**
 * A ring of messages from one writer to one reader.
 *
 * A message is written first and committed by one store of the tail: a writer that dies half-way has written nothing. The
 * reader moves the head after it has copied a message out: one that dies takes at most the message it was copying. Positions
 * count bytes ever written and wrap at 2^32; each message lies in one piece, preceded by its length and padded to 8.
 */

/** In place of a length: the rest up to the ring's end is unused. */
const SKIP = -1;
/** Each message is preceded by its length and by a tag of the writer's, one word each. */
const HEADER_BYTES = 8;

/** Bytes a block must have to carry a ring of `capacity`, a power of two. */
export function ringBytes(capacity: number): number {
  return RING.DATA_BYTES + capacity;
}

/** Prepares the block at byte `at` as an empty ring. */
export function initRing(arena: Arena, at: number, capacity: number): void {
  // Positions wrap at 2^32, which only a power of two divides.
  if (capacity < 64 || (capacity & (capacity - 1)) !== 0)
    throw new InternalError(`A ring of ${capacity} bytes was asked for.`);
  arena.words[at / 4 + RING.CAPACITY] = capacity;
}

/** Names the member at one end: whom the other end wakes. Nobody is woken before; who joins looks before it sleeps. */
export function setRingEnd(arena: Arena, at: number, role: 'reader' | 'writer', owner: OwnerId): void {
  Atomics.store(arena.words, at / 4 + (role === 'reader' ? RING.READER : RING.WRITER), owner);
}

abstract class RingEnd {
  protected readonly arena: Arena;
  protected readonly word: number;
  protected readonly data: number;
  protected readonly capacity: number;

  constructor(arena: Arena, at: number) {
    this.arena = arena;
    this.word = at / 4;
    this.data = at + RING.DATA_BYTES;
    this.capacity = arena.words[this.word + RING.CAPACITY] as number;
  }

  /** Bytes that lie in the ring, padding included. */
  protected get used(): number {
    const { words } = this.arena;
    return (Atomics.load(words, this.word + RING.TAIL) - Atomics.load(words, this.word + RING.HEAD)) >>> 0;
  }
}

/** The writing end. Writes are seen by the reader at once; it is woken by `flush`. */
export class RingWriter extends RingEnd {
  /** Longest message that is sure to fit into an empty ring, wherever its end lies. */
  get maxMessageBytes(): number {
    return this.capacity / 2 - HEADER_BYTES;
  }

  /** Tells whether a message of `length` bytes fits in now; the reader can only make more room. */
  hasRoomFor(length: number): boolean {
    const tail = Atomics.load(this.arena.words, this.word + RING.TAIL);
    const needed = HEADER_BYTES + padded(length);
    return this.capacity - this.used >= needed + this.#skippedBefore(tail, needed);
  }

  /** Bytes up to the ring's end that stay unused because a message of `needed` bytes does not fit there in one piece. */
  #skippedBefore(tail: number, needed: number): number {
    const untilEnd = this.capacity - ((tail >>> 0) & (this.capacity - 1));
    return needed > untilEnd ? untilEnd : 0;
  }

  /** Writes a message; `false` when there is no room now. `tag` is any 32-bit number; the reader gets it too. */
  tryWrite(message: Uint8Array, tag: number): boolean {
    const { words, bytes } = this.arena;
    const needed = HEADER_BYTES + padded(message.byteLength);
    const tail = Atomics.load(words, this.word + RING.TAIL);
    const head = Atomics.load(words, this.word + RING.HEAD);
    const free = this.capacity - ((tail - head) >>> 0);
    let position = (tail >>> 0) & (this.capacity - 1);
    const skipped = this.#skippedBefore(tail, needed);
    if (free < needed + skipped) return false;
    if (skipped > 0) {
      words[(this.data + position) / 4] = SKIP;
      position = 0;
    }
    const start = this.data + position;
    words[start / 4] = message.byteLength;
    words[start / 4 + 1] = tag;
    bytes.set(message, start + HEADER_BYTES);
    // Commits: publishes the bytes above; pairs with the reader's load of the tail.
    Atomics.store(words, this.word + RING.TAIL, (tail + needed + skipped) | 0);
    return true;
  }

  /** Wakes the reader if it sleeps. */
  flush(): void {
    wake(this.arena, this.arena.words[this.word + RING.READER] as OwnerId);
  }

  /** Asks the reader to wake this writer when it has made room; look again after calling it. */
  askForRoom(): void {
    Atomics.store(this.arena.words, this.word + RING.WRITER_WAITS, 1);
  }

  /** Bytes the reader has not taken yet. */
  get unread(): number {
    return this.used;
  }
}

/** The reading end. */
export class RingReader extends RingEnd {
  /**
   * Hands the next message to `take` where it lies; its bytes may be overwritten once `take` has returned.
   *
   * @returns What `take` returned, `undefined` when there is no message.
   */
  tryRead<T>(take: (message: Uint8Array, tag: number) => T): T | undefined {
    const { words, bytes } = this.arena;
    let head = Atomics.load(words, this.word + RING.HEAD);
    // Pairs with the writer's commit.
    if (Atomics.load(words, this.word + RING.TAIL) === head) return undefined;
    let start = this.data + ((head >>> 0) & (this.capacity - 1));
    let length = words[start / 4] as number;
    if (length === SKIP) {
      head = (head + (this.data + this.capacity - start)) | 0;
      start = this.data;
      length = words[start / 4] as number;
    }
    try {
      const from = start + HEADER_BYTES;
      return take(bytes.subarray(from, from + length), words[start / 4 + 1] as number);
    } finally {
      // Gives the bytes back; pairs with the writer's load of the head.
      Atomics.store(words, this.word + RING.HEAD, (head + HEADER_BYTES + padded(length)) | 0);
      this.#tellWriter();
    }
  }

  get isEmpty(): boolean {
    return this.used === 0;
  }

  #tellWriter(): void {
    const { words } = this.arena;
    if (Atomics.load(words, this.word + RING.WRITER_WAITS) === 0) return;
    // A writer is woken when half of the ring is free, or it would be woken for every message.
    if (this.used > this.capacity / 2) return;
    Atomics.store(words, this.word + RING.WRITER_WAITS, 0);
    wake(this.arena, words[this.word + RING.WRITER] as OwnerId);
  }
}

function padded(length: number): number {
  return (length + 7) & ~7;
}
