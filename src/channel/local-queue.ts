import type { Block } from '../arena/allocator.js';
import { QUEUE } from '../arena/lanes/lane-layout.js';
import { disownLane } from '../arena/lanes/lane-table.js';
import { FULL, KEPT, LENT, NOTHING, PUT, QueueView } from '../arena/lanes/queue-words.js';
import type { LocalBlock } from '../arena/local-handles.js';
import { type Member, ownMembership } from '../arena/member.js';
import { wake } from '../arena/parking.js';
import { joinWaiters, leaveWaiters, waitersOf, wakeNext } from '../arena/primitives/wait-set.js';
import { Arrivals, type Gate } from '../arena/waiting.js';
import { decodeFromFamilySync } from '../wire/family-message.js';
import { Loan, lendFrom } from './loan.js';
import { dropPacked, type Packed } from './packing.js';

/** An item of a joinable queue that this process has taken and not finished. */
interface InHand {
  readonly block: Block;
  readonly item: unknown;
}

/** A wait that ends with what it was for, with the end of the queue, or with an error. */
export interface Outcome<T> extends Gate {
  /** What came of it; `NOTHING` where the queue is over. Throws what reading the item threw. */
  take(): T | typeof NOTHING;
}

/** What this process has of a queue, whatever number of objects and flows it has there. */
export class LocalQueue {
  readonly local: LocalBlock;
  readonly #getters = new Arrivals();
  readonly #putters = new Arrivals();
  readonly #joiners = new Arrivals();
  #isClosed = false;
  #member: Member | undefined;
  #view: QueueView | undefined;
  #inHand: InHand[] = [];

  private constructor(local: LocalBlock) {
    this.local = local;
  }

  /** The one for a block; all objects of this process that stand for the block share it. */
  static of(local: LocalBlock): LocalQueue {
    local.shared ??= new LocalQueue(local);
    return local.shared as LocalQueue;
  }

  /** The queue as this member sees it; a forked child is another one. */
  get view(): QueueView {
    const member = ownMembership();
    if (this.#view === undefined || this.#member !== member) {
      this.#member = member;
      this.#inHand = [];
      this.#view = new QueueView(this.local.arena, this.local.block, member.owner);
    }
    return this.#view;
  }

