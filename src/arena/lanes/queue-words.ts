import { type Block, drop, headOf, hold, holdersOf, kindOf } from '../allocator.js';
import type { Arena } from '../arena.js';
import { messageIn } from '../envelope.js';
import { unkeep } from '../keeping.js';
import { BLOCK, KIND } from '../layout.js';
import { waitersOf, wakeAll } from '../primitives/wait-set.js';
import { isInDisorder, isReferenced, markDisorder } from '../references.js';
import { withRobustLock } from '../robust-lock.js';
import type { OwnerId } from '../slots.js';
import { slotOf } from '../slots.js';
import { QUEUE } from './lane-layout.js';
import {
  copyEntry,
  entryBlock,
  entryLength,
  entryTicket,
  isLaneEmpty,
  type Lane,
  nextEntry,
  takeEntry,
} from './lane-reader.js';
import {
  adoptLane,
  dropSpent,
  findLane,
  isWriter,
  isWritten,
  laneOf,
  mayHaveItems,
  newLane,
  retireLane,
  slotAfter,
} from './lane-table.js';
import { LaneWriter, MAX_INLINE_BYTES } from './lane-writer.js';
import { dropSpares, isRecyclable, leaveSpareIn, RECYCLED_FROM_BYTES, takeSpareFrom } from './spares.js';
import { countItems, tidyAfter, withTakersLock } from './tidy.js';

/** Where short messages are copied to, under the lock, and read from outside of it. */
const scratch = new Uint8Array(MAX_INLINE_BYTES);

/** Views of its beginning, by length: to make one costs as much as to read a small message. */
const scratchViews: (Uint8Array | undefined)[] = [];

function shortMessage(length: number): Uint8Array {
  scratchViews[length] ??= scratch.subarray(0, length);
  return scratchViews[length];
}

/** Answered where there is no item; an item may be anything else. */
export const NOTHING: unique symbol = Symbol('furca:nothing');

/** How putting went. */
export const PUT = 0;
export const FULL = 1;
export const ENDED = 2;

/** What becomes of the block of an item that was taken. */
export const READ = 0;
export const KEPT = 1;
export const LENT = 2;
export type Hold = typeof READ | typeof KEPT | typeof LENT;

/** Prepares a fresh block as a queue. */
export function initQueue(arena: Arena, block: Block, maxItems: number, policy: number): void {
  const { words } = arena;
  const word = block.at / 4;
  words[word + QUEUE.MAX_ITEMS] = maxItems;
  words[word + QUEUE.POLICY] = policy;
  words[word + QUEUE.BIRTH_JOINS] = words[headOf(block) + BLOCK.JOINS] as number;
}

/** A queue as one member sees it. */
export class QueueView {
  readonly arena: Arena;
  readonly block: Block;
  readonly word: number;
  readonly me: OwnerId;
  readonly #spent: Block[] = [];
  #writer: LaneWriter | undefined;
  /** Slot of the lane that was found last. */
  #firstSlot = 0;
  /** What is taken under the lock, and how. */
  #isToKeep = false;
  #takenLength = -1;
  #takenBlock: Block | undefined;

  constructor(arena: Arena, block: Block, me: OwnerId) {
    this.arena = arena;
    this.block = block;
    this.word = block.at / 4;
    this.me = me;
  }

  /** Most items there may be; 0 where there is no bound. */
  get maxItems(): number {
    return this.arena.words[this.word + QUEUE.MAX_ITEMS] as number;
  }

  get policy(): number {
    return this.arena.words[this.word + QUEUE.POLICY] as number;
  }

  get hasEnded(): boolean {
    return Atomics.load(this.arena.words, this.word + QUEUE.HAS_ENDED) !== 0;
  }

  /** A guess from outside the lock. */
  get mayHaveItems(): boolean {
    return mayHaveItems(this.arena, this.word);
  }

  count(): number {
    return this.#locked(() => countItems(this.arena, this.block));
  }

  #locked<T>(section: () => T): T {
    try {
      return withTakersLock(this.arena, this.block, this.word + QUEUE.LOCK, this.me, section);
    } finally {
      if (this.#spent.length > 0) dropSpent(this.arena, this.me, this.#spent);
    }
  }

  #openWriter(): LaneWriter {
    if (this.#writer !== undefined) return this.#writer;
    const fresh = newLane(this.arena, this.me);
    try {
      const lane = this.#locked(() => adoptLane(this.arena, this.block, slotOf(this.me), this.me, fresh));
      this.#writer = new LaneWriter(this.arena, this.me, lane, this.block);
      return this.#writer;
    } finally {
      drop(this.arena, fresh, this.me);
    }
  }

