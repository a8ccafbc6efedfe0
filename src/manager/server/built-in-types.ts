import { SharedDict, SharedIterator, SharedList, SharedSet } from '../shared/containers.js';
import { SharedLock, SharedRLock, SharedSemaphore } from '../shared/locks.js';
import { SharedQueue } from '../shared/queue.js';
import { pythonError, type SharedObject } from '../shared/shared-object.js';
import { SharedBarrier, SharedCondition, SharedEvent } from '../shared/signals.js';
import { SharedNamespace, SharedNumbers, SharedValue } from '../shared/values.js';

/** Named arguments of a call. */
export type NamedArguments = Readonly<Record<string, unknown>>;

/** How the server makes objects of one type. */
export interface SharedType {
  make(args: readonly unknown[], named: NamedArguments): unknown;
  /** Names of the methods that may be called. Default: all public ones. */
  readonly exposed?: readonly string[] | undefined;
  /** Methods whose result becomes an object of the server, and of which type. */
  readonly methodToTypeid?: Readonly<Record<string, string>> | undefined;
}

/** The types that every manager has; what CPython's `SyncManager` registers. */
export const BUILT_IN_TYPES: ReadonlyMap<string, SharedType> = new Map<string, SharedType>([
  ['dict', { make: ([entries]) => new SharedDict(entries) }],
  ['list', { make: ([items]) => new SharedList(items) }],
  ['set', { make: ([items]) => new SharedSet(items) }],
  ['Namespace', { make: (_, named) => new SharedNamespace(named) }],
  ['Value', { make: ([typecode, value]) => new SharedValue(typecode, value) }],
  ['Array', { make: ([typecode, items]) => new SharedNumbers(typecode, items) }],
  ['Queue', { make: ([maxItems]) => new SharedQueue(Number(maxItems ?? 0)) }],
  ['JoinableQueue', { make: ([maxItems]) => new SharedQueue(Number(maxItems ?? 0)) }],
  ['Lock', { make: () => new SharedLock() }],
  ['RLock', { make: () => new SharedRLock() }],
  ['Semaphore', { make: ([value]) => new SharedSemaphore(Number(value ?? 1)) }],
  ['BoundedSemaphore', { make: ([value]) => new SharedSemaphore(Number(value ?? 1), Number(value ?? 1)) }],
  ['Condition', { make: ([lock]) => new SharedCondition(lock === undefined ? undefined : lockOf(lock)) }],
  ['Event', { make: () => new SharedEvent() }],
  ['Barrier', { make: ([parties]) => new SharedBarrier(Number(parties)) }],
  ['Iterator', { make: ([iterable]) => new SharedIterator(iterable) }],
]);

function lockOf(lock: unknown): SharedLock | SharedRLock {
  const object: SharedObject | unknown = (lock as { readonly referent?: unknown }).referent;
  if (object instanceof SharedLock || object instanceof SharedRLock) return object;
  throw pythonError('TypeError', 'a condition is made of a lock of the same manager');
}
