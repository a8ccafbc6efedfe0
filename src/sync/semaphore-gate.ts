import type { LocalBlock } from '../arena/local-handles.js';
import {
  passOnPermits,
  permitKeptFor,
  stopWaitingForPermit,
  tryTakePermit,
} from '../arena/primitives/semaphore-words.js';
import { claimNextTurn, joinWaiters } from '../arena/primitives/wait-set.js';
import { me } from '../arena/shared-object.js';
import { Arrivals, type Gate } from '../arena/waiting.js';
import { KeptTurn, PATIENCE_MS } from './kept-turn.js';

/** What this process has of a semaphore, whatever number of objects and flows it has there. */
export class LocalSemaphore {
  readonly #local: LocalBlock;
  readonly #word: number;
  readonly #arrivals = new Arrivals();
  readonly #turn = new KeptTurn();

  private constructor(local: LocalBlock) {
    this.#local = local;
    this.#word = local.block.at / 4;
  }

  /** The one for a block; all objects of this process that stand for the block share it. */
  static of(local: LocalBlock): LocalSemaphore {
    local.shared ??= new LocalSemaphore(local);
    return local.shared as LocalSemaphore;
  }

  /** Takes a permit if one is free, past those who wait. */
  tryTake(): boolean {
    const { arena } = this.#local;
    const word = this.#word;
    if (tryTakePermit(arena, word, me())) return true;
    const isTurnOver = this.#turn.watch(arena, word, permitKeptFor(arena, word, me()));
    return isTurnOver && tryTakePermit(arena, word, me());
  }

  /** Waits in line with the other flows of this process. */
  newGate(): Gate {
    const { arena } = this.#local;
    const word = this.#word;
    let since = 0;
    return {
      tryPass: () => this.#arrivals.isEmpty && this.tryTake(),
      pass: () => {
        if (this.tryTake()) return true;
        since ||= performance.now();
        if (performance.now() - since < PATIENCE_MS) return false;
        claimNextTurn(arena, word, me());
        // It may have come free before the claim, and nobody else may take it now.
        return tryTakePermit(arena, word, me());
      },
      arrive: () => {
        if (this.#arrivals.add()) joinWaiters(arena, word, me());
      },
      leave: () => {
        if (this.#arrivals.remove()) stopWaitingForPermit(arena, word, me());
        else passOnPermits(arena, word);
      },
    };
  }
}
