import type { WorkerLink } from '../crew/worker-link.js';
import type { Task } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';
import { stoppedForTime } from './settlement.js';
import type { StoppingLadder } from './stopping-ladder.js';

const NEVER = Number.POSITIVE_INFINITY;

/** Stops items that have run for longer than their call allows. */
export class TimeLimit {
  readonly #links: ReadonlySet<WorkerLink>;
  readonly #ladder: StoppingLadder;
  #timer: NodeJS.Timeout | undefined;
  /** The shortest limit of all tasks that workers have. */
  #shortestMs = NEVER;

  constructor(links: ReadonlySet<WorkerLink>, ladder: StoppingLadder) {
    this.#links = links;
    this.#ladder = ladder;
  }

  /** A worker was given `task`. */
  sent(task: Task): void {
    const limitMs = task.job.plan.taskTimeoutMs;
    if (limitMs >= this.#shortestMs) return;
    this.#shortestMs = limitMs;
    // One that is set looks too rarely.
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Looks now and then while anything runs that has a limit. */
  watch(): void {
    if (this.#shortestMs === NEVER || this.#timer !== undefined) return;
    const pauseMs = Math.min(Math.max(this.#shortestMs / 8, 2), 250);
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      this.#shortestMs = NEVER;
      for (const link of this.#links) {
        for (const { job } of link.outstanding.values())
          this.#shortestMs = Math.min(this.#shortestMs, job.plan.taskTimeoutMs);
        this.#enforce(link);
      }
      this.watch();
    }, pauseMs);
  }

  #enforce(link: WorkerLink): void {
    const { running } = link;
    if (running === undefined || link.stopping !== undefined || link.isFrozen) return;
    const { number, item, task } = running;
    const limitMs = task.job.plan.taskTimeoutMs;
    if (link.progress.runningMs <= limitMs) return;
    // Read once more: had it gone on meanwhile, the time would belong to another item.
    if (link.progress.message !== number || link.progress.item !== item) return;
    this.#ladder.begin(link, stoppedForTime(number, item, limitMs));
  }
}
