/** A task as a policy sees it. A policy may keep it as a key; what it says changes only where noted. */
export interface Schedulable {
  readonly id: number;
  /** Larger is more urgent. */
  readonly priority: number;
  /**
   * What it is expected to take in all: what the caller's `cost` says, in the caller's unit, else the learned mean of its function, in
   * milliseconds; `undefined` while nothing is known.
   */
  readonly cost: number | undefined;
  /** When it came, in milliseconds of the clock whose times the methods are told. */
  readonly arrivedAt: number;
  /** How long it has run so far, in milliseconds. Grows each time it is stopped. */
  readonly ranMs: number;
}

/** Why a task becomes ready: it is new, it was stopped in the middle, or its worker was lost and it begins anew. */
export type ReadyReason = 'new' | 'preempted' | 'again';

/**
 * Decides which of the ready tasks is next, and whether a running one must make way.
 *
 * A pool calls it in its own event loop; nothing in it may wait or throw. Each pool needs a policy of its own. The simulator
 * behind `furca schedule` drives the same object.
 */
export interface SchedulingPolicy {
  readonly name: string;
  /** `task` is ready to run. */
  add(task: Schedulable, nowMs: number, reason: ReadyReason): void;
  /** The task that is next, which stays; `undefined` when none is ready. */
  peek(nowMs: number): Schedulable | undefined;
  /** `task` runs now, or nobody wants it any more: it is not ready any longer. */
  remove(task: Schedulable, nowMs: number): void;
  /** Number of ready tasks. */
  readonly size: number;
  /** `task` is through, or its worker was lost. */
  finished?(task: Schedulable): void;
  /**
   * Whether `running`, which has run for `runMs` since it was last put on, shall be stopped for the task that `peek` answers.
   * Where it is missing no task is ever stopped.
   */
  shallYield?(running: Schedulable, runMs: number, nowMs: number): boolean;
  /** At how many milliseconds of running, since it was last put on, `shallYield` is to be asked about `running` again. */
  quantumMs?(running: Schedulable): number;
}
