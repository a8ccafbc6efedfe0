import { KIND, LOCK } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { lockOwner, viewLock } from '../arena/primitives/lock-word.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { type Gate, passGate, passGateSync, type SyncWaitOptions } from '../arena/waiting.js';
import { UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import {
  carryHold,
  dropHold,
  type Hold,
  latestHold,
  newHold,
  ownLatestHold,
  rememberCarried,
  runCarrying,
  setLatestHold,
  threadHold,
} from './flow-holds.js';
import { Guard } from './guard.js';
import type { LockStats } from './lock.js';
import { LocalLock } from './lock-gate.js';

const ACQUIRING = 'Acquiring the lock';

/**
 * A lock that its owner may take again, and gives back as often. The owner is an async flow: what is done one `await` after the other, and
 * what that starts; taken by a `Sync` form it is the thread.
 *
 * Two flows of one process do not both enter. If a flow that has the lock starts others, each of them may take it once more, one at
 * a time: that one is then the owner until it gives it back. `runExclusive` draws the line sharply: the lock belongs to its section. After
 * `acquire()` JavaScript cannot tell the caller from a function that is started right after it, in the same turn, and takes the lock
 * later: that one may enter. Otherwise as {@link Lock}.
 *
 * @example
 * const lock = new RLock();
 * await lock.acquire();
 * await lock.acquire();
 * lock.release();
 * lock.locked(); // => true
 * lock.release();
 * lock.locked(); // => false
 */
export class RLock extends SharedObject {
  readonly #local: LocalLock;

  /** Makes a free lock. */
  constructor();
  /** @internal */
  constructor(handle?: Handle);
  constructor(handle: Handle = takeBlock(KIND.RLOCK, LOCK.BYTES).handle) {
    super(handle);
    this.#local = LocalLock.of(handle.local);
  }

  /**
   * Takes the lock, once more if this flow has it; resolves once it has.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  acquire(options: WaitOptions = {}): Promise<void> {
    return this.#take(options).then(() => {});
  }

  async #take(options: WaitOptions): Promise<Hold> {
    this.open(ACQUIRING);
    const isCarried = rememberCarried();
    // Still in the caller's synchronous stretch: later its flow could not be reached.
    return this.#arm(carryHold(this.#local, false), isCarried, options);
  }

  async #arm(hold: Hold, isCarried: (hold: Hold) => boolean, options: WaitOptions): Promise<Hold> {
    try {
      await passGate(this.#gate(hold, isCarried), ACQUIRING, options);
      hold.isArmed = true;
      return hold;
    } catch (error) {
      hold.isOver = true;
      throw error;
    }
  }

  /** Passes once the lock is free, or once the latest taking is one that this flow carries. */
  #gate(hold: Hold, isCarried: (hold: Hold) => boolean): Gate {
    const local = this.#local;
    const gate = local.newGate();
    const again = (): boolean => {
      const top = latestHold(local);
      if (top === undefined || !(top.isOfThread || isCarried(top))) return false;
      hold.below = top;
      return true;
    };
    const settle = (isTaken: boolean): boolean => {
      if (isTaken) setLatestHold(local, hold);
      return isTaken;
    };
    return {
      ...gate,
      tryPass: () => settle(again() || gate.tryPass()),
      pass: () => settle(again() || gate.pass()),
    };
  }

  /**
   * Takes the lock if it is free or this flow has it; never waits.
   *
   * @returns Whether this flow has it now.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  tryAcquire(): boolean {
    this.open(ACQUIRING);
    const below = ownLatestHold(this.#local);
    if (below === undefined && !this.#local.tryTake()) return false;
    const hold = carryHold(this.#local, true);
    hold.below = below;
    setLatestHold(this.#local, hold);
    return true;
  }

  /**
   * As {@link RLock.acquire}, but blocks this thread, and belongs to the thread.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: another flow of this thread has it, which cannot go on while the thread is blocked.
   */
  acquireSync(options: SyncWaitOptions = {}): void {
    this.open(ACQUIRING);
    const local = this.#local;
    const hold = threadHold(local);
    hold.below = ownLatestHold(local);
    if (hold.below === undefined) {
      if (latestHold(local) !== undefined) throw wouldNeverEnd();
      passGateSync(local.newGate(), ACQUIRING, options.timeoutMs);
    }
    setLatestHold(local, hold);
  }

  /**
   * Gives the lock back once.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this flow has not got it.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  release(): void {
    this.open('Releasing the lock');
    this.#giveBack(ownLatestHold(this.#local));
  }

  #giveBack(hold: Hold | undefined): void {
    if (hold === undefined || latestHold(this.#local) !== hold) throw notOwner();
    dropHold(hold);
    setLatestHold(this.#local, hold.below);
    if (hold.below === undefined) this.#local.release(me());
    else this.#local.letOthersLook();
  }

  /** Tells whether anybody has the lock. */
  locked(): boolean {
    return lockOwner(this.arena, this.open('Asking the lock')) !== 0;
  }

  /** As {@link RLock.acquire}; resolves with a guard that gives the lock back, for `using`, in whatever flow. */
  guard(options: WaitOptions = {}): Promise<Guard> {
    return this.#take(options).then((hold) => new Guard(this.#local.deadPid, () => this.#giveBack(hold)));
  }

  /** As {@link RLock.acquireSync}; answers a guard that gives the lock back, for `using`. */
  guardSync(options: SyncWaitOptions = {}): Guard {
    this.acquireSync(options);
    const hold = latestHold(this.#local);
    return new Guard(this.#local.deadPid, () => this.#giveBack(hold));
  }

  /**
   * Runs `section` while it has the lock, and answers what it returned; errors as {@link RLock.acquire}. The lock belongs to `section` and
   * what that starts, and to nothing else.
   */
  async runExclusive<T>(
    section: (guard: Guard) => T | PromiseLike<T>,
    options: WaitOptions = {},
  ): Promise<T> {
    this.open(ACQUIRING);
    const hold = await this.#arm(newHold(this.#local), rememberCarried(), options);
    using guard = new Guard(this.#local.deadPid, () => this.#giveBack(hold));
    return await runCarrying(hold, () => section(guard));
  }

  /** Who has the lock, and how many wait. */
  stats(): LockStats {
    return Object.freeze(viewLock(this.arena, this.open('Asking the lock')));
  }

  /** @internal Tells whether the running flow has it. */
  isMine(): boolean {
    this.open('Asking the lock');
    return ownLatestHold(this.#local) !== undefined;
  }

  /** @internal For a condition: gives the lock back, however often it was taken, until `acquireWhole`; the flow carries on what it has. */
  releaseWhole(): unknown {
    const hold = ownLatestHold(this.#local);
    setLatestHold(this.#local, undefined);
    this.#local.release(me());
    return hold;
  }

  /** @internal For a condition: takes the lock as it was taken before. */
  async acquireWhole(before: unknown): Promise<void> {
    await passGate(this.#local.newGate(), ACQUIRING);
    setLatestHold(this.#local, before as Hold);
  }

  /** @internal As `acquireWhole`, blocking. */
  acquireWholeSync(before: unknown): void {
    passGateSync(this.#local.newGate(), ACQUIRING, undefined);
    setLatestHold(this.#local, before as Hold);
  }
}

function notOwner(): UsageError {
  return new UsageError(
    'Releasing the lock failed: this flow has not got it, or has released it too many times.',
    'ERR_FURCA_INVALID_STATE',
  );
}

function wouldNeverEnd(): UsageError {
  return new UsageError(
    'Acquiring the lock failed: another flow of this thread has it, and could not go on to release it. Use acquire().',
    'ERR_FURCA_INVALID_STATE',
  );
}

registerHandleKind<RLock>(RLock, {
  id: KIND.RLOCK,
  handleOf: openHandleOf,
  revive: (handle) => new RLock(handle),
});