  /**
   * Puts a message, or the block that it is in, which the caller holds and drops afterwards.
   *
   * @param length - Bytes of the message; the block may be longer.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the arena is full, and nothing was put.
   */
  tryPut(message: Uint8Array | undefined, block: Block | undefined, length: number): number {
    if (this.hasEnded) return ENDED;
    const max = this.maxItems;
    // A guess first, from outside the lock: where it says that there is room, that is looked at once more below.
    if (max > 0 && countItems(this.arena, this.block) >= max && this.count() >= max) return FULL;
    const writer = this.#openWriter();
    // Drawn before the commit: who puts after this was put draws a later one. A ticket that is never used is missed by nobody.
    const ticket = (Atomics.add(this.arena.words, this.word + QUEUE.TICKETS, 1) + 1) | 0;
    if (block === undefined) writer.prepare(message as Uint8Array, 0, ticket);
    else writer.prepareBlock(block, length, 0, ticket);
    if (max === 0) writer.commit();
    else if (!this.#commitWithin(writer, max)) {
      if (block !== undefined) writer.abandon(block);
      return FULL;
    }
    // Pairs with the look of who finds the queue empty after it has ended: either it saw this item, or this sees the end.
    if (this.hasEnded && this.#locked(() => writer.retract())) {
      if (block !== undefined) writer.abandon(block);
      return ENDED;
    }
    return PUT;
  }

