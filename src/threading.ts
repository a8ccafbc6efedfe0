/**
 * `furca/threading`: threads, named as in Python's `threading` and `_thread`, and the primitives they share with processes.
 *
 * @packageDocumentation
 */
export type { SyncWaitOptions } from './arena/waiting.js';
export { Barrier, type BarrierOptions, type BarrierStats } from './sync/barrier.js';
export { Condition, type ConditionStats } from './sync/condition.js';
export { Event, type EventStats } from './sync/event.js';
export { Guard } from './sync/guard.js';
export { Lock, type LockStats } from './sync/lock.js';
export { RLock } from './sync/rlock.js';
export { BoundedSemaphore, Semaphore, type SemaphoreOptions, type SemaphoreStats } from './sync/semaphore.js';
export {
  activeThreads,
  startNewThread,
  Thread,
  type ThreadOptions,
  type ThreadStats,
} from './threading/thread.js';
