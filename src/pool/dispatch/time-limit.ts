import type { WorkerLink } from '../crew/worker-link.js';
import { ownTimer } from '../own-timer.js';
import { stoppedForTime } from './settlement.js';
import type { StoppingLadder } from './stopping-ladder.js';

/** Stops items that have run for longer than `taskTimeoutMs`. */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #links: ReadonlySet<WorkerLink>;
  readonly #ladder: StoppingLadder;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, links: ReadonlySet<WorkerLink>, ladder: StoppingLadder) {
    this.#limitMs = limitMs;
    this.#links = links;
    this.#ladder = ladder;
  }

  /** Looks now and then while anything runs. */
  watch(): void {
    if (this.#limitMs === Number.POSITIVE_INFINITY || this.#timer !== undefined) return;
    if (![...this.#links].some((link) => link.outstanding.size > 0)) return;
    const pauseMs = Math.min(Math.max(this.#limitMs / 8, 2), 250);
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      for (const link of this.#links) this.#enforce(link);
      this.watch();
    }, pauseMs);
  }

  #enforce(link: WorkerLink): void {
    const { running } = link;
    if (running === undefined || link.stopping !== undefined || link.isFrozen) return;
    if (link.progress.runningMs <= this.#limitMs) return;
    const { number, item } = running;
    // Read once more: had it gone on meanwhile, the time would belong to another item.
    if (link.progress.message !== number || link.progress.item !== item) return;
    this.#ladder.begin(link, stoppedForTime(number, item, this.#limitMs, link.body?.pid ?? 0));
  }
}
