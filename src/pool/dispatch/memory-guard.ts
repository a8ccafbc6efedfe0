import { ownMemoryOf } from '../../kernel/process-tree.js';
import type { Crew } from '../crew/crew.js';
import type { WorkerLink } from '../crew/worker-link.js';
import { ownTimer } from '../own-timer.js';

/** How often the memory of all workers is added up, where a budget is set. */
const LOOK_MS = 200;

/** What memory the pool may use. */
export interface MemorySettings {
  readonly maxMemoryPerChildBytes: number;
  readonly memoryBudgetBytes: number;
}

/**
 * Keeps the memory of the workers within bounds.
 *
 * A worker that is larger than allowed after a task gets no further one, and another takes its place. While all together are beyond
 * the pool's budget no task is begun, except when nothing runs, and the largest idle worker is replaced by a fresh one.
 */
export class MemoryGuard {
  readonly #settings: MemorySettings;
  readonly #crew: Crew;
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  /** Memory of all workers at the last look, in bytes. */
  usedBytes = 0;

  constructor(settings: MemorySettings, crew: Crew, changed: () => void) {
    this.#settings = settings;
    this.#crew = crew;
    this.#changed = changed;
  }

  /** No task may begin now. */
  get isHolding(): boolean {
    return this.#isOver && this.#isAnythingRunning();
  }

  /** Looks at what `link` said of itself with its last results. */
  weigh(link: WorkerLink): void {
    if (this.#settings.maxMemoryPerChildBytes === Number.POSITIVE_INFINITY || link.isRetiring) return;
    if (link.progress.memoryBytes > this.#settings.maxMemoryPerChildBytes) this.#crew.retire(link);
  }

  watch(): void {
    if (this.#settings.memoryBudgetBytes === Number.POSITIVE_INFINITY || this.#timer !== undefined) return;
    if (!this.#isOver && !this.#isAnythingRunning()) return;
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      this.#addUp();
      this.#changed();
      this.watch();
    }, LOOK_MS);
  }

  #addUp(): void {
    let largest: { link: WorkerLink; bytes: number } | undefined;
    this.usedBytes = 0;
    for (const link of this.#crew.links) {
      const bytes = ownMemoryOf(link.body?.pid ?? 0);
      this.usedBytes += bytes;
      if (link.isIdle && bytes > (largest?.bytes ?? 0)) largest = { link, bytes };
    }
    this.#isOver = this.usedBytes > this.#settings.memoryBudgetBytes;
    if (this.#isOver && largest !== undefined) this.#crew.retire(largest.link);
  }

  #isAnythingRunning(): boolean {
    for (const link of this.#crew.links) if (link.outstanding.size > 0) return true;
    return false;
  }
}
