import type { WorkerLink } from '../crew/worker-link.js';
import { itemCount, type Task } from '../jobs/task.js';

/** Work that a worker may hold in advance, so that it need not wait for the next message. */
const AHEAD_MS = 1;
const MOST_AHEAD = 512;

/** Which worker gets a task. */
export class WorkerChoice {
  readonly #links: ReadonlySet<WorkerLink>;
  readonly #sendsAhead: boolean;
  #lastUsed: WorkerLink | undefined;

  /** @param sendsAhead - A worker may be sent short tasks before it has done the last one. */
  constructor(links: ReadonlySet<WorkerLink>, sendsAhead: boolean) {
    this.#links = links;
    this.#sendsAhead = sendsAhead;
  }

  /** `link` was given a task. */
  used(link: WorkerLink): void {
    this.#lastUsed = link;
  }

  /** `link` is gone. */
  gone(link: WorkerLink): void {
    if (this.#lastUsed === link) this.#lastUsed = undefined;
  }

  get hasIdle(): boolean {
    for (const link of this.#links) if (link.isIdle) return true;
    return false;
  }

  /** The worker that has least to do; of idle ones that which worked last, for it is still warm. */
  for(task: Task): WorkerLink | undefined {
    const limit = this.#sendsAhead ? ahead(task) : 1;
    let best: WorkerLink | undefined;
    if (this.#lastUsed?.isIdle === true) return this.#lastUsed;
    for (const link of this.#links) {
      const load = link.outstanding.size;
      // Behind a task that was recalled for its length nothing is queued anew until it is done.
      if (load > 0 && link.progress.isRecalled) continue;
      if (!link.isReady || load >= limit || load >= (best?.outstanding.size ?? Number.POSITIVE_INFINITY))
        continue;
      best = link;
      if (load === 0) break;
    }
    return best;
  }
}

/** How many messages of the kind of `task` a worker may hold. */
function ahead(task: Task): number {
  const { meanMs } = task.fn;
  if (meanMs === undefined) return 1;
  const messageMs = meanMs * itemCount(task);
  return Math.min(Math.max(1 + Math.floor(AHEAD_MS / Math.max(messageMs, 1e-6)), 1), MOST_AHEAD);
}
