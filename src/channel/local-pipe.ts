import type { Block } from '../arena/allocator.js';
import {
  NO_PEER,
  NO_ROOM,
  PipeView,
  receiversOf,
  SENT,
  type Side,
  sendersOf,
  VALUE,
} from '../arena/lanes/pipe-words.js';
import { NOTHING } from '../arena/lanes/queue-words.js';
import { wakeAllAt } from '../arena/lanes/sweep-lanes.js';
import { KIND } from '../arena/layout.js';
import { Handle, type LocalBlock } from '../arena/local-handles.js';
import { type Member, ownMembership } from '../arena/member.js';
import { joinWaiters, leaveWaiters, wakeNext } from '../arena/primitives/wait-set.js';
import { openHandleOf, SharedObject } from '../arena/shared-object.js';
import { Arrivals, type Gate } from '../arena/waiting.js';
import { copyOf } from '../kernel/fresh-memory.js';
import { decodeFromFamilySync } from '../wire/family-message.js';
import { registerHandleKind } from '../wire/handles.js';
import { Loan, lendFrom } from './loan.js';
import { dropPacked, type Packed } from './packing.js';

/** A wait at one end of a pipe. */
export interface PipeWait<T> extends Gate {
  /** What came of it; `NOTHING` where the other end is gone. Throws what reading the message threw. */
  take(): T | typeof NOTHING;
}

/** What becomes of a message that is received. */
export interface Reading {
  /** Whether the block of a large message is left to `read`, which lets go of it later. */
  readonly isLent: boolean;
  readonly read: (message: Uint8Array, tag: number, block: Block | undefined) => unknown;
}

/** What a receiver looks at before it takes a message: throws to leave it there. */
export type Check = (tag: number, length: number) => void;

const other = (side: Side): Side => (1 - side) as Side;

/** What this process has of a pipe, whatever number of objects and flows it has at either end. */
export class LocalPipe {
  readonly #local: LocalBlock;
  readonly #senders = [new Arrivals(), new Arrivals()] as const;
  readonly #receivers = [new Arrivals(), new Arrivals()] as const;
  readonly #lenders = [this.#newLender(0), this.#newLender(1)] as const;
  #isClosed = false;
  #member: Member | undefined;
  #view: PipeView | undefined;

  private constructor(local: LocalBlock) {
    this.#local = local;
  }

  static of(local: LocalBlock): LocalPipe {
    local.shared ??= new LocalPipe(local);
    return local.shared as LocalPipe;
  }

  /** The pipe as this member sees it; a forked child is another one. */
  get view(): PipeView {
    const member = ownMembership();
    if (this.#view === undefined || this.#member !== member) {
      this.#member = member;
      this.#view = new PipeView(this.#local.arena, this.#local.block, member.owner);
    }
    return this.#view;
  }

