import type { TaskSource } from '../dispatch/task-queue.js';
import type { CallPlan } from '../options/call-plan.js';
import { chunkSizeFor } from './jobs.js';
import {
  EACH_ITEM,
  type Job,
  makeTask,
  nextJobId,
  type Task,
  type TaskFunction,
  type TaskOrigin,
} from './task.js';

/** How the items of a list ended: the values in their places, and which of them failed. */
export interface SettledList {
  readonly values: unknown[];
  /** Index and reason of each item that failed; its place among the values is empty. */
  readonly failures: readonly (readonly [index: number, reason: unknown])[];
}

/** As `MapJob`, for who wants to know how every item ended: an item that fails ends nothing but itself. */
export class SettledMapJob implements Job, TaskSource {
  readonly id: number = nextJobId();
  readonly plan: CallPlan;
  readonly promise: Promise<SettledList>;
  readonly origin: TaskOrigin;
  readonly #fn: TaskFunction;
  readonly #items: readonly unknown[];
  readonly #values: unknown[];
  readonly #failures: (readonly [number, unknown])[] = [];
  onOver: (() => void) | undefined = undefined;
  #next = 0;
  #left: number;
  #resolve: (settled: SettledList) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  isOver = false;

  constructor(fn: TaskFunction, items: readonly unknown[], plan: CallPlan, origin: TaskOrigin) {
    this.plan = plan;
    this.origin = origin;
    this.#fn = fn;
    this.#items = items;
    this.#values = new Array(items.length);
    this.#left = items.length;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isDry(): boolean {
    return this.isOver || this.#next >= this.#items.length;
  }

  nextTask(workers: number): Task | undefined {
    if (this.isDry) return undefined;
    const first = this.#next;
    const size = chunkSizeFor(this.#fn, undefined, this.#items.length - first, workers);
    this.#next = Math.min(first + size, this.#items.length);
    return makeTask(this, this.#fn, EACH_ITEM, this.#items.slice(first, this.#next), first);
  }

  get hasSettled(): boolean {
    return this.#left < this.#items.length;
  }

  resolve(index: number, value: unknown): void {
    this.resolveMany(index, [value]);
  }

  resolveMany(first: number, values: readonly unknown[]): void {
    const all = this.#values;
    for (let i = 0; i < values.length; i++) all[first + i] = values[i];
    this.#settle(values.length);
  }

  reject(index: number, error: unknown): void {
    this.#failures.push([index, error]);
    this.#settle(1);
  }

  fail(error: unknown): void {
    this.#end(() => this.#reject(error));
  }

  #settle(count: number): void {
    this.#left -= count;
    if (this.#left > 0) return;
    this.#end(() => this.#resolve({ values: this.#values, failures: this.#failures }));
  }

  #end(settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    settle();
  }
}
