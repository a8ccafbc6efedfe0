import type { WaitOptions } from '../connection/waiting.js';
import { BaseProxy } from './proxy.js';
import { inTime, isNamed, seconds, timedOut } from './proxy-answers.js';

/**
 * Stands for a queue in a manager's server. `timeoutMs` is the server's to keep: an item is never taken for someone who has given up
 * by it. `signal` only gives up the wait here; a server of Python may still take an item for it.
 */
export class QueueProxy<T = unknown> extends BaseProxy {
  /**
   * Puts an item at the tail; waits while the queue is full.
   *
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`. Others as {@link BaseProxy.call}.
   */
  async put(item: T, { timeoutMs, signal }: WaitOptions = {}): Promise<void> {
    const doing = 'Putting into the queue';
    const call = this.call('put', [item, true, seconds(doing, timeoutMs)], { signal });
    await inTime(doing, timeoutMs, call, 'Full');
  }

  /** Puts an item if there is room now; tells whether there was. */
  async tryPut(item: T): Promise<boolean> {
    try {
      await this.call('put', [item, false]);
      return true;
    } catch (error) {
      if (isNamed(error, 'Full')) return false;
      throw error;
    }
  }

  /**
   * Takes the item at the head; waits while the queue is empty.
   *
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`. Others as {@link BaseProxy.call}.
   */
  async get({ timeoutMs, signal }: WaitOptions = {}): Promise<T> {
    const doing = 'Getting from the queue';
    const call = this.call('get', [true, seconds(doing, timeoutMs)], { signal });
    return (await inTime(doing, timeoutMs, call, 'Empty')) as T;
  }

  /** Takes the item at the head if there is one now, else `undefined`. */
  async tryGet(): Promise<T | undefined> {
    try {
      return (await this.call('get', [false])) as T;
    } catch (error) {
      if (isNamed(error, 'Empty')) return undefined;
      throw error;
    }
  }

  async qsize(): Promise<number> {
    return (await this.call('qsize')) as number;
  }

  async empty(): Promise<boolean> {
    return (await this.call('empty')) as boolean;
  }

  async full(): Promise<boolean> {
    return (await this.call('full')) as boolean;
  }

  /** Says that an item that was got is done with; more often than there were items is a `ValueError`. */
  async taskDone(): Promise<void> {
    await this.call('task_done');
  }

  /** Waits until every item that was put is done with. */
  async join(options: WaitOptions = {}): Promise<void> {
    await this.call('join', [], options);
  }
}

/** Stands for a lock or semaphore in a manager's server. Errors as {@link BaseProxy.call}. */
export class AcquirerProxy extends BaseProxy {
  static override readonly pythonType: string = 'AcquirerProxy';

  /**
   * Waits until it is free and takes it.
   *
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`: not within `timeoutMs`, and it was not taken.
   */
  async acquire({ timeoutMs, signal }: WaitOptions = {}): Promise<void> {
    const timeout = seconds('Acquiring', timeoutMs);
    const args = timeout === null ? [true] : [true, timeout];
    if ((await this.call('acquire', args, { signal })) !== true) throw timedOut('Acquiring', timeoutMs ?? 0);
  }

  /** Takes it if it is free now; tells whether it was. */
  async tryAcquire(): Promise<boolean> {
    return (await this.call('acquire', [false])) as boolean;
  }

  /** Gives it back; a `RuntimeError` (a `ValueError` of a bounded semaphore) where it is not held. */
  async release(): Promise<void> {
    await this.call('release');
  }
}

/**
 * Stands for a lock that its holder can take again. Each proxy is a holder of its own: a second holder in this process needs a second
 * proxy, see `BaseManager.share`.
 */
export class RLockProxy extends AcquirerProxy {
  static override readonly needsOwnLane: boolean = true;
}

/** Stands for a condition and its lock; each proxy is a holder of its own, as {@link RLockProxy}. */
export class ConditionProxy extends RLockProxy {
  static override readonly pythonType: string = 'ConditionProxy';

  /**
   * Gives the lock back, waits for a notification, and takes the lock again; tells whether there was one within `timeoutMs`. A
   * `RuntimeError` where the lock is not held.
   */
  async wait({ timeoutMs, signal }: WaitOptions = {}): Promise<boolean> {
    return (await this.call('wait', [seconds('Waiting', timeoutMs)], { signal })) as boolean;
  }

  /** Wakes up to `count` who wait. A `RuntimeError` where the lock is not held. */
  async notify(count: number = 1): Promise<void> {
    await this.call('notify', [count]);
  }

  async notifyAll(): Promise<void> {
    await this.call('notify_all');
  }
}

/** Stands for an event in a manager's server. Errors as {@link BaseProxy.call}. */
export class EventProxy extends BaseProxy {
  static override readonly pythonType: string = 'EventProxy';

  async isSet(): Promise<boolean> {
    return (await this.call('is_set')) as boolean;
  }

  async set(): Promise<void> {
    await this.call('set');
  }

  async clear(): Promise<void> {
    await this.call('clear');
  }

  /** Waits until it is set; tells whether it was within `timeoutMs`. */
  async wait({ timeoutMs, signal }: WaitOptions = {}): Promise<boolean> {
    return (await this.call('wait', [seconds('Waiting', timeoutMs)], { signal })) as boolean;
  }
}

/** Stands for a barrier in a manager's server. Errors as {@link BaseProxy.call}. */
export class BarrierProxy extends BaseProxy {
  static override readonly pythonType: string = 'BarrierProxy';

  /** Waits for all parties; gives this one's number. A `BrokenBarrierError` where one gives up. */
  async wait({ timeoutMs, signal }: WaitOptions = {}): Promise<number> {
    return (await this.call('wait', [seconds('Waiting', timeoutMs)], { signal })) as number;
  }

  async abort(): Promise<void> {
    await this.call('abort');
  }

  async reset(): Promise<void> {
    await this.call('reset');
  }

  async parties(): Promise<number> {
    return (await this.call('__getattribute__', ['parties'])) as number;
  }

  async waiting(): Promise<number> {
    return (await this.call('__getattribute__', ['n_waiting'])) as number;
  }

  async broken(): Promise<boolean> {
    return (await this.call('__getattribute__', ['broken'])) as boolean;
  }
}