  get #word(): number {
    return this.view.word;
  }

  get isJoinable(): boolean {
    return this.view.policy !== 0;
  }

  /** Puts what was packed if there is room; wakes one that waits for it. */
  tryPut(packed: Packed): number {
    const result = this.view.tryPut(packed.message, packed.block, packed.length);
    if (result !== PUT) return result;
    dropPacked(ownMembership(), packed);
    wakeNext(this.local.arena, this.#word + QUEUE.GETTERS);
    return PUT;
  }

  /** Takes the next item, `NOTHING` when there is none; a {@link Loan} of it where it is to be lent. */
  tryTake(isLent: boolean): unknown {
    const { view } = this;
    const item = this.#take(view, isLent);
    if (item !== NOTHING && view.maxItems > 0) wakeNext(this.local.arena, this.#word + QUEUE.PUTTERS);
    return item;
  }

  #take(view: QueueView, isLent: boolean): unknown {
    if (isLent) {
      return view.tryTake((message, block, slot) => {
        if (block === undefined) return new Loan(readItem(message));
        return lendFrom(
          block,
          () => this.view.leaveSpare(slot, block),
          (lending) => decodeFromFamilySync(message, lending),
        );
      }, LENT);
    }
    if (!this.isJoinable) return view.tryTake(readItem);
    return view.tryTake((message, block) => this.#receive(message, block as Block), KEPT);
  }

  /** Puts at once, behind those of this process that wait; `false` where a wait, or an error, is due. */
  putNow(packed: Packed): boolean {
    return this.#putters.isEmpty && this.tryPut(packed) === PUT;
  }

  /** Takes at once, behind those of this process that wait. */
  takeNow(isLent: boolean): unknown {
    return this.#getters.isEmpty ? this.tryTake(isLent) : NOTHING;
  }

  #receive(message: Uint8Array, block: Block): unknown {
    try {
      const item = decodeFromFamilySync(message);
      this.#inHand.push({ block, item });
      return item;
    } catch (error) {
      // Nobody could read it: it would come back for ever.
      this.view.finish(block);
      throw error;
    }
  }

  /** Is done with an item; with the oldest one where none is named. `false` where this process has none, or not that one. */
  finish(item: unknown, isNamed: boolean): boolean {
    const index = isNamed ? this.#inHand.findIndex((one) => Object.is(one.item, item)) : 0;
    const [found] = index === -1 ? [] : this.#inHand.splice(index, 1);
    if (found === undefined) return false;
    this.view.finish(found.block);
    return true;
  }

  /** Waits for an item, or for the end of the queue. */
  newGetter(isLent: boolean): Outcome<unknown> {
    let found: unknown = NOTHING;
    let error: { readonly thrown: unknown } | undefined;
    const look = (): boolean => {
      try {
        found = this.tryTake(isLent);
      } catch (thrown) {
        error = { thrown };
      }
      return found !== NOTHING || error !== undefined;
    };
    return {
      tryPass: () => this.#getters.isEmpty && look(),
      pass: () => this.#isClosed || look() || this.view.isOver(this.#inHand.length),
      arrive: () => this.#arrive(this.#getters, QUEUE.GETTERS),
      leave: () => {
        if (!this.#leave(this.#getters, QUEUE.GETTERS)) return;
        // A wake-up may have been for more than was taken here.
        if (this.view.mayHaveItems) wakeNext(this.local.arena, this.#word + QUEUE.GETTERS);
      },
      take: () => {
        if (error !== undefined) throw error.thrown;
        return found;
      },
    };
  }

  /** Waits for room, and puts what was packed. */
  newPutter(packed: Packed): Outcome<true> {
    let result = FULL;
    const look = (): boolean => {
      result = this.tryPut(packed);
      return result !== FULL;
    };
    let error: { readonly thrown: unknown } | undefined;
    const safely = (): boolean => {
      try {
        return this.#isClosed || look();
      } catch (thrown) {
        error = { thrown };
        return true;
      }
    };
    return {
      tryPass: () => this.#putters.isEmpty && safely(),
      pass: safely,
      arrive: () => this.#arrive(this.#putters, QUEUE.PUTTERS),
      leave: () => {
        if (!this.#leave(this.#putters, QUEUE.PUTTERS)) return;
        if (this.view.count() < this.view.maxItems) wakeNext(this.local.arena, this.#word + QUEUE.PUTTERS);
      },
      take: () => {
        if (error !== undefined) throw error.thrown;
        return result === PUT ? true : NOTHING;
      },
    };
  }

  /** Waits until all items are done; `hasLost` ends it as well. */
  newJoiner(): Outcome<true> {
    const look = (): boolean => this.#isClosed || this.view.countUnfinished() === 0 || this.view.hasLost;
    return {
      tryPass: look,
      pass: look,
      arrive: () => this.#arrive(this.#joiners, QUEUE.JOINERS),
      leave: () => void this.#leave(this.#joiners, QUEUE.JOINERS),
      take: () => (this.#isClosed ? NOTHING : true),
    };
  }

  #arrive(arrivals: Arrivals, set: number): void {
    if (arrivals.add()) joinWaiters(this.local.arena, this.#word + set, this.view.me);
  }

  /** Answers whether the queue is still this process's to look at. */
  #leave(arrivals: Arrivals, set: number): boolean {
    const isLast = arrivals.remove();
    if (this.#isClosed) return false;
    if (isLast) leaveWaiters(this.local.arena, this.#word + set, this.view.me);
    return true;
  }

  /** No item will ever come again, and none can be put. */
  end(): void {
    this.view.end();
  }

  /** Right before the last object of this process is closed: it writes and waits no more. Answers what is to be called after. */
  prepareClose(): () => void {
    const { arena } = this.local;
    const { word, me, block } = this.view;
    for (const { block: item } of this.#inHand.splice(0)) this.view.handBack(item);
    this.#isClosed = true;
    disownLane(arena, block, me);
    for (const set of [QUEUE.GETTERS, QUEUE.PUTTERS, QUEUE.JOINERS]) leaveWaiters(arena, word + set, me);
    const others = [QUEUE.GETTERS, QUEUE.JOINERS].flatMap((set) => waitersOf(arena, word + set));
    ownMembership().parking.expectSoon();
    return () => {
      for (const owner of others) wake(arena, owner);
    };
  }

  stats(): { waitingToGet: number; waitingToPut: number } {
    const { arena } = this.local;
    return {
      waitingToGet: waitersOf(arena, this.#word + QUEUE.GETTERS).length,
      waitingToPut: waitersOf(arena, this.#word + QUEUE.PUTTERS).length,
    };
  }
}

function readItem(message: Uint8Array): unknown {
  return decodeFromFamilySync(message);
}
