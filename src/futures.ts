export { asCompleted, type DoneAndNotDone, type ReturnWhen, wait } from './futures/collect.js';
export { Future, type FutureState } from './futures/future.js';
export { ProcessPoolExecutor, type ProcessPoolExecutorOptions } from './futures/process-pool-executor.js';
