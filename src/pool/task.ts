import type { Packed } from '../wire/family-message.js';

/** A function as its pool knows it. */
export interface TaskFunction {
  readonly id: number;
  /** The function with what it captured at the call. */
  readonly packed: Packed;
  /** Mean time of one call in milliseconds, weighted to the recent; `undefined` until one is known. */
  meanMs: number | undefined;
}

/** Notes that `count` calls took `elapsedMs` together. */
export function learnTime(fn: TaskFunction, count: number, elapsedMs: number): void {
  if (count === 0) return;
  const mean = elapsedMs / count;
  fn.meanMs = fn.meanMs === undefined ? mean : fn.meanMs * 0.75 + mean * 0.25;
}

/** What is to become of the items of a task; a job stands behind every call of the pool's methods. */
export interface Job {
  /** Item `index` of the job returned `value`. */
  resolve(index: number, value: unknown): void;
  /** Items `first` and on of the job returned these values. */
  resolveMany(first: number, values: readonly unknown[]): void;
  /** Item `index` of the job failed. */
  reject(index: number, error: unknown): void;
  /** Nobody wants its results any more: what was not sent to a worker is dropped. */
  readonly isOver: boolean;
}

/** One message's worth of work. */
export interface Task {
  readonly job: Job;
  readonly fn: TaskFunction;
  /** Arguments of a single call; otherwise the items of a chunk. */
  readonly isCall: boolean;
  readonly input: readonly unknown[];
  /** Index within the job of the first item. */
  readonly first: number;
  /** How often its first unsettled item has been begun by a worker that then died. */
  readonly attempts: number;
  readonly id: number;
  /** Items settled so far, always the first ones. */
  settled: number;
}

let lastId = 0;

export function makeTask(
  job: Job,
  fn: TaskFunction,
  isCall: boolean,
  input: readonly unknown[],
  first: number,
  attempts: number = 0,
): Task {
  lastId++;
  return { job, fn, isCall, input, first, attempts, id: lastId, settled: 0 };
}

/** Number of items that can settle apart from each other. */
export function itemCount(task: Task): number {
  return task.isCall ? 1 : task.input.length;
}

/** The part of a chunk from item `from` up to, not including, `to` as a task of its own. */
export function slice(task: Task, from: number, to: number, attempts: number): Task {
  const input = task.isCall ? task.input : task.input.slice(from, to);
  return makeTask(task.job, task.fn, task.isCall, input, task.first + from, attempts);
}
