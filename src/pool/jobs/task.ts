import type { Packed } from '../../wire/family-message.js';
import type { CallPlan } from '../options/call-plan.js';

/** A function as its pool knows it. */
export interface TaskFunction {
  readonly id: number;
  readonly name: string;
  /** The function with what it captured at the call. */
  readonly packed: Packed;
  /** Each item is the list of its arguments. */
  readonly isSpread: boolean;
  /** Mean time of one call in milliseconds, weighted to the recent; `undefined` until one is known. */
  meanMs: number | undefined;
}

/** Notes that `count` calls took `elapsedMs` together. */
export function learnTime(fn: TaskFunction, count: number, elapsedMs: number): void {
  if (count === 0) return;
  const mean = elapsedMs / count;
  fn.meanMs = fn.meanMs === undefined ? mean : fn.meanMs * 0.75 + mean * 0.25;
}

/** Where a task comes from that another process gave to this one: what it tells of itself is what that one knows it by. */
export interface TaskOrigin {
  /** Begins the idempotency keys of its items. */
  readonly key: string;
  /** Index there of the first item here. */
  readonly first: number;
  /** Which attempt there this is, from 1. */
  readonly attempt: number;
}

/** What is to become of the items of a task; a job stands behind every call of the pool's methods. */
export interface Job {
  /** Numbers the calls of all pools of this process. */
  readonly id: number;
  readonly plan: CallPlan;
  readonly origin?: TaskOrigin;
  /** Item `index` of the job returned `value`. */
  resolve(index: number, value: unknown): void;
  /** Items `first` and on of the job returned these values. */
  resolveMany(first: number, values: readonly unknown[]): void;
  /** Item `index` of the job failed. */
  reject(index: number, error: unknown): void;
  /** Values of a stream arrived; `tell` lets the task know how many of all were taken. */
  receive?(values: readonly unknown[], tell: (total: number) => void): void;
  /** The whole job failed, whatever its items do. */
  fail(error: unknown): void;
  /** Called once, when it is over. */
  onOver: (() => void) | undefined;
  /** Some item of it was settled. */
  readonly hasSettled: boolean;
  /** Nobody wants its results any more: what was not sent to a worker is dropped. */
  readonly isOver: boolean;
}

/** How a task is to be called. */
export const ONE_CALL = 0;
export const EACH_ITEM = 1;
export const STREAMED = 2;

export type TaskKind = typeof ONE_CALL | typeof EACH_ITEM | typeof STREAMED;

/** One message's worth of work. */
export interface Task {
  readonly job: Job;
  readonly fn: TaskFunction;
  readonly kind: TaskKind;
  /** Arguments of a single call; otherwise the items of a chunk. */
  readonly input: readonly unknown[];
  /** Index within the job of the first item. */
  readonly first: number;
  /** How often its first unsettled item has been begun by a worker that then died. */
  readonly attempts: number;
  /** Workers that died with it in their hands, before it began. */
  suspicions: number;
  readonly id: number;
  /** Items settled so far, always the first ones. */
  settled: number;
  /** When it was given to the pool, and to a worker. */
  queued: Moment;
  sent: Moment;
}

/**
 * A turn of the event loop, by the clock of performance.now(). All tasks of the turn share it: a number in each would be an object
 * of its own for V8.
 */
export interface Moment {
  readonly ms: number;
}

const NEVER: Moment = Object.freeze({ ms: 0 });

let lastId = 0;
let lastJob = 0;

/** The number of a new job. */
export function nextJobId(): number {
  lastJob++;
  return lastJob;
}

export function makeTask(
  job: Job,
  fn: TaskFunction,
  kind: TaskKind,
  input: readonly unknown[],
  first: number,
  attempts: number = 0,
): Task {
  lastId++;
  return {
    job,
    fn,
    kind,
    input,
    first,
    attempts,
    suspicions: 0,
    id: lastId,
    settled: 0,
    queued: NEVER,
    sent: NEVER,
  };
}

/** Number of items that can settle apart from each other. */
export function itemCount(task: Task): number {
  return task.kind === EACH_ITEM ? task.input.length : 1;
}

/** The part of a chunk from item `from` up to, not including, `to` as a task of its own. */
export function slice(task: Task, from: number, to: number, attempts: number): Task {
  const input = task.kind === EACH_ITEM ? task.input.slice(from, to) : task.input;
  const part = makeTask(task.job, task.fn, task.kind, input, task.first + from, attempts);
  part.queued = task.queued;
  return part;
}
