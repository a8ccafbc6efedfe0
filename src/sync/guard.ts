import { UsageError } from '../base/errors.js';

/**
 * A lock that was taken, to be given back once: by `release()`, or at the end of the block that began with `using`.
 *
 * @example
 * const lock = new Lock();
 * {
 *   using guard = await lock.guard();
 *   guard.ownerDied; // => false
 * }
 * lock.locked(); // => false
 */
export class Guard implements Disposable {
  /** Whether the owner before this one died while it had the lock: what the lock protects may be half done. */
  readonly ownerDied: boolean;
  /** Process id of that owner; `null` if none died. */
  readonly deadPid: number | null;
  #release: (() => void) | undefined;

  /** @internal */
  constructor(deadPid: number, release: () => void) {
    this.ownerDied = deadPid !== 0;
    this.deadPid = deadPid === 0 ? null : deadPid;
    this.#release = release;
  }

  /**
   * Gives the lock back.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was given back before.
   */
  release(): void {
    const release = this.#release;
    if (release === undefined) {
      throw new UsageError('Releasing a guard failed: it was released before.', 'ERR_FURCA_INVALID_STATE');
    }
    this.#release = undefined;
    release();
  }

  /** Gives the lock back unless that was done. */
  [Symbol.dispose](): void {
    if (this.#release !== undefined) this.release();
  }
}
