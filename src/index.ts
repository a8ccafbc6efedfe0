export type { SyncWaitOptions } from './arena/waiting.js';
export {
  AuthenticationError,
  BrokenBarrierError,
  BrokenError,
  BufferTooShortError,
  ClosedError,
  FurcaError,
  type FurcaErrorCode,
  InternalError,
  LimitError,
  type LossReason,
  NotSendableError,
  RemoteError,
  StartError,
  SystemCallError,
  TerminatedError,
  TimeoutError,
  UsageError,
  type WorkerLoss,
  WorkerLostError,
} from './base/errors.js';
export {
  JoinableQueue,
  type JoinableQueueOptions,
  type JoinableQueueStats,
} from './channel/joinable-queue.js';
export { Loan, type WithCopy, type ZeroCopy } from './channel/loan.js';
export { Pipe, type PipeOptions } from './channel/pipe.js';
export type { BytesLimit, BytesOffset, BytesPart, Copying } from './channel/pipe-checks.js';
export { PipeConnection } from './channel/pipe-connection.js';
export { Queue, type QueueOptions, type QueueStats } from './channel/queue.js';
export { SimpleQueue } from './channel/simple-queue.js';
export * as debug from './debug.js';
export { Manager } from './manager/manager.js';
export { type Context, getContext } from './pool/context.js';
export { AsyncResult, type CallbackOptions } from './pool/jobs/async-result.js';
export { ProgressFeed, type ProgressOption, type ProgressSnapshot } from './pool/jobs/progress-meter.js';
export type { SettledItem } from './pool/jobs/stream-job.js';
export type { ApplyOptions, CallOptions, RepeatOptions, StreamOptions } from './pool/options/call-plan.js';
export type { Inputs } from './pool/options/inputs.js';
export type {
  ApplyAsyncOptions,
  ImapOptions,
  ImapSettledOptions,
  MapAsyncOptions,
  MapOptions,
  Streaming,
} from './pool/options/method-options.js';
export type { PoolOptions } from './pool/options/pool-options.js';
export { Pool, type PoolEvents } from './pool/pool.js';
export type { ReadyReason, Schedulable, SchedulingPolicy } from './pool/schedule/contract.js';
export { Mlfq, type MlfqOptions } from './pool/schedule/mlfq.js';
export type { PolicyName } from './pool/schedule/policies.js';
export { Priority } from './pool/schedule/priority.js';
export { Sjf } from './pool/schedule/sjf.js';
export type { Distribution } from './pool/seeing/histogram.js';
export type { PoolTimes } from './pool/seeing/pool-meter.js';
export type { PoolStats, TaskView } from './pool/seeing/pool-stats.js';
export { ThreadPool, type ThreadPoolOptions } from './pool/thread-pool.js';
export { type CurrentTask, currentTask } from './pool/worker/current-task.js';
export { cpuCount } from './process/cpu-count.js';
export { isMain, setForkserverPreload } from './process/main-module.js';
export { getAllStartMethods, getStartMethod, setStartMethod } from './process/methods.js';
export { type ParentProcess, parentProcess } from './process/parent.js';
export { type AnyProcess, activeChildren, currentProcess, Process } from './process/process.js';
export type { ProcessOptions, ProcessSettings, StdioChoice } from './process/process-options.js';
export type { StartMethod } from './process/start-request.js';
export { Barrier, type BarrierOptions, type BarrierStats } from './sync/barrier.js';
export { Condition, type ConditionStats } from './sync/condition.js';
export type { LockChoice } from './sync/data-lock.js';
export { Event, type EventStats } from './sync/event.js';
export { Guard } from './sync/guard.js';
export type { ShareableItem } from './sync/list-items.js';
export { Lock, type LockStats } from './sync/lock.js';
export type { ArrayOf, Element, NumberType, NumberTypes, Summand } from './sync/number-types.js';
export { RLock } from './sync/rlock.js';
export { BoundedSemaphore, Semaphore, type SemaphoreOptions, type SemaphoreStats } from './sync/semaphore.js';
export {
  ShareableList,
  type ShareableListLayout,
  type ShareableListOptions,
  type ShareableListStats,
} from './sync/shareable-list.js';
export { SharedArray, type SharedArrayOptions, type SharedArrayStats } from './sync/shared-array.js';
export {
  SharedMemory,
  type SharedMemoryNamespace,
  type SharedMemoryOptions,
  type SharedMemoryStats,
} from './sync/shared-memory.js';
export { Value, type ValueOptions, type ValueStats } from './sync/value.js';
export type { Wait, WaitGraph, WaitingMember } from './sync/wait-graph.js';
export { registerError } from './wire/errors.js';
export { functionIn } from './wire/functions.js';
