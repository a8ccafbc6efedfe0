import type { Schedulable, SchedulingPolicy } from './contract.js';

/** First come, first served. What was begun once and begins anew goes first. */
export class Fcfs implements SchedulingPolicy {
  readonly name = 'fcfs';
  readonly #ready = new Set<Schedulable>();

  get size(): number {
    return this.#ready.size;
  }

  add(task: Schedulable): void {
    this.#ready.add(task);
  }

  peek(): Schedulable | undefined {
    for (const task of this.#ready) return task;
    return undefined;
  }

  remove(task: Schedulable): void {
    this.#ready.delete(task);
  }
}
