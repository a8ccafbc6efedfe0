import { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { checkedTimeout } from '../arena/waiting.js';
import { UsageError } from '../base/errors.js';
import type { Loan, WithCopy, ZeroCopy } from './loan.js';
import { ASKING, addQueueType, GETTING, makeQueue, PUTTING, SimpleQueue } from './simple-queue.js';

/** Options of a queue. */
export interface QueueOptions {
  /** Most items it holds: `put` waits while there are as many. From 1; default no bound. */
  readonly maxItems?: number;
}

/** What a queue is doing, at the moment of the call. */
export interface QueueStats {
  /** Items that are put and not taken. */
  readonly size: number;
  /** Most items it holds; `null` where there is no bound. */
  readonly maxItems: number | null;
  /** Processes that wait for an item. */
  readonly waitingToGet: number;
  /** Processes that wait for room. */
  readonly waitingToPut: number;
  /** Whether nothing can be put any more. */
  readonly hasEnded: boolean;
}

const MAX_ITEMS = 0x7fffffff;

/** Checks the options; answers `maxItems`, 0 for none. */
export function checkedMaxItems(options: QueueOptions): number {
  if (typeof options !== 'object' || options === null) {
    throw new UsageError(
      `Making a queue failed: its options are ${String(options)}. Use an object, as in { maxItems: 10 }.`,
    );
  }
  const { maxItems } = options;
  if (maxItems === undefined || maxItems === Number.POSITIVE_INFINITY) return 0;
  if (Number.isInteger(maxItems) && maxItems >= 1 && maxItems <= MAX_ITEMS) return maxItems;
  throw new UsageError(
    `Making a queue failed: maxItems is ${String(maxItems)}. Use an integer from 1 on, or leave it out for a queue without a bound.`,
  );
}

/**
 * A {@link SimpleQueue} that can have a bound, be put into and emptied by many items at once, and be shut down.
 *
 * @example
 * const queue = new Queue<number>({ maxItems: 2 });
 * await queue.put(1);
 * await queue.put(2);
 * queue.tryPut(3); // => false
 * await queue.get(); // => 1
 * queue.size; // => 1
 */
export class Queue<T> extends SimpleQueue<T> {
  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such bound. */
  constructor(options?: QueueOptions);
  /** @internal */
  constructor(options?: QueueOptions | Handle);
  constructor(options: QueueOptions | Handle = {}) {
    super(options instanceof Handle ? options : makeQueue(checkedMaxItems(options), 0));
  }

  /** Items that are put and not taken. */
  get size(): number {
    this.open(ASKING);
    return this.local.view.count();
  }

  /** Most items it holds; `null` where there is no bound. */
  get maxItems(): number | null {
    this.open(ASKING);
    return this.local.view.maxItems || null;
  }

  /** Whether there is no room now. */
  get isFull(): boolean {
    const { maxItems } = this;
    return maxItems !== null && this.size >= maxItems;
  }

  /**
   * Puts `items` one after the other; resolves once all can be got. Each waits for room, as {@link SimpleQueue.put} does; when it rejects, the ones
   * before the one that failed are queued.
   *
   * @returns How many were put.
   */
  async putMany(items: Iterable<T> | AsyncIterable<T>, options: WaitOptions = {}): Promise<number> {
    const deadline = performance.now() + checkedTimeout(options.timeoutMs, PUTTING);
    if (typeof items !== 'object' || items === null)
      throw new UsageError(`${PUTTING} failed: items is no iterable.`);
    let count = 0;
    const putNext = async (item: T): Promise<void> => {
      await this.put(item, { ...options, timeoutMs: Math.max(deadline - performance.now(), 0) });
    };
    if (Symbol.asyncIterator in items) {
      for await (const item of items) {
        await putNext(item as T);
        count++;
      }
      return count;
    }
    for (const item of items) {
      // Without a promise where there is room.
      if (!this.tryPut(item)) await putNext(item);
      count++;
    }
    return count;
  }

  /**
   * Takes up to `most` items: waits for the first as {@link SimpleQueue.get} does, and for no further one.
   *
   * @param most - From 1. Default all there are.
   * @param options.zeroCopy - As for {@link SimpleQueue.get}. Default `false`.
   */
  getMany(most: number | undefined, options: WaitOptions & ZeroCopy): Promise<Loan<T>[]>;
  getMany(most?: number, options?: WaitOptions & WithCopy): Promise<T[]>;
  async getMany(
    most: number = Number.POSITIVE_INFINITY,
    options: WaitOptions & (ZeroCopy | WithCopy) = {},
  ): Promise<(T | Loan<T>)[]> {
    if (!(most >= 1)) throw new UsageError(`${GETTING} failed: ${most} is no number of items from 1 on.`);
    const isLent = this.isLending(options);
    const items: (T | Loan<T>)[] = [await this.get(options as WaitOptions & ZeroCopy)];
    while (items.length < most) {
      const item = this.takeOne(isLent);
      if (item === undefined) break;
      items.push(item.value);
    }
    return items;
  }

  /**
   * Ends the queue for everybody: nothing can be put any more, also by those who wait for room; what was put can be got, and after it every
   * `get` rejects with `ERR_FURCA_CLOSED` and every iteration ends.
   */
  shutdown(): void {
    this.open(PUTTING);
    this.local.end();
  }

  /** What the queue is doing. */
  stats(): QueueStats {
    const { size, maxItems } = this;
    return Object.freeze({ size, maxItems, hasEnded: this.local.view.hasEnded, ...this.local.stats() });
  }
}

addQueueType(Queue as never);
