import type { Schedulable, SchedulingPolicy } from './contract.js';
import { Heap } from './heap.js';

/** Waiting this long makes a task as urgent as one of a priority higher by one that has just come. */
export const AGING_MS = 1000;

/**
 * The most urgent first, and whoever waits grows more urgent, so that nobody waits for ever.
 *
 * All grow at the same pace. So who is more urgent of two never changes, and a heap with fixed keys does.
 */
export class Priority implements SchedulingPolicy {
  readonly name = 'priority';
  readonly #ready = new Heap<Schedulable>();
  readonly #agingMs: number;

  constructor(agingMs: number = AGING_MS) {
    this.#agingMs = agingMs;
  }

  get size(): number {
    return this.#ready.size;
  }

  add(task: Schedulable): void {
    this.#ready.push(task, task.arrivedAt - task.priority * this.#agingMs);
  }

  peek(): Schedulable | undefined {
    return this.#ready.first;
  }

  remove(task: Schedulable): void {
    this.#ready.remove(task);
  }
}
