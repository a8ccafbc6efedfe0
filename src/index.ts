export {
  BrokenError,
  ClosedError,
  FurcaError,
  type FurcaErrorCode,
  InternalError,
  LimitError,
  type LossReason,
  NotSendableError,
  StartError,
  SystemCallError,
  TerminatedError,
  TimeoutError,
  UsageError,
  type WorkerLoss,
  WorkerLostError,
} from './base/errors.js';
export { AsyncResult, type CallbackOptions } from './pool/async-result.js';
export type { ApplyOptions, CallOptions } from './pool/call-plan.js';
export { type Context, getContext } from './pool/context.js';
export { type CurrentTask, currentTask } from './pool/current-task.js';
export type { Distribution } from './pool/histogram.js';
export type { Inputs } from './pool/inputs.js';
export {
  type ApplyAsyncOptions,
  type ImapOptions,
  type ImapSettledOptions,
  type MapAsyncOptions,
  type MapOptions,
  Pool,
  type PoolEvents,
  type Streaming,
} from './pool/pool.js';
export type { PoolTimes } from './pool/pool-meter.js';
export type { PoolOptions } from './pool/pool-options.js';
export type { PoolStats, TaskView } from './pool/pool-stats.js';
export { ProgressFeed, type ProgressOption, type ProgressSnapshot } from './pool/progress-meter.js';
export type { ReadyReason, Schedulable, SchedulingPolicy } from './pool/schedule/contract.js';
export { Mlfq, type MlfqOptions } from './pool/schedule/mlfq.js';
export type { PolicyName } from './pool/schedule/policies.js';
export { Priority } from './pool/schedule/priority.js';
export { Sjf } from './pool/schedule/sjf.js';
export type { SettledItem } from './pool/stream-job.js';
export { cpuCount } from './process/cpu-count.js';
export { isMain, setForkserverPreload } from './process/main-module.js';
export { getAllStartMethods, getStartMethod, setStartMethod } from './process/methods.js';
export { type ParentProcess, parentProcess } from './process/parent.js';
export { type AnyProcess, activeChildren, currentProcess, Process } from './process/process.js';
export type { ProcessOptions, ProcessSettings, StdioChoice } from './process/process-options.js';
export type { StartMethod } from './process/start-request.js';
export { functionIn } from './wire/functions.js';
