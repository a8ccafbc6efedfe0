import { QUEUE } from '../arena/lanes/lane-layout.js';
import { initQueue, NOTHING } from '../arena/lanes/queue-words.js';
import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import { type Member, ownMembership } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import { openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { checkedTimeout, passGate, passGateSync, type SyncWaitOptions } from '../arena/waiting.js';
import { ClosedError, UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import type { Loan, WithCopy, ZeroCopy } from './loan.js';
import { LocalQueue, type Outcome } from './local-queue.js';
import { dropPacked, type Packed, packValue, type SpareBlocks } from './packing.js';

export const PUTTING = 'Putting into the queue';
export const GETTING = 'Getting from the queue';
export const ASKING = 'Asking the queue';

/** Takes a block for a new queue. */
export function makeQueue(maxItems: number, policy: number): Handle {
  const { arena, block, handle } = takeBlock(KIND.QUEUE, QUEUE.BYTES);
  initQueue(arena, block, maxItems, policy);
  return handle;
}

/**
 * A queue without a bound, between any number of processes and async flows that put and get.
 *
 * An item is there once `put` has resolved, whatever becomes of the process that put it. Items come in the order in which they were put:
 * one whose `put` has resolved comes before all that are put after that, by whomever. Each item goes to one getter. A queue can be sent
 * anywhere in the family: as an argument, in a message, inside of an object, through another queue.
 *
 * **Its end.** `get` rejects with `ERR_FURCA_CLOSED`, and an iteration ends, once all items are taken and none can come any more: after
 * `shutdown()` of a {@link Queue}; or when the queue had been given to others, this process has never put anything, and every other
 * process has closed it, has ended, or waits for an item itself without ever having put one where others had.
 *
 * @example
 * const queue = new SimpleQueue<string>();
 * await queue.put('hello');
 * queue.isEmpty; // => false
 * await queue.get(); // => 'hello'
 */
export class SimpleQueue<T> extends SharedObject implements AsyncDisposable {
  /** @internal */
  protected readonly local: LocalQueue;
  readonly #spare: SpareBlocks = {
    take: (length) => this.local.view.takeSpare(length),
    drop: () => this.local.view.dropSpares(),
  };

  /** Makes an empty queue. */
  constructor();
  /** @internal */
  constructor(handle?: Handle);
  constructor(handle: Handle = makeQueue(0, 0)) {
    super(handle);
    this.local = LocalQueue.of(handle.local);
  }

  /**
   * Puts `item` at the tail of the queue; resolves once every process can get it.
   *
   * `item` is copied: later changes stay here. If this rejects, `item` was not queued.
   *
   * @param item - Any sendable value, see docs/what-can-be-sent.md; queues, locks and the like travel as themselves.
   * @param options.timeoutMs - Longest wait for room in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: `path` names the part of `item` that cannot travel.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`: no room within `timeoutMs`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: closed here, or the queue has ended.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the shared memory is full.
   */
  async put(item: T, options: WaitOptions = {}): Promise<void> {
    this.open(PUTTING);
    checkedTimeout(options.timeoutMs, PUTTING);
    const member = ownMembership();
    const packed = this.#pack(member, item);
    try {
      options.signal?.throwIfAborted();
      if (this.local.putNow(packed)) return;
      const putter = this.local.newPutter(packed);
      await passGate(putter, PUTTING, options);
      this.#settle(putter, PUTTING);
    } finally {
      dropPacked(member, packed);
    }
  }

  /** As {@link SimpleQueue.put}, but never waits: answers whether there was room. */
  tryPut(item: T): boolean {
    this.open(PUTTING);
    const member = ownMembership();
    const packed = this.#pack(member, item);
    try {
      const putter = this.local.newPutter(packed);
      if (!putter.tryPass()) return false;
      this.#settle(putter, PUTTING);
      return true;
    } finally {
      dropPacked(member, packed);
    }
  }

  /** As {@link SimpleQueue.put}, but blocks this thread; its event loop stands still meanwhile. */
  putSync(item: T, options: SyncWaitOptions = {}): void {
    this.open(PUTTING);
    checkedTimeout(options.timeoutMs, PUTTING);
    const member = ownMembership();
    const packed = this.#pack(member, item);
    try {
      if (this.local.putNow(packed)) return;
      const putter = this.local.newPutter(packed);
      passGateSync(putter, PUTTING, options.timeoutMs);
      this.#settle(putter, PUTTING);
    } finally {
      dropPacked(member, packed);
    }
  }

  /**
   * Takes the next item; resolves once there is one.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason; no item is lost.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`: nothing came within `timeoutMs`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: closed here, or the queue is empty and has ended.
   * @param options.zeroCopy - Whether large arrays in it are looked at where they lie: then a {@link Loan} of the item comes. Default `false`.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE` with `stage` `receive`: the item cannot be made anew here; it is gone.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `zeroCopy` from a {@link JoinableQueue}, whose items may have to be given to others.
   */
  get(options: WaitOptions & ZeroCopy): Promise<Loan<T>>;
  get(options?: WaitOptions & WithCopy): Promise<T>;
  async get(options: WaitOptions & (ZeroCopy | WithCopy) = {}): Promise<T | Loan<T>> {
    this.open(GETTING);
    checkedTimeout(options.timeoutMs, GETTING);
    options.signal?.throwIfAborted();
    const isLent = this.isLending(options);
    const item = this.local.takeNow(isLent);
    if (item !== NOTHING) return item as T;
    const getter = this.local.newGetter(isLent);
    await passGate(getter, GETTING, options);
    return this.#settle(getter, GETTING) as T;
  }

  /**
   * As {@link SimpleQueue.get}, but never waits.
   *
   * @returns The item; `undefined` when there is none now.
   */
  tryGet(options: ZeroCopy): Loan<T> | undefined;
  tryGet(options?: WithCopy): T | undefined;
  tryGet(options: ZeroCopy | WithCopy = {}): T | Loan<T> | undefined {
    this.open(GETTING);
    const item = this.local.tryTake(this.isLending(options));
    if (item !== NOTHING) return item as T;
    if (this.local.view.hasEnded) throw hasEnded(GETTING);
    return undefined;
  }

  /** As {@link SimpleQueue.get}, but blocks this thread; its event loop stands still meanwhile. */
  getSync(options: SyncWaitOptions & ZeroCopy): Loan<T>;
  getSync(options?: SyncWaitOptions & WithCopy): T;
  getSync(options: SyncWaitOptions & (ZeroCopy | WithCopy) = {}): T | Loan<T> {
    this.open(GETTING);
    checkedTimeout(options.timeoutMs, GETTING);
    const isLent = this.isLending(options);
    const item = this.local.takeNow(isLent);
    if (item !== NOTHING) return item as T;
    const getter = this.local.newGetter(isLent);
    passGateSync(getter, GETTING, options.timeoutMs);
    return this.#settle(getter, GETTING) as T;
  }

  /** Whether there is no item now. */
  get isEmpty(): boolean {
    this.open(ASKING);
    return this.local.view.count() === 0;
  }

  /** Gets items until the queue has ended, see {@link SimpleQueue}. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.#iterate(false) as AsyncGenerator<T, void, undefined>;
  }

  /**
   * Gets items without copying large arrays until the queue has ended. Each {@link Loan} is to be closed by who gets it.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: from a {@link JoinableQueue}.
   */
  loans(): AsyncGenerator<Loan<T>, void, undefined> {
    this.isLending({ zeroCopy: true });
    return this.#iterate(true) as AsyncGenerator<Loan<T>, void, undefined>;
  }

  async *#iterate(isLent: boolean): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      this.open(GETTING);
      let item = this.local.takeNow(isLent);
      if (item === NOTHING) {
        const getter = this.local.newGetter(isLent);
        await passGate(getter, GETTING);
        item = getter.take();
        if (item === NOTHING) return;
      }
      yield item;
    }
  }

  /** @internal The next item, if there is one; an item may itself be `undefined`. */
  protected takeOne(isLent: boolean): { readonly value: T } | undefined {
    const item = this.local.tryTake(isLent);
    return item === NOTHING ? undefined : { value: item as T };
  }

  /** @internal Whether items are to be lent. */
  protected isLending({ zeroCopy = false }: ZeroCopy | WithCopy): boolean {
    if (typeof zeroCopy !== 'boolean')
      throw new UsageError(`${GETTING} failed: zeroCopy must be true or false, not ${String(zeroCopy)}.`);
    if (zeroCopy && this.local.isJoinable) {
      throw new UsageError(
        `${GETTING} failed: zeroCopy is not for a JoinableQueue, whose items may have to be given to others as they were. Use a Queue.`,
      );
    }
    return zeroCopy;
  }

  #pack(member: Member, item: T): Packed {
    return packValue(member, item, 'item', this.local.isJoinable, this.#spare);
  }

  /** What came of a wait. */
  #settle<R>(outcome: Outcome<R>, doing: string): R {
    const result = outcome.take();
    if (result !== NOTHING) return result;
    this.open(doing);
    throw hasEnded(doing);
  }

  /**
   * Lets go of the queue: this process puts and gets nothing more, waits of its own reject. The items stay, for as long as anybody holds the
   * queue. May be called twice.
   */
  override close(): void {
    if (this.isClosed) return;
    const isLast = this.handle.local.handles.size === 1;
    const tellOthers = isLast ? this.local.prepareClose() : undefined;
    super.close();
    tellOthers?.();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function hasEnded(doing: string): ClosedError {
  return new ClosedError(`${doing} failed: the queue has ended; nobody puts anything into it any more.`);
}

type QueueType = new (handle: Handle) => SimpleQueue<unknown>;

/** What a queue may arrive as: all have the same kind of block. */
const queueTypes: QueueType[] = [SimpleQueue as QueueType];

registerHandleKind<SimpleQueue<unknown>>(SimpleQueue, {
  id: KIND.QUEUE,
  handleOf: openHandleOf,
  // The last one that it is an instance of: subclasses come after what they extend.
  partsOf: (queue) => queueTypes.findLastIndex((type) => queue instanceof type),
  revive: (handle, parts) => new (queueTypes[parts as number] ?? SimpleQueue)(handle),
});

/** Lets queues of `type` arrive as such; called in the same order in every process. */
export function addQueueType(type: QueueType): void {
  queueTypes.push(type);
}
