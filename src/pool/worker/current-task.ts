import { UsageError } from '../../base/errors.js';

/** What a task can learn about itself; see {@link currentTask}. */
export interface CurrentTask {
  /** Number of the pool's call that this task belongs to; the items of a map share it. */
  readonly id: number;
  /** Index of the item within that call; 0 for a single call. */
  readonly index: number;
  /** 1 at the first run, 2 at the first one after a worker was lost, and so on. */
  readonly attempt: number;
  /**
   * The same at every attempt of this task, and of no other task of any pool: what a receiver outside needs to know
   * a repetition by.
   */
  readonly idempotencyKey: string;
  /**
   * Aborted when the task shall stop: its caller's signal, its deadline, its time limit, or the end of its pool. Also seen by a task that never
   * awaits: reading `aborted` or calling `throwIfAborted` looks.
   */
  readonly signal: AbortSignal;
}

/** How the worker answers for the task that it runs now. */
export interface TaskAnswers {
  readonly task: CurrentTask | undefined;
}

let answers: TaskAnswers | undefined;

/** Called once by the program of a worker. */
export function answerForTasks(by: TaskAnswers): void {
  answers = by;
}

/**
 * What the running task is, and whether it shall stop. To be called inside a task, before its first `await` or after.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: no pool's task runs here.
 *
 * @example
 * import { currentTask, Pool } from 'furca';
 * const pool = new Pool(1);
 * await pool.apply(async () => {
 *   const { signal } = (await import('furca')).currentTask();
 *   while (!signal.aborted) await someWork();
 * }, [], { signal: AbortSignal.timeout(1000) });
 */
export function currentTask(): CurrentTask {
  const task = answers?.task;
  if (task !== undefined) return task;
  throw new UsageError(
    'Asking for the current task failed: no task of a pool is running here. Call currentTask() inside a function that a pool runs.',
    'ERR_FURCA_INVALID_STATE',
  );
}
