/** A running pool of two workers, whichever library it is from. */
export interface BenchPool {
  /** Runs the no-op task once. */
  readonly call: (x: number) => PromiseLike<number>;
  readonly end: () => Promise<void>;
}

/** Workers of every pool in these benches. */
export const WORKERS = 2;

/** Module and export that every pool is asked to run. */
export const TASKS_URL: URL = new URL('../../tasks.js', import.meta.url);
export const TASK_NAME = 'noop';
