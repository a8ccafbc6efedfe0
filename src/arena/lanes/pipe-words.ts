import { type Block, drop, headOf, hold, holdersOf, isAlive, kindOf } from '../allocator.js';
import type { Arena } from '../arena.js';
import { messageIn } from '../envelope.js';
import { unkeep } from '../keeping.js';
import { BLOCK_ALIGNMENT, KIND } from '../layout.js';
import { isReferenced } from '../references.js';
import { withRobustLock } from '../robust-lock.js';
import type { OwnerId } from '../slots.js';
import { LANE, PIPE, PIPE_END } from './lane-layout.js';
import {
  copyEntry,
  entryBlock,
  entryLength,
  entryTag,
  isLaneEmpty,
  type Lane,
  nextEntry,
  takeEntry,
} from './lane-reader.js';
import { dropSpent } from './lane-table.js';
import { LaneWriter, MAX_INLINE_BYTES } from './lane-writer.js';
import { NOTHING } from './queue-words.js';
import { dropSpares, isRecyclable, leaveSpareIn, RECYCLED_FROM_BYTES, takeSpareFrom } from './spares.js';
import { withTakersLock } from './tidy.js';

/** Most bytes that lie in one direction unread; a longer message passes alone. */
export const PIPE_BYTES: number = 4 * 1024 * 1024;
const scratch = new Uint8Array(MAX_INLINE_BYTES);

/** One of the two ends. It sends into the lane of its own number, and receives from the other's. */
export type Side = 0 | 1;

/** What came to lie in a pipe: a value that was packed, or bytes as they are. */
export const VALUE = 0;
export const BYTES = 1;

/** Makes two fresh blocks the ends of a fresh pipe. */
export function initPipe(arena: Arena, pipe: Block, ends: readonly [Block, Block]): void {
  for (const side of [0, 1] as const) {
    const end = ends[side];
    arena.words[end.at / 4 + PIPE_END.SIDE] = side;
    arena.words[pipe.at / 4 + PIPE.ENDS + 2 * side] = end.at / BLOCK_ALIGNMENT;
    arena.words[pipe.at / 4 + PIPE.ENDS + 2 * side + 1] = end.generation;
  }
}

/** Which end it is that lies at word `word`. */
export function sideOf(arena: Arena, word: number): Side {
  return arena.words[word + PIPE_END.SIDE] as Side;
}

/** Where those stand who wait to send into the lane of `side`. */
export function sendersOf(word: number, side: Side): number {
  return word + side * PIPE.DIRECTION_WORDS + PIPE.SENDERS;
}

/** Where those stand who wait to receive from the lane of `side`. */
export function receiversOf(word: number, side: Side): number {
  return word + side * PIPE.DIRECTION_WORDS + PIPE.RECEIVERS;
}

/** How sending went. */
export const SENT = 0;
export const NO_ROOM = 1;
export const NO_PEER = 2;

/** A pipe as one member sees it. */
export class PipeView {
  readonly arena: Arena;
  readonly block: Block;
  readonly word: number;
  readonly me: OwnerId;
  readonly #spent: Block[] = [];
  readonly #writers: (LaneWriter | undefined)[] = [undefined, undefined];

  constructor(arena: Arena, block: Block, me: OwnerId) {
    this.arena = arena;
    this.block = block;
    this.word = block.at / 4;
    this.me = me;
  }

