import type { WorkerLink } from '../crew/worker-link.js';
import type { Task } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';

/** How often workers are looked at that hold work which others could do. */
const LOOK_MS = 5;

/** While somebody is idle and the queue is empty, work that waits behind a long task is taken back. */
export class Recall {
  readonly #links: ReadonlySet<WorkerLink>;
  readonly #isQueueEmpty: () => boolean;
  readonly #putBack: (tasks: readonly Task[]) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param putBack - Told of what was taken back, once a look is over. */
  constructor(
    links: ReadonlySet<WorkerLink>,
    isQueueEmpty: () => boolean,
    putBack: (tasks: readonly Task[]) => void,
  ) {
    this.#links = links;
    this.#isQueueEmpty = isQueueEmpty;
    this.#putBack = putBack;
  }

  watch(): void {
    if (this.#timer !== undefined || !this.#couldRecall()) return;
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      if (!this.#couldRecall()) return;
      const taken: Task[] = [];
      for (const link of this.#links) {
        if (link.outstanding.size < 2) continue;
        const place = link.progress.message * 65536 + link.progress.item;
        if (place === link.lastPlace) taken.push(...link.recall());
        link.lastPlace = place;
      }
      this.#putBack(taken);
    }, LOOK_MS);
  }

  #couldRecall(): boolean {
    let idle = 0;
    let laden = 0;
    for (const link of this.#links) {
      if (link.isIdle) idle++;
      else if (link.outstanding.size > 1) laden++;
    }
    return idle > 0 && laden > 0 && this.#isQueueEmpty();
  }
}
