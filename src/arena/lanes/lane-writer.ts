import { allocate, type Block, blockAt, drop, isAlive, payloadBytes } from '../allocator.js';
import type { Arena } from '../arena.js';
import { keep, unkeep } from '../keeping.js';
import { BLOCK_ALIGNMENT, BLOCK_HEADER_BYTES, KIND } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { ENTRY, LANE, SEGMENT } from './lane-layout.js';

/**
 * The writing end of a lane: one writer at a time. A message is written behind the last committed one and committed by one store of the
 * tail; a writer that dies before has written nothing, and its successor writes over it.
 */

/** Longer messages lie in blocks of their own. */
export const MAX_INLINE_BYTES = 2048;
/** A lane begins small: with one page of the second largest slab class, header included; further segments are of the largest. */
const FIRST_SEGMENT_BYTES = 4096 - BLOCK_HEADER_BYTES;
const SEGMENT_BYTES = 16384 - BLOCK_HEADER_BYTES;
const TAG_MASK = 7;
const ENTRY_BYTES = ENTRY.WORDS * 4;
const HEAD_BYTES = SEGMENT.ENTRIES * 4;

export class LaneWriter {
  readonly #arena: Arena;
  readonly #owner: OwnerId;
  readonly #word: number;
  readonly #keeper: Block;
  /** The last segment's first word, 0 while there is none. */
  #segment = 0;
  #firstNumber = 0;
  /** Below it the segment's bytes are free. */
  #low = 0;
  #total = 0;
  #tail = 0;
  /** What `prepare` wrote and `commit` will commit. */
  #nextLow = 0;
  #nextTotal = 0;

  /** `word`: the lane's first word; `keeper`: the block that keeps all that lies in it. */
  constructor(arena: Arena, owner: OwnerId, word: number, keeper: Block) {
    this.#arena = arena;
    this.#owner = owner;
    this.#word = word;
    this.#keeper = keeper;
    this.resume();
  }

