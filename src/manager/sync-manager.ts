import { BaseManager, keywords, type ManagerOptions } from './base-manager.js';
import {
  ArrayProxy,
  DictProxy,
  ListProxy,
  NamespaceProxy,
  SetProxy,
  ValueProxy,
} from './container-proxies.js';
import type { BaseProxy } from './proxy.js';
import {
  AcquirerProxy,
  BarrierProxy,
  ConditionProxy,
  EventProxy,
  QueueProxy,
  RLockProxy,
} from './sync-proxies.js';

/** Options of {@link SyncManager}. */
export type SyncManagerOptions = ManagerOptions;

/** A manager of the usual types: containers, queues, locks. Each method makes an object in the server; errors as {@link BaseManager.create}. */
export class SyncManager extends BaseManager {
  /** A map; the keys are best strings and numbers. */
  dict<K = unknown, V = unknown>(
    entries: ReadonlyMap<K, V> | Readonly<Record<string, V>> = new Map<K, V>(),
  ): Promise<DictProxy<K, V>> {
    return this.createAs<DictProxy<K, V>>(DictProxy, 'dict', entries);
  }

  list<T = unknown>(items: readonly T[] = []): Promise<ListProxy<T>> {
    return this.createAs<ListProxy<T>>(ListProxy, 'list', items);
  }

  /** A set; in Python from 3.14 on. */
  set<T = unknown>(items: Iterable<T> = []): Promise<SetProxy<T>> {
    return this.createAs<SetProxy<T>>(SetProxy, 'set', [...items]);
  }

  /** An object whose properties are set and got. */
  Namespace<T extends object = Record<string, unknown>>(
    properties: Partial<T> = {},
  ): Promise<NamespaceProxy<T>> {
    return this.createAs<NamespaceProxy<T>>(NamespaceProxy, 'Namespace', keywords({ ...properties }));
  }

  /** @param typecode - Python's, such as `i`; only kept. */
  Value<T = number>(typecode: string, value: T): Promise<ValueProxy<T>> {
    return this.createAs<ValueProxy<T>>(ValueProxy, 'Value', typecode, value);
  }

  /** @param typecode - Python's, such as `i` for 32-bit integers or `d` for doubles. */
  Array<T = number>(typecode: string, items: readonly T[]): Promise<ArrayProxy<T>> {
    return this.createAs<ArrayProxy<T>>(ArrayProxy, 'Array', typecode, items);
  }

  /** @param maxItems - How many items it holds before `put` waits; 0 for any number. Default 0. */
  Queue<T = unknown>(maxItems: number = 0): Promise<QueueProxy<T>> {
    return this.createAs<QueueProxy<T>>(QueueProxy, 'Queue', maxItems);
  }

  JoinableQueue<T = unknown>(maxItems: number = 0): Promise<QueueProxy<T>> {
    return this.createAs<QueueProxy<T>>(QueueProxy, 'JoinableQueue', maxItems);
  }

  Lock(): Promise<AcquirerProxy> {
    return this.createAs(AcquirerProxy, 'Lock');
  }

  RLock(): Promise<RLockProxy> {
    return this.createAs(RLockProxy, 'RLock');
  }

  Semaphore(value: number = 1): Promise<AcquirerProxy> {
    return this.createAs(AcquirerProxy, 'Semaphore', value);
  }

  BoundedSemaphore(value: number = 1): Promise<AcquirerProxy> {
    return this.createAs(AcquirerProxy, 'BoundedSemaphore', value);
  }

  /** @param lock - A lock of the same manager. Default: one of its own, as `RLock`. */
  Condition(lock?: BaseProxy): Promise<ConditionProxy> {
    return this.createAs(ConditionProxy, 'Condition', ...(lock === undefined ? [] : [lock]));
  }

  Event(): Promise<EventProxy> {
    return this.createAs(EventProxy, 'Event');
  }

  Barrier(parties: number): Promise<BarrierProxy> {
    return this.createAs(BarrierProxy, 'Barrier', parties);
  }
}
