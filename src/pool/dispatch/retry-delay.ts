import type { Task } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';

/** No pause between two attempts is longer. */
const LONGEST_PAUSE_MS = 30_000;

/** Tasks that wait before they are run again: after each attempt twice as long. */
export class RetryDelay {
  readonly #backoffMs: number;
  readonly #putBack: (task: Task) => void;
  readonly #waiting = new Map<Task, NodeJS.Timeout>();

  constructor(backoffMs: number, putBack: (task: Task) => void) {
    this.#backoffMs = backoffMs;
    this.#putBack = putBack;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(task: Task): void {
    if (this.#backoffMs === 0) {
      this.#putBack(task);
      return;
    }
    const pauseMs = Math.min(this.#backoffMs * 2 ** (task.attempts - 1), LONGEST_PAUSE_MS);
    const timer = ownTimer(() => {
      this.#waiting.delete(task);
      this.#putBack(task);
    }, pauseMs);
    this.#waiting.set(task, timer);
  }

  /** Takes out all that wait. */
  take(): Task[] {
    const tasks = [...this.#waiting.keys()];
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    return tasks;
  }
}
