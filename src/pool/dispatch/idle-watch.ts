import type { Crew } from '../crew/crew.js';
import { ownTimer } from '../own-timer.js';

/** Sends home the workers that have had nothing to do for too long. */
export class IdleWatch {
  readonly #limitMs: number;
  readonly #crew: Crew;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, crew: Crew) {
    this.#limitMs = limitMs;
    this.#crew = crew;
  }

  /** Looks again when somebody may have been idle for long enough. Keeps no program alive. */
  watch(): void {
    if (this.#limitMs === Number.POSITIVE_INFINITY || this.#timer !== undefined) return;
    if (![...this.#crew.links].some((link) => link.isIdle)) return;
    this.#timer = ownTimer(() => {
      this.#timer = undefined;
      const since = performance.now() - this.#limitMs;
      for (const link of this.#crew.links)
        if (link.isIdle && link.idleSince <= since) this.#crew.retire(link);
      this.watch();
    }, this.#limitMs);
  }
}
