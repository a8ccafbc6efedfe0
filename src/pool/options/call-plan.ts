import { badOption } from '../failures.js';

/** Options of every call that gives the pool work. */
export interface CallOptions {
  /**
   * Aborting it gives the call up: its promise rejects with the signal's reason at once, what waits is dropped, and what runs is asked to
   * stop through `currentTask().signal`, then by SIGTERM, then killed; see {@link PoolOptions.abortGraceMs}.
   */
  readonly signal?: AbortSignal;
  /** Larger goes first under `schedule: 'priority'`. Default 0. */
  readonly priority?: number;
  /** Longest time an item may wait until it begins, in milliseconds; not for streams, whose input is read as it is needed. Default `Infinity`. */
  readonly queueTimeoutMs?: number;
  /** When all of the call must be over, as a date or in milliseconds since 1970; what still runs is stopped as by `signal`. */
  readonly deadline?: Date | number;
  /** As {@link PoolOptions.taskTimeoutMs}, which is its default, for the items of this call. */
  readonly taskTimeoutMs?: number;
}

/** Options of the calls whose items can be run again. */
export interface RepeatOptions {
  /** As {@link PoolOptions.retries}, which is its default, for the items of this call. */
  readonly retries?: number;
}

/** Options of a task that streams. */
export interface StreamOptions extends CallOptions {
  /** How long the task is expected to take, in any unit, the same for all calls; `schedule: 'sjf'` goes by it. Default: learned. */
  readonly cost?: number;
}

/** Options of a single call. */
export interface ApplyOptions extends StreamOptions, RepeatOptions {}

/** What a pool wants of calls that say nothing about it. */
export interface CallDefaults {
  readonly retries: number;
  readonly taskTimeoutMs: number;
}

/** What a call wants, checked. */
export interface CallPlan extends CallDefaults {
  readonly signal: AbortSignal | undefined;
  readonly priority: number;
  /** Expected cost of an item; `undefined` where it is to be learned. */
  readonly cost: ((item: unknown) => number) | undefined;
  readonly queueTimeoutMs: number;
  /** In milliseconds since 1970. */
  readonly deadlineAt: number;
}

/** The plan of a call without options; all of them share it. */
export function plainPlan({ retries, taskTimeoutMs }: CallDefaults): CallPlan {
  return Object.freeze({
    retries,
    taskTimeoutMs,
    signal: undefined,
    priority: 0,
    cost: undefined,
    queueTimeoutMs: Number.POSITIVE_INFINITY,
    deadlineAt: Number.POSITIVE_INFINITY,
  });
}

type AnyCallOptions = CallOptions & RepeatOptions & { readonly cost?: Cost };

type Cost = number | ((item: never) => number) | undefined;

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function planOf(options: AnyCallOptions | undefined, plain: CallPlan): CallPlan {
  if (options === undefined) return plain;
  if (typeof options !== 'object' || options === null) throw badOption('the options', 'an object');
  const { signal, priority = 0, cost, queueTimeoutMs = Number.POSITIVE_INFINITY, deadline } = options;
  const { retries = plain.retries, taskTimeoutMs = plain.taskTimeoutMs } = options;
  if (
    signal === undefined &&
    priority === 0 &&
    cost === undefined &&
    queueTimeoutMs === Number.POSITIVE_INFINITY &&
    deadline === undefined &&
    retries === plain.retries &&
    taskTimeoutMs === plain.taskTimeoutMs
  )
    return plain;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw badOption('signal', 'an AbortSignal');
  if (typeof priority !== 'number' || Number.isNaN(priority)) throw badOption('priority', 'a number');
  if (typeof queueTimeoutMs !== 'number' || !(queueTimeoutMs > 0))
    throw badOption('queueTimeoutMs', 'above 0');
  return {
    retries: checkedRetries(retries),
    taskTimeoutMs: checkedTaskTimeout(taskTimeoutMs),
    signal,
    priority,
    cost: costOf(cost),
    queueTimeoutMs,
    deadlineAt: instantOf(deadline),
  };
}

export function checkedRetries(retries: number): number {
  if (Number.isInteger(retries) && retries >= 0) return retries;
  throw badOption('retries', 'a whole number, at least 0');
}

export function checkedTaskTimeout(taskTimeoutMs: number): number {
  if (typeof taskTimeoutMs === 'number' && taskTimeoutMs > 0) return taskTimeoutMs;
  throw badOption('taskTimeoutMs', 'above 0');
}

function costOf(cost: Cost): CallPlan['cost'] {
  if (cost === undefined) return undefined;
  if (typeof cost === 'number') {
    checkedCost(cost);
    return () => cost;
  }
  if (typeof cost !== 'function') throw badOption('cost', 'a number or a function');
  return (item) => checkedCost(cost(item as never));
}

function checkedCost(cost: unknown): number {
  if (typeof cost === 'number' && cost >= 0) return cost;
  throw badOption('cost', 'at least 0, or a function that answers such numbers');
}

function instantOf(deadline: Date | number | undefined): number {
  if (deadline === undefined) return Number.POSITIVE_INFINITY;
  const at = Number(deadline);
  if ((deadline instanceof Date || typeof deadline === 'number') && !Number.isNaN(at)) return at;
  throw badOption('deadline', 'a date, or milliseconds since 1970');
}
