import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ResourceLimits } from 'node:worker_threads';
import type { StartMethod } from '../../process/start-request.js';
import type { ProgressOption } from '../jobs/progress-meter.js';
import type { SchedulingPolicy } from '../schedule/contract.js';
import type { PolicyName } from '../schedule/policies.js';

/** Options of {@link Pool}. */
export interface PoolOptions {
  /** Name for people; workers are called `<name>Worker-N`. Default `Pool`. */
  readonly name?: string;
  /** How to start the workers. Default {@link getStartMethod}. */
  readonly startMethod?: StartMethod;
  /** Called in each worker before its first task. If it throws, all tasks of the pool reject with what it threw, now and later. */
  readonly initializer?: (...args: never) => unknown;
  /** Arguments of `initializer`. Default `[]`. */
  readonly initArgs?: readonly unknown[];
  /** Items a worker is given before a fresh one takes its place, at least 1. Default `Infinity`. */
  readonly maxTasksPerChild?: number;
  /** A worker that had nothing to do for so long, in milliseconds, ends; another is started when there is work for it. Default `Infinity`. */
  readonly idleTimeoutMs?: number;
  /** How often an item is run again after the worker that ran it was lost. Default 0: then no item is ever begun twice. */
  readonly retries?: number;
  /** Pause before the first such repetition, in milliseconds; each further one is twice as long, at most 30 s. Default 0. */
  readonly backoffMs?: number;
  /** An item that has cost so many workers is set aside whatever `retries` says, with `ERR_FURCA_POISONED`. Default `Infinity`. */
  readonly poisonAfter?: number;
  /** Longest time one item may run, in milliseconds, from the start of its run; it is then stopped. Default `Infinity`. */
  readonly taskTimeoutMs?: number;
  /** Time a task that looks at `currentTask().signal` has to stop by itself, in milliseconds, before SIGTERM. Default 1000. */
  readonly abortGraceMs?: number;
  /** Time from SIGTERM to SIGKILL, in milliseconds, for the worker and the processes it has started. Default 500. */
  readonly killGraceMs?: number;
  /** Which task is next; a policy of one's own follows {@link SchedulingPolicy}. Default `'fcfs'`. See docs/scheduling.md. */
  readonly schedule?: PolicyName | SchedulingPolicy;
  /** Workers that may be stopped in the middle of a task at a time, where the policy does so. Default twice the number of workers. */
  readonly maxStopped?: number;
  /** A worker whose resident memory is larger after a task is replaced, in bytes. Default `Infinity`. */
  readonly maxMemoryPerChildBytes?: number;
  /**
   * While the workers' own memory together is larger, in bytes, no task is begun unless none runs; `'cgroup'` takes nine tenths of what
   * the control group of this process, or the machine, allows. Default `Infinity`.
   */
  readonly memoryBudgetBytes?: number | 'cgroup';
  /**
   * Limits of V8's heap and stack in the workers and in what these start. They select a zygote that was started with them, since a process has the
   * limits of the one it was forked from; so they do not go with the start method `fork`.
   */
  readonly resourceLimits?: Pick<
    ResourceLimits,
    'maxOldGenerationSizeMb' | 'maxYoungGenerationSizeMb' | 'stackSizeMb'
  >;
  /**
   * Storages whose stores at a call are seen by its tasks, too: a request's id, say, that a logger reads. What they hold must be
   * sendable; it is copied. Default none. See docs/what-can-be-sent.md.
   */
  readonly carry?: readonly AsyncLocalStorage<unknown>[];
  /** `'tee'` reads the workers' stderr, hands it on, and keeps its end for errors; `'inherit'` leaves it alone. Default `'tee'`. */
  readonly stderr?: 'tee' | 'inherit';
  /** Path of a file to write what happened to, in Chrome's trace-event format, once the pool ends. Perfetto opens it. */
  readonly trace?: string;
}

/** Options of the calls that work on many items. */
export interface ItemOptions<Item = unknown> {
  /** Items that travel together, at least 1. Default: by the measured time of the items. */
  readonly chunkSize?: number;
  /** How long an item is expected to take, in any unit, the same for all calls; `schedule: 'sjf'` goes by it. Default: learned. */
  readonly cost?: number | ((item: Item) => number);
  /** Shows how far the work has come: `true` a bar on stderr, else see {@link ProgressOption}. */
  readonly progress?: ProgressOption;
}
