import type { Arena } from '../arena/arena.js';
import { ownMembership } from '../arena/member.js';
import { endTurn } from '../arena/primitives/wait-set.js';
import type { OwnerId } from '../arena/slots.js';

/** A flow that has waited for this long is served before all who come after it. */
export const PATIENCE_MS = 0.3;
/**
 * What is free is kept for no longer than this for one that does not come for it: it may be stopped. Long enough for one that only waits for
 * a CPU; should it come later, it has lost nothing but its turn.
 */
const TERM_MS = 20;

/**
 * What one process sees of a thing that is free and kept for one that has waited too long. Each process judges by its own clock: to end a turn
 * too early breaks nothing, somebody is served out of turn.
 */
export class KeptTurn {
  #keptFor: OwnerId = 0;
  #since = 0;
  #nextLook: NodeJS.Timeout | undefined;

  /**
   * Notes that something free is kept for `hungry`, 0 if it is not, and ends that turn when its term is over.
   *
   * @returns Whether it pays to look once more: the turn is over.
   */
  watch(arena: Arena, word: number, hungry: OwnerId): boolean {
    if (hungry === 0 || hungry !== this.#keptFor) {
      this.#keptFor = hungry;
      if (hungry === 0) return false;
      this.#since = performance.now();
    }
    if (performance.now() - this.#since >= TERM_MS) {
      this.#keptFor = 0;
      endTurn(arena, word, hungry);
      return true;
    }
    // Nobody wakes the others when the one that is kept for does not come: an event loop looks by itself, a blocked thread does anyway.
    this.#nextLook ??= setTimeout(() => {
      this.#nextLook = undefined;
      ownMembership().parking.expectSoon();
    }, TERM_MS).unref();
    return false;
  }
}
