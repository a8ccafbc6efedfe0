import { FAIL, REQUEUE } from '../arena/lanes/tidy.js';
import { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { passGate, passGateSync } from '../arena/waiting.js';
import { BrokenError, UsageError } from '../base/errors.js';
import { checkedMaxItems, Queue, type QueueOptions, type QueueStats } from './queue.js';
import { ASKING, addQueueType, makeQueue } from './simple-queue.js';

/** Options of a joinable queue. */
export interface JoinableQueueOptions extends QueueOptions {
  /**
   * What becomes of the items that a process had got and not called `taskDone` for when it ends or closes the queue. `requeue`: others get them.
   * `fail`: they are gone, and every `join` rejects. Default `requeue`.
   */
  readonly whenConsumerDies?: 'requeue' | 'fail';
}

/** What a joinable queue is doing, at the moment of the call. */
export interface JoinableQueueStats extends QueueStats {
  /** Items that are put and not done. */
  readonly unfinished: number;
}

const JOINING = 'Joining the queue';

/**
 * A {@link Queue} that knows which items are being worked on: who gets one says `taskDone()` when it is done with it, and `join()` waits until that
 * was said for all. The items of a process that dies over its work come to others.
 *
 * @example
 * const queue = new JoinableQueue<string>();
 * await queue.put('sweep');
 * await queue.get();
 * queue.taskDone();
 * await queue.join();
 * queue.unfinished; // => 0
 */
export class JoinableQueue<T> extends Queue<T> {
  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
  constructor(options?: JoinableQueueOptions);
  /** @internal */
  constructor(options?: JoinableQueueOptions | Handle);
  constructor(options: JoinableQueueOptions | Handle = {}) {
    super(
      options instanceof Handle ? options : (makeQueue(checkedMaxItems(options), policyOf(options)) as never),
    );
  }

  /**
   * Says that this process is done with an item it got.
   *
   * @param item - The very value that `get` answered, where this process works on several at once: should it die, the right ones come back.
   * Default the one it got first.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: called more often than items were got, or for one that was not.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  taskDone(...item: [] | [item: T]): void {
    this.open('Finishing an item');
    if (this.local.finish(item[0], item.length > 0)) return;
    throw new UsageError(
      'Finishing an item failed: taskDone() was called too many times, or for an item that this process did not get.',
      'ERR_FURCA_INVALID_STATE',
    );
  }

  /** Items that are put and not done. */
  get unfinished(): number {
    this.open(ASKING);
    return this.local.view.countUnfinished();
  }

  /**
   * Resolves once all items are done.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: a process died over its work, and the queue was made with `whenConsumerDies: 'fail'`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    this.open(JOINING);
    await passGate(this.local.newJoiner(), JOINING, options);
    this.#checkJoined();
  }

  /** As {@link JoinableQueue.join}, but blocks this thread; its event loop stands still meanwhile. */
  joinSync(options: SyncWaitOptions = {}): void {
    this.open(JOINING);
    passGateSync(this.local.newJoiner(), JOINING, options.timeoutMs);
    this.#checkJoined();
  }

  #checkJoined(): void {
    this.open(JOINING);
    if (!this.local.view.hasLost) return;
    throw new BrokenError(
      `${JOINING} failed: a process died with an item that it was not done with. Make the queue without whenConsumerDies: 'fail' to have others get it.`,
    );
  }

  /** What the queue is doing. */
  override stats(): JoinableQueueStats {
    return Object.freeze({ ...super.stats(), unfinished: this.unfinished });
  }
}

function policyOf({ whenConsumerDies = 'requeue' }: JoinableQueueOptions): number {
  if (whenConsumerDies === 'requeue') return REQUEUE;
  if (whenConsumerDies === 'fail') return FAIL;
  throw new UsageError("Making a queue failed: whenConsumerDies must be 'requeue' or 'fail'.");
}

addQueueType(JoinableQueue as never);
