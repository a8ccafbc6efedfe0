export { asCompleted, type DoneAndNotDone, type ReturnWhen, wait } from './futures/collect.js';
export { Future, type FutureState } from './futures/future.js';
export type { ExecutorMapOptions, ExecutorOptions, PoolExecutor } from './futures/pool-executor.js';
export { ProcessPoolExecutor, type ProcessPoolExecutorOptions } from './futures/process-pool-executor.js';
export { ThreadPoolExecutor, type ThreadPoolExecutorOptions } from './futures/thread-pool-executor.js';