  #commitWithin(writer: LaneWriter, max: number): boolean {
    return this.#locked(() => {
      if (countItems(this.arena, this.block) >= max) return false;
      writer.commit();
      return true;
    });
  }

  /**
   * Takes the item with the first ticket, and hands its bytes to `read` outside of the lock.
   *
   * @param read - Given the block, if the item lies in one, and the slot of the lane it came from.
   * @param mode - `KEPT`: it stays the queue's until `finish`, and lies in a block of its own. `LENT`: the block is left to `read`, which lets go of it
   * later.
   */
  tryTake<T>(
    read: (message: Uint8Array, block: Block | undefined, slot: number) => T,
    mode: Hold = READ,
  ): T | typeof NOTHING {
    const { arena, me } = this;
    // Where something is to be put in order, that may bring items back.
    if (!this.mayHaveItems && !isInDisorder(arena, this.block)) return NOTHING;
    this.#isToKeep = mode === KEPT;
    this.#takenLength = -1;
    try {
      withRobustLock(arena, this.word + QUEUE.LOCK, this.#takeLocked);
    } finally {
      if (this.#spent.length > 0) dropSpent(arena, me, this.#spent);
    }
    // Taken out of here first: what reads an item may take another.
    const length = this.#takenLength;
    const block = this.#takenBlock;
    const slot = this.#firstSlot;
    this.#takenBlock = undefined;
    if (length === -1) return NOTHING;
    if (block === undefined) return read(shortMessage(length), undefined, slot);
    if (mode !== READ) return read(this.#bytesOf(block, length), block, slot);
    try {
      return read(this.#bytesOf(block, length), block, slot);
    } finally {
      this.leaveSpare(slot, block);
      drop(arena, block, me);
    }
  }

  /** Made once: a function for every item would cost as much as its lock. */
  readonly #takeLocked = (ownerDied: boolean): void => {
    const { arena, me } = this;
    tidyAfter(ownerDied, arena, this.block, me);
    const lane = this.#firstLane();
    if (lane === -1) return;
    const entry = nextEntry(arena, lane, me, this.#spent);
    const block = entryBlock(arena, entry);
    if (block === undefined) copyEntry(arena, lane, entry, scratch);
    else this.#grasp(block, this.#isToKeep);
    const length = entryLength(arena, entry);
    takeEntry(arena, lane, entry);
    if (block !== undefined && !this.#isToKeep) unkeep(arena, block);
    this.#takenBlock = block;
    this.#takenLength = length;
  };

  /** Under the lock: the lane whose next item has the first ticket, -1 when all are empty. */
  #firstLane(): Lane {
    const { arena, word, me, block } = this;
    let first: Lane = -1;
    let firstTicket = 0;
    for (let slot = slotAfter(arena, word, -1); slot !== -1; slot = slotAfter(arena, word, slot)) {
      const lane = laneOf(arena, word, slot);
      if (lane === 0) continue;
      const entry = nextEntry(arena, lane, me, this.#spent);
      if (entry === -1) {
        retireLane(arena, block, lane, slot, me, this.#spent);
        continue;
      }
      const ticket = entryTicket(arena, entry);
      if (first !== -1 && ((ticket - firstTicket) | 0) >= 0) continue;
      first = lane;
      firstTicket = ticket;
      this.#firstSlot = slot;
    }
    return first;
  }

  #grasp(block: Block, isKept: boolean): void {
    hold(this.arena, block, this.me);
    if (!isKept) return;
    const { words } = this.arena;
    Atomics.store(words, headOf(block) + BLOCK.TAKER, this.me);
    words[this.word + QUEUE.IN_HAND] = (words[this.word + QUEUE.IN_HAND] as number) + 1;
  }

  #bytesOf(block: Block, length: number): Uint8Array {
    if (kindOf(this.arena, block) === KIND.ENVELOPE) return messageIn(this.arena, block);
    return this.arena.bytes.subarray(block.at, block.at + length);
  }

  /** A block to write a large item into, held by this member as if it were new; `undefined` where none lies ready. */
  takeSpare(length: number): Block | undefined {
    // What comes back after a death is as long as its block.
    if (length < RECYCLED_FROM_BYTES || this.policy !== 0) return undefined;
    const { arena, word, me } = this;
    return this.#locked(() => {
      const lane = laneOf(arena, word, slotOf(me));
      return lane === 0 ? undefined : takeSpareFrom(arena, lane, length, me);
    });
  }

  /** Gives up all blocks that lie ready, for their memory is wanted. */
  dropSpares(): void {
    const { arena, word, me } = this;
    this.#locked(() => {
      findLane(arena, word, (lane) => {
        dropSpares(arena, lane, me, this.#spent);
        return false;
      });
    });
  }

  /** Leaves a block that was read, and that this member still holds, to whoever writes the lane of `slot`. */
  leaveSpare(slot: number, block: Block): void {
    const { arena, word, me } = this;
    if (this.policy !== 0 || !isRecyclable(arena, block)) return;
    this.#locked(() => {
      const lane = laneOf(arena, word, slot);
      // One whose writer is gone is about to be taken away.
      if (lane !== 0 && isWritten(arena, this.block, lane))
        leaveSpareIn(arena, this.block, lane, block, me, this.#spent);
    });
  }

  /** Is done with an item that was taken and kept; answers how many are unfinished still. */
  finish(block: Block): number {
    const { arena, me } = this;
    const left = this.#locked(() => {
      const { words } = arena;
      Atomics.store(words, headOf(block) + BLOCK.TAKER, 0);
      unkeep(arena, block);
      const inHand = (words[this.word + QUEUE.IN_HAND] as number) - 1;
      words[this.word + QUEUE.IN_HAND] = inHand;
      return inHand + countItems(arena, this.block);
    });
    drop(arena, block, me);
    if (left === 0) {
      wakeAll(arena, this.word + QUEUE.JOINERS);
      // Those who wait for an item that might have come back.
      if (this.hasEnded) wakeAll(arena, this.word + QUEUE.GETTERS);
    }
    return left;
  }

  /** Gives back an item that was taken and kept, for another to take. */
  handBack(block: Block): void {
    drop(this.arena, block, this.me);
    // Marked as taken and held by nobody: as after a death.
    markDisorder(this.arena, this.block);
  }

  /** Items that are put and not done. */
  countUnfinished(): number {
    return this.#locked(
      () => (this.arena.words[this.word + QUEUE.IN_HAND] as number) + countItems(this.arena, this.block),
    );
  }

  /** Whether a member died with an item that nobody else gets; told once for each call of `join`. */
  get hasLost(): boolean {
    return Atomics.load(this.arena.words, this.word + QUEUE.HAS_LOST) !== 0;
  }

  /** From here on nothing can be put; what was put can be taken. Wakes all who wait. */
  end(): void {
    Atomics.store(this.arena.words, this.word + QUEUE.HAS_ENDED, 1);
    for (const set of [QUEUE.GETTERS, QUEUE.PUTTERS]) wakeAll(this.arena, this.word + set);
  }

  /**
   * As one that waits for an item: tells whether none will ever come. That is so once the queue has ended and is empty; and it ends by
   * itself when it has had several holders and nobody is left who could put anything: this member never has, and every other one that
   * holds it waits for an item itself, never having put any, though somebody has.
   *
   * @param ownInHand - Items that this member has taken and not finished.
   */
  isOver(ownInHand: number): boolean {
    const { arena, word } = this;
    return this.#locked(() => {
      if (findLane(arena, word, (lane) => !isLaneEmpty(arena, lane))) return false;
      // What another has in its hand comes back should it die.
      if ((arena.words[word + QUEUE.IN_HAND] as number) > ownInHand) return false;
      if (this.hasEnded) return true;
      if (this.#hasWriters()) return false;
      this.end();
      return true;
    });
  }

  #hasWriters(): boolean {
    const { arena, word, block, me } = this;
    const joins = Atomics.load(arena.words, headOf(block) + BLOCK.JOINS);
    if (joins === arena.words[word + QUEUE.BIRTH_JOINS] || isWriter(arena, block, me)) return true;
    if (isReferenced(arena, headOf(block), block.generation)) return true;
    const others = holdersOf(arena, block).filter((owner) => owner !== me);
    if (others.length === 0) return false;
    const waiting = waitersOf(arena, word + QUEUE.GETTERS);
    const wasPut = Atomics.load(arena.words, word + QUEUE.EVER_PUT) !== 0;
    return !wasPut || others.some((owner) => !waiting.includes(owner) || isWriter(arena, block, owner));
  }
}