  /** Goes on behind what was committed last, by whomever. */
  resume(): void {
    const { words } = this.#arena;
    this.#tail = Atomics.load(words, this.#word + LANE.TAIL);
    this.#segment = (Atomics.load(words, this.#word + LANE.LAST) * BLOCK_ALIGNMENT) / 4;
    this.#low = 0;
    this.#total = 0;
    if (this.#segment === 0) return;
    this.#link();
    this.#firstNumber = words[this.#segment + SEGMENT.FIRST_NUMBER] as number;
    const count = (this.#tail - this.#firstNumber) | 0;
    if (count === 0) {
      this.#low = segmentBytes(this.#arena, this.#segment);
      this.#total = words[this.#segment + SEGMENT.BYTES_BEFORE] as number;
    } else {
      const entry = this.#segment + SEGMENT.ENTRIES + (count - 1) * ENTRY.WORDS;
      this.#low = (words[entry + ENTRY.LOW] as number) & ~TAG_MASK;
      this.#total = words[entry + ENTRY.STAMP] as number;
    }
  }

  /** For one of several writers, who holds the lane's lock: goes on behind what others have written meanwhile. */
  catchUp(): void {
    const { words } = this.#arena;
    const last = (Atomics.load(words, this.#word + LANE.LAST) * BLOCK_ALIGNMENT) / 4;
    // One that died may have added a segment and committed nothing.
    if (Atomics.load(words, this.#word + LANE.TAIL) !== this.#tail || last !== this.#segment) this.resume();
  }

  /** Number of the next message: how many were ever committed. */
  get tail(): number {
    return this.#tail;
  }

  /** Bytes that are committed and not taken. */
  get unreadBytes(): number {
    return (this.#total - Atomics.load(this.#arena.words, this.#word + LANE.TAKEN_BYTES)) >>> 0;
  }

  /**
   * Writes a message of at most {@link MAX_INLINE_BYTES}, which nobody sees before `commit`.
   *
   * @param ticket - Tells which of several lanes is to be taken from first. Default how many bytes the lane has carried with it.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the arena is full.
   */
  prepare(message: Uint8Array, tag: number, ticket?: number): void {
    const length = message.byteLength;
    const padded = (length + 7) & ~7;
    this.#makeRoom(padded);
    const low = this.#low - padded;
    this.#arena.bytes.set(message, this.#segment * 4 + low);
    this.#writeEntry(length, low, 0, tag, ticket);
  }

  /** As `prepare`, for a message in a block that the caller holds, and drops after `commit`. */
  prepareBlock(block: Block, length: number, tag: number, ticket?: number): void {
    this.#makeRoom(0);
    keep(this.#arena, block, this.#keeper);
    this.#writeEntry(length, this.#low, block.at / BLOCK_ALIGNMENT, tag, ticket);
  }

  /** Takes back what `prepareBlock` did; the caller still holds the block. */
  abandon(block: Block): void {
    unkeep(this.#arena, block);
  }

  /** Commits what was prepared. Publishes all that was written; pairs with the reader's load of the tail. */
  commit(): void {
    this.#low = this.#nextLow;
    this.#total = this.#nextTotal;
    this.#tail = (this.#tail + 1) | 0;
    Atomics.store(this.#arena.words, this.#word + LANE.TAIL, this.#tail);
  }

  /** Under the lock of those who take: takes back the last message unless somebody has taken it. */
  retract(): boolean {
    const { words } = this.#arena;
    if (Atomics.load(words, this.#word + LANE.HEAD) === this.#tail) return false;
    Atomics.store(words, this.#word + LANE.TAIL, (this.#tail - 1) | 0);
    this.resume();
    return true;
  }

  #writeEntry(
    length: number,
    low: number,
    block: number,
    tag: number,
    ticket = (this.#total + length) | 0,
  ): void {
    const { words } = this.#arena;
    const entry = this.#segment + SEGMENT.ENTRIES + ((this.#tail - this.#firstNumber) | 0) * ENTRY.WORDS;
    this.#nextLow = low;
    this.#nextTotal = ticket;
    words[entry + ENTRY.LENGTH] = length;
    words[entry + ENTRY.LOW] = low | tag;
    words[entry + ENTRY.BLOCK] = block;
    words[entry + ENTRY.STAMP] = this.#nextTotal;
  }

  #makeRoom(bytes: number): void {
    const entriesEnd = HEAD_BYTES + (((this.#tail - this.#firstNumber) | 0) + 1) * ENTRY_BYTES;
    if (this.#segment === 0 || this.#low - bytes < entriesEnd) this.#addSegment();
  }

  /**
   * LAST first and the link second: who comes after a death finds in LAST a segment that may have to be linked still. The one before it
   * cannot be freed as long as it is not.
   */
  #addSegment(): void {
    const { words } = this.#arena;
    const bytes = this.#segment === 0 ? FIRST_SEGMENT_BYTES : SEGMENT_BYTES;
    const block = allocate(this.#arena, this.#owner, KIND.SEGMENT, bytes);
    const segment = block.at / 4;
    words[segment + SEGMENT.FIRST_NUMBER] = this.#tail;
    words[segment + SEGMENT.BYTES_BEFORE] = this.#total;
    if (this.#segment !== 0) {
      const before = blockAt(this.#arena, this.#segment * 4);
      words[segment + SEGMENT.PREVIOUS] = before.at / BLOCK_ALIGNMENT;
      words[segment + SEGMENT.PREVIOUS_LIFE] = before.generation;
    }
    keep(this.#arena, block, this.#keeper);
    Atomics.store(words, this.#word + LANE.LAST, block.at / BLOCK_ALIGNMENT);
    this.#segment = segment;
    this.#firstNumber = this.#tail;
    this.#low = bytes;
    this.#link();
    drop(this.#arena, block, this.#owner);
  }

  /** Makes the last segment reachable from the one before it, or from the lane, unless it is. */
  #link(): void {
    const { words } = this.#arena;
    const own = (this.#segment * 4) / BLOCK_ALIGNMENT;
    const at = (words[this.#segment + SEGMENT.PREVIOUS] as number) * BLOCK_ALIGNMENT;
    if (at === 0) {
      Atomics.compareExchange(words, this.#word + LANE.FIRST, 0, own);
      return;
    }
    const generation = words[this.#segment + SEGMENT.PREVIOUS_LIFE] as number;
    // Alive and without a successor it cannot be freed: who takes goes on to the next one first.
    if (isAlive(this.#arena, { at, generation }) && Atomics.load(words, at / 4 + SEGMENT.NEXT) === 0)
      Atomics.store(words, at / 4 + SEGMENT.NEXT, own);
  }
}

function segmentBytes(arena: Arena, segment: number): number {
  return payloadBytes(arena, blockAt(arena, segment * 4));
}