  /** Sends what was packed if there is room; wakes one that waits for it. */
  trySend(side: Side, packed: Packed, tag: number): number {
    const result = this.view.trySend(side, packed.message, packed.block, packed.length, tag);
    if (result !== SENT) return result;
    dropPacked(ownMembership(), packed);
    wakeNext(this.#local.arena, receiversOf(this.view.word, side));
    return SENT;
  }

  /** Receives a message if there is one; wakes those who wait for room. */
  tryReceive(side: Side, check: Check, { read, isLent }: Reading): unknown {
    const found = this.view.tryReceive(side, check, read, isLent);
    if (found !== NOTHING) wakeNext(this.#local.arena, sendersOf(this.view.word, other(side)));
    return found;
  }

  /** How values and bytes are read at the end of `side`: as copies, or lent. */
  readingAt(side: Side, isLent: boolean): Reading {
    return isLent ? this.#lenders[side] : COPYING;
  }

  #newLender(side: Side): Reading {
    const read: Reading['read'] = (message, tag, block) => {
      if (block === undefined) return new Loan(readCopy(message, tag));
      return lendFrom(
        block,
        () => this.view.leaveSpare(side, block),
        (lending) =>
          tag === VALUE
            ? decodeFromFamilySync(message, lending)
            : Buffer.from(lending.lend(message.byteOffset, message.byteLength)),
      );
    };
    return { isLent: true, read };
  }

  /** Waits for room at the end of `side`, and sends. */
  newSender(end: Handle, side: Side, packed: Packed, tag: number): PipeWait<true> {
    let result = NO_ROOM;
    const outcome = new Attempt(() => {
      result = this.trySend(side, packed, tag);
      return result !== NO_ROOM;
    });
    const arrivals = this.#senders[side];
    return {
      tryPass: () => arrivals.isEmpty && outcome.isOver(),
      pass: () => {
        if (end.isClosed || outcome.isOver()) return true;
        if (this.view.isGone(other(side))) result = NO_PEER;
        return result === NO_PEER;
      },
      arrive: () => this.#arrive(arrivals, sendersOf(this.view.word, side)),
      leave: () => {
        // What was woken here may have found too little room for itself, and enough for another.
        if (this.#leave(arrivals, () => sendersOf(this.view.word, side)))
          wakeNext(this.#local.arena, sendersOf(this.view.word, side));
      },
      take: () => {
        outcome.check();
        return result === SENT ? true : NOTHING;
      },
    };
  }

  /** Waits for a message at the end of `side`. */
  newReceiver(end: Handle, side: Side, check: Check, reading: Reading): PipeWait<unknown> {
    let found: unknown = NOTHING;
    const outcome = new Attempt(() => {
      found = this.tryReceive(side, check, reading);
      return found !== NOTHING;
    });
    const arrivals = this.#receivers[side];
    return {
      tryPass: () => arrivals.isEmpty && outcome.isOver(),
      // Gone first and empty second: what the other end sent before it went is there by then.
      pass: () =>
        end.isClosed || outcome.isOver() || (this.view.isGone(other(side)) && !this.view.hasMessage(side)),
      arrive: () => this.#arrive(arrivals, receiversOf(this.view.word, other(side))),
      leave: () => this.#leaveReceivers(arrivals, side),
      take: () => {
        outcome.check();
        return found;
      },
    };
  }

  /** Waits until there is a message at the end of `side`, or none will come. */
  newPoller(end: Handle, side: Side): Gate {
    const look = (): boolean => end.isClosed || this.view.hasMessage(side) || this.view.isGone(other(side));
    const arrivals = this.#receivers[side];
    return {
      tryPass: look,
      pass: look,
      arrive: () => this.#arrive(arrivals, receiversOf(this.view.word, other(side))),
      leave: () => this.#leaveReceivers(arrivals, side),
    };
  }

  #leaveReceivers(arrivals: Arrivals, side: Side): void {
    const set = (): number => receiversOf(this.view.word, other(side));
    if (this.#leave(arrivals, set) && this.view.hasMessage(side)) wakeNext(this.#local.arena, set());
  }

  #arrive(arrivals: Arrivals, set: number): void {
    if (arrivals.add()) joinWaiters(this.#local.arena, set, this.view.me);
  }

  /** Answers whether the pipe is still this process's to look at. */
  #leave(arrivals: Arrivals, set: () => number): boolean {
    const isLast = arrivals.remove();
    if (this.#isClosed) return false;
    if (isLast) leaveWaiters(this.#local.arena, set(), this.view.me);
    return true;
  }

  /** Makes everybody look who waits at the pipe: an end is gone, perhaps. */
  tellOthers(): void {
    wakeAllAt(this.#local.arena, this.view.word, KIND.PIPE);
    ownMembership().parking.expectSoon();
  }

  /** Right before the last object of this process lets go of the pipe. */
  prepareClose(): void {
    const { word, me, arena } = this.view;
    for (const side of [0, 1] as const)
      for (const set of [sendersOf(word, side), receiversOf(word, side)]) leaveWaiters(arena, set, me);
    this.#isClosed = true;
  }
}

/** Something that is tried until it succeeds or throws; what it throws is kept for who waits. */
class Attempt {
  readonly #attempt: () => boolean;
  #error: { readonly thrown: unknown } | undefined;

  constructor(attempt: () => boolean) {
    this.#attempt = attempt;
  }

  isOver(): boolean {
    try {
      return this.#error !== undefined || this.#attempt();
    } catch (thrown) {
      this.#error = { thrown };
      return true;
    }
  }

  check(): void {
    if (this.#error !== undefined) throw this.#error.thrown;
  }
}

function readCopy(message: Uint8Array, tag: number): unknown {
  // Bytes get memory of their own: what lies here is somebody else's in a moment.
  return tag === VALUE ? decodeFromFamilySync(message) : copyOf(message);
}

const COPYING: Reading = { isLent: false, read: readCopy };

/** What both ends have in common; it travels along with each. */
export class PipeCore extends SharedObject {
  readonly local: LocalPipe;

  constructor(handle: Handle) {
    super(handle);
    this.local = LocalPipe.of(handle.local);
  }

  /** One more object for the same pipe: each end closes its own. */
  copy(): PipeCore {
    return new PipeCore(new Handle(this.handle.local));
  }

  override close(): void {
    if (this.isClosed) return;
    if (this.handle.local.handles.size === 1) this.local.prepareClose();
    super.close();
  }
}

registerHandleKind<PipeCore>(PipeCore, {
  id: KIND.PIPE,
  handleOf: openHandleOf,
  revive: (handle) => new PipeCore(handle),
});
