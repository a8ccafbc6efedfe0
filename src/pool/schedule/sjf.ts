import type { Schedulable, SchedulingPolicy } from './contract.js';
import { Heap } from './heap.js';

/**
 * Shortest job first, by expected cost; the best there is for the mean turnaround as long as all tasks are there from the start, and no
 * task is stopped. A task of which nothing is known counts as short, so that something becomes known.
 */
export class Sjf implements SchedulingPolicy {
  readonly name = 'sjf';
  readonly #ready = new Heap<Schedulable>();

  get size(): number {
    return this.#ready.size;
  }

  add(task: Schedulable): void {
    this.#ready.push(task, task.cost ?? 0);
  }

  peek(): Schedulable | undefined {
    return this.#ready.first;
  }

  remove(task: Schedulable): void {
    this.#ready.remove(task);
  }
}
