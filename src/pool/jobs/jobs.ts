import type { TaskSource } from '../dispatch/task-queue.js';
import type { CallPlan } from '../options/call-plan.js';
import type { ProgressMeter } from './progress-meter.js';
import {
  EACH_ITEM,
  type Job,
  type Moment,
  makeTask,
  nextJobId,
  type Task,
  type TaskFunction,
} from './task.js';

/** Running time a chunk shall have: long enough to forget the message, short enough to spread the work. */
const CHUNK_MS = 4;
const LARGEST_CHUNK = 8192;
/** A chunk is at most this much larger than the time of the last one was known for. */
const FIRST_CHUNK = 16;

/** How many items to send together, of `left` that `workers` share. */
export function chunkSizeFor(
  fn: TaskFunction,
  chunkSize: number | undefined,
  left: number,
  workers: number,
): number {
  if (chunkSize !== undefined) return chunkSize;
  // Near the end chunks get smaller, so that all workers end together.
  const share = Math.max(1, Math.ceil(left / (workers * 4)));
  if (fn.meanMs === undefined) return Math.min(FIRST_CHUNK, share);
  return Math.max(1, Math.min(LARGEST_CHUNK, share, Math.floor(CHUNK_MS / Math.max(fn.meanMs, 1e-6))));
}

/** One call: `apply`. */
export class CallJob implements Job {
  readonly id: number = nextJobId();
  readonly plan: CallPlan;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  onOver: (() => void) | undefined = undefined;
  isOver = false;

  constructor(plan: CallPlan, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.plan = plan;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get hasSettled(): boolean {
    return this.isOver;
  }

  resolve(_index: number, value: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    this.#resolve(value);
  }

  resolveMany(_first: number, values: readonly unknown[]): void {
    this.resolve(0, values[0]);
  }

  reject(_index: number, error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    this.#reject(error);
  }

  fail(error: unknown): void {
    this.reject(0, error);
  }
}

/** `map` over items that are all there: results in order, the first error rejects. */
export class MapJob implements Job, TaskSource {
  readonly id: number = nextJobId();
  readonly plan: CallPlan;
  readonly promise: Promise<unknown[]>;
  readonly #fn: TaskFunction;
  readonly #items: readonly unknown[];
  readonly #chunkSize: number | undefined;
  readonly #results: unknown[];
  readonly #progress: ProgressMeter | undefined;
  readonly #started: Moment = { ms: performance.now() };
  onOver: (() => void) | undefined = undefined;
  #next = 0;
  #left: number;
  #resolve: (values: unknown[]) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  isOver = false;

  constructor(
    fn: TaskFunction,
    items: readonly unknown[],
    chunkSize: number | undefined,
    plan: CallPlan,
    progress: ProgressMeter | undefined,
  ) {
    this.#progress = progress;
    this.plan = plan;
    this.#fn = fn;
    this.#items = items;
    this.#chunkSize = chunkSize;
    this.#results = new Array(items.length);
    this.#left = items.length;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (items.length === 0) this.#end(() => this.#resolve([]));
  }

  get isDry(): boolean {
    return this.isOver || this.#next >= this.#items.length;
  }

  nextTask(workers: number): Task | undefined {
    if (this.isDry) return undefined;
    const first = this.#next;
    const size = chunkSizeFor(this.#fn, this.#chunkSize, this.#items.length - first, workers);
    this.#next = Math.min(first + size, this.#items.length);
    const task = makeTask(this, this.#fn, EACH_ITEM, this.#items.slice(first, this.#next), first);
    task.queued = this.#started;
    return task;
  }

  get hasSettled(): boolean {
    return this.#left < this.#items.length;
  }

  resolve(index: number, value: unknown): void {
    this.resolveMany(index, [value]);
  }

  resolveMany(first: number, values: readonly unknown[]): void {
    const results = this.#results;
    for (let i = 0; i < values.length; i++) results[first + i] = values[i];
    this.#left -= values.length;
    this.#progress?.settled(values.length, 0);
    if (this.#left === 0) this.#end(() => this.#resolve(results));
  }

  reject(_index: number, error: unknown): void {
    if (this.isOver) return;
    this.#progress?.settled(1, 1);
    this.#end(() => this.#reject(error));
  }

  fail(error: unknown): void {
    this.reject(0, error);
  }

  #end(settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    this.#progress?.end();
    settle();
  }
}