  #lane(side: Side): Lane {
    return this.word + side * PIPE.DIRECTION_WORDS;
  }

  #end(side: Side): Block {
    const { words } = this.arena;
    const at = this.word + PIPE.ENDS + 2 * side;
    return { at: (words[at] as number) * BLOCK_ALIGNMENT, generation: words[at + 1] as number };
  }

  /** Tells whether nobody has the end of `side` any more, nor a message that is on its way. Whoever is dead counts as gone. */
  isGone(side: Side): boolean {
    const end = this.#end(side);
    if (!isAlive(this.arena, end)) return true;
    return holdersOf(this.arena, end).length === 0 && !isReferenced(this.arena, headOf(end), end.generation);
  }

  /** Whether there is something to receive at the end of `side`. */
  hasMessage(side: Side): boolean {
    return !isLaneEmpty(this.arena, this.#lane((1 - side) as Side));
  }

  /** A block to write a large message into, held by this member as if it were new; `undefined` where none lies ready. */
  takeSpare(side: Side, length: number): Block | undefined {
    if (length < RECYCLED_FROM_BYTES) return undefined;
    return this.#locked(() => takeSpareFrom(this.arena, this.#lane(side), length, this.me));
  }

  /** Gives up all blocks that lie ready, for their memory is wanted. */
  dropSpares(): void {
    this.#locked(() => {
      for (const side of [0, 1] as const) dropSpares(this.arena, this.#lane(side), this.me, this.#spent);
    });
  }

  /** Leaves a block that was received at the end of `side`, and that this member still holds, to be written again. */
  leaveSpare(side: Side, block: Block): void {
    const { arena, me } = this;
    if (!isRecyclable(arena, block)) return;
    const lane = this.#lane((1 - side) as Side);
    this.#locked(() => leaveSpareIn(arena, this.block, lane, block, me, this.#spent));
  }

  /** Sends from the end of `side` what is given as bytes, or in a block that the caller holds and drops afterwards. */
  trySend(
    side: Side,
    message: Uint8Array | undefined,
    block: Block | undefined,
    length: number,
    tag: number,
  ): number {
    const { arena } = this;
    // Freed; one whose holder has died and is not swept yet takes what nobody will read, as a pipe of the system does.
    if (!isAlive(arena, this.#end((1 - side) as Side))) return NO_PEER;
    const lane = this.#lane(side);
    return withRobustLock(arena, lane + LANE.WRITE_LOCK, () => {
      const writer = this.#writerOf(side, lane);
      const unread = writer.unreadBytes;
      if (unread > 0 && unread + length > PIPE_BYTES) return NO_ROOM;
      if (block === undefined) writer.prepare(message as Uint8Array, tag);
      else writer.prepareBlock(block, length, tag);
      writer.commit();
      return SENT;
    });
  }

  #writerOf(side: Side, lane: Lane): LaneWriter {
    const known = this.#writers[side];
    if (known !== undefined) {
      known.catchUp();
      return known;
    }
    const writer = new LaneWriter(this.arena, this.me, lane, this.block);
    this.#writers[side] = writer;
    return writer;
  }

  /**
   * Receives a message at the end of `side` and hands its bytes to `read` outside of the lock.
   *
   * @param check - Looks at tag and length first; what it throws leaves the message where it is.
   * @param read - Given the block, if the message lies in one.
   * @param isLent - Whether a block is left to `read`, which lets go of it later.
   */
  tryReceive<T>(
    side: Side,
    check: (tag: number, length: number) => void,
    read: (message: Uint8Array, tag: number, block: Block | undefined) => T,
    isLent: boolean,
  ): T | typeof NOTHING {
    const { arena, me } = this;
    const lane = this.#lane((1 - side) as Side);
    if (isLaneEmpty(arena, lane)) return NOTHING;
    let length = -1;
    let tag = 0;
    let block: Block | undefined;
    this.#locked(() => {
      const entry = nextEntry(arena, lane, me, this.#spent);
      if (entry === -1) return;
      tag = entryTag(arena, entry);
      check(tag, entryLength(arena, entry));
      length = entryLength(arena, entry);
      block = entryBlock(arena, entry);
      if (block === undefined) copyEntry(arena, lane, entry, scratch);
      else hold(arena, block, me);
      takeEntry(arena, lane, entry);
      if (block !== undefined) unkeep(arena, block);
    });
    if (length === -1) return NOTHING;
    if (block === undefined) return read(scratch.subarray(0, length), tag, undefined);
    if (isLent) return read(this.#bytesOf(block, length), tag, block);
    try {
      return read(this.#bytesOf(block, length), tag, undefined);
    } finally {
      this.leaveSpare(side, block);
      drop(arena, block, me);
    }
  }

  #bytesOf(block: Block, length: number): Uint8Array {
    if (kindOf(this.arena, block) === KIND.ENVELOPE) return messageIn(this.arena, block);
    return this.arena.bytes.subarray(block.at, block.at + length);
  }

  #locked<T>(section: () => T): T {
    try {
      return withTakersLock(this.arena, this.block, this.word + PIPE.LOCK, this.me, section);
    } finally {
      if (this.#spent.length > 0) dropSpent(this.arena, this.me, this.#spent);
    }
  }
}
