import type { WorkerLink } from '../crew/worker-link.js';
import { itemCount } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';
import type { Receiver } from './receiver.js';

/** How often workers are looked at that may keep results to themselves. */
const LOOK_MS = 20;

/**
 * A worker sends results in batches, and says nothing while it is busy with the item after them. What it has finished can be seen all
 * the same; so that no result waits for an item that it has nothing to do with, somebody looks.
 */
export class LateResults {
  readonly #links: ReadonlySet<WorkerLink>;
  readonly #receiver: Receiver;
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed - Told of looks that found something, once they are over. */
  constructor(links: ReadonlySet<WorkerLink>, receiver: Receiver, changed: () => void) {
    this.#links = links;
    this.#receiver = receiver;
    this.#changed = changed;
  }

  watch(): void {
    if (this.#timer !== undefined || !this.#couldKeep()) return;
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      let isFound = false;
      for (const link of this.#links) if (mayKeep(link) && this.#receiver.receiveKept(link)) isFound = true;
      if (isFound) this.#changed();
      else this.watch();
    }, LOOK_MS);
  }

  #couldKeep(): boolean {
    for (const link of this.#links) if (mayKeep(link)) return true;
    return false;
  }
}

/** It has, or has had, more than the one item that it is at. */
function mayKeep({ outstanding }: WorkerLink): boolean {
  if (outstanding.size !== 1) return outstanding.size > 1;
  const [task] = outstanding.values();
  return task !== undefined && itemCount(task) - task.settled > 1;
}
