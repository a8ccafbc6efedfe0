import type { LocalBlock } from '../arena/local-handles.js';
import { ownMembership } from '../arena/member.js';
import {
  claimLock,
  lockKeptFor,
  releaseLock,
  stopWaitingForLock,
  takeLockOrMark,
  takeNoteOfDeath,
  tryTakeLock,
} from '../arena/primitives/lock-word.js';
import { joinWaiters } from '../arena/primitives/wait-set.js';
import { me } from '../arena/shared-object.js';
import { Arrivals, type Gate } from '../arena/waiting.js';
import { KeptTurn, PATIENCE_MS } from './kept-turn.js';

/** What this process has of a lock, whatever number of objects and flows it has there. */
export class LocalLock {
  readonly #local: LocalBlock;
  readonly word: number;
  readonly #arrivals = new Arrivals();
  readonly #turn = new KeptTurn();
  /** Pid of the owner before, if it died while it had the lock; of the time this process has it. */
  deadPid = 0;

  private constructor(local: LocalBlock) {
    this.#local = local;
    this.word = local.block.at / 4;
  }

  /** The one for a block; all objects of this process that stand for the block share it. */
  static of(local: LocalBlock): LocalLock {
    local.shared ??= new LocalLock(local);
    return local.shared as LocalLock;
  }

  /** Takes the lock if it is free, past those who wait. */
  tryTake(): boolean {
    const { arena } = this.#local;
    const { word } = this;
    if (this.#note(tryTakeLock(arena, word, me()))) return true;
    return this.#isTurnOver() && this.#note(tryTakeLock(arena, word, me()));
  }

  #isTurnOver(): boolean {
    const { arena } = this.#local;
    return this.#turn.watch(arena, this.word, lockKeptFor(arena, this.word, me()));
  }

  /** Waits in line with the other flows of this process: they are served in the order in which they came. */
  newGate(): Gate {
    const { arena } = this.#local;
    const { word } = this;
    let since = 0;
    const take = (): boolean => this.#note(takeLockOrMark(arena, word, me(), this.#arrivals.areSeveral));
    return {
      tryPass: () => this.#arrivals.isEmpty && this.tryTake(),
      pass: () => {
        if (take()) return true;
        if (this.#isTurnOver() && take()) return true;
        since ||= performance.now();
        if (performance.now() - since < PATIENCE_MS) return false;
        claimLock(arena, word, me());
        // It may have come free before the claim, and nobody else may take it now.
        return take();
      },
      arrive: () => {
        if (this.#arrivals.add()) joinWaiters(arena, word, me());
      },
      leave: () => {
        if (this.#arrivals.remove()) stopWaitingForLock(arena, word, me());
      },
    };
  }

  /** Lets go; `false` when `holder` has not got it. */
  release(holder: number): boolean {
    return releaseLock(this.#local.arena, this.word, holder);
  }

  /** Makes the flows of this process that wait look once more. */
  letOthersLook(): void {
    if (!this.#arrivals.isEmpty) ownMembership().parking.expectSoon();
  }

  #note(isTaken: boolean): boolean {
    if (isTaken) this.deadPid = takeNoteOfDeath(this.#local.arena, this.word);
    return isTaken;
  }
}
