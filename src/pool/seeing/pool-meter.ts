import { itemCount, type Moment, type Task } from '../jobs/task.js';
import { type Distribution, Histogram } from './histogram.js';

/** How long tasks took, from the start of the pool; each item of a chunk counts with the time of its chunk. */
export interface PoolTimes {
  /** From being given to the pool to being sent to a worker. */
  readonly waits: Distribution;
  /** From being given to the pool to the result. */
  readonly turnarounds: Distribution;
  /** In the worker, on average per item of each message. */
  readonly runs: Distribution;
}

/** Counts what a pool has done. Its clock stands still within a turn of the event loop: asking the time for each task would cost. */
export class PoolMeter {
  readonly #waits = new Histogram();
  readonly #turnarounds = new Histogram();
  readonly #runs = new Histogram();
  /** Messages of work that were answered. */
  completed = 0;
  /** This turn. */
  now: Moment = { ms: performance.now() };
  /** The moments of the task that was done last: those of one turn share them. */
  #queued: Moment | undefined;
  #sent: Moment | undefined;
  #done: Moment | undefined;

  turn(): void {
    this.now = { ms: performance.now() };
  }

  done(task: Task, ranMs: number): void {
    this.completed++;
    const { queued, sent } = task;
    if (queued === this.#queued && sent === this.#sent && this.now === this.#done) {
      this.#waits.again();
      this.#turnarounds.again();
    } else {
      this.#queued = queued;
      this.#sent = sent;
      this.#done = this.now;
      this.#waits.note(sent.ms - queued.ms);
      this.#turnarounds.note(this.now.ms - queued.ms);
    }
    if (!Number.isNaN(ranMs)) this.#runs.note(ranMs / itemCount(task));
  }

  times(): PoolTimes {
    return {
      waits: this.#waits.snapshot(),
      turnarounds: this.#turnarounds.snapshot(),
      runs: this.#runs.snapshot(),
    };
  }
}
