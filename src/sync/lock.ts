import { KIND, LOCK } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { lockOwner, viewLock } from '../arena/primitives/lock-word.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { passGate, passGateSync, type SyncWaitOptions } from '../arena/waiting.js';
import { UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import { Guard } from './guard.js';
import { LocalLock } from './lock-gate.js';

/** What a lock is doing, at the moment of the call. */
export interface LockStats {
  /** Process that has it; `null` while it is free. */
  readonly ownerPid: number | null;
  /** Processes and threads that wait for it. */
  readonly waiters: number;
}

/**
 * A lock between processes, threads and async flows, of which one has it at a time.
 *
 * It belongs to a process, not to a flow: any flow may release it, and so may another process (as in Python). When its owner dies, even by
 * SIGKILL, the next one gets it and is told (`guard.ownerDied`). Who has waited for more than 0.3 ms is served before all who
 * come after it, so that nobody starves. It can be sent anywhere in the family: as an argument, in a message, inside of an object.
 *
 * @example
 * const lock = new Lock();
 * await lock.acquire();
 * lock.tryAcquire(); // => false
 * lock.release();
 * await lock.runExclusive(() => 42); // => 42
 */
export class Lock extends SharedObject {
  readonly #local: LocalLock;

  /** Makes a free lock. */
  constructor();
  /** @internal */
  constructor(handle?: Handle);
  constructor(handle: Handle = takeBlock(KIND.LOCK, LOCK.BYTES).handle) {
    super(handle);
    this.#local = LocalLock.of(handle.local);
  }

  /**
   * Takes the lock; resolves once this process has it.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`: somebody else has it all the time.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async acquire(options: WaitOptions = {}): Promise<void> {
    this.open('Acquiring the lock');
    await passGate(this.#local.newGate(), 'Acquiring the lock', options);
  }

  /**
   * Takes the lock if it is free; never waits.
   *
   * @returns Whether this process has it now.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  tryAcquire(): boolean {
    this.open('Acquiring the lock');
    return this.#local.tryTake();
  }

  /** As {@link Lock.acquire}, but blocks this thread; its event loop stands still meanwhile. */
  acquireSync(options: SyncWaitOptions = {}): void {
    this.open('Acquiring the lock');
    passGateSync(this.#local.newGate(), 'Acquiring the lock', options.timeoutMs);
  }

  /**
   * Gives the lock back. Any process may do so, whoever took it.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: nobody has it.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  release(): void {
    const word = this.open('Releasing the lock');
    if (this.#local.release(me())) return;
    const holder = lockOwner(this.arena, word);
    if (holder === 0 || !this.#local.release(holder)) throw notHeld('the lock');
  }

  /** Tells whether anybody has the lock. */
  locked(): boolean {
    return lockOwner(this.arena, this.open('Asking the lock')) !== 0;
  }

  /** As {@link Lock.acquire}; resolves with a guard that gives the lock back, for `using`. */
  async guard(options: WaitOptions = {}): Promise<Guard> {
    await this.acquire(options);
    return new Guard(this.#local.deadPid, () => this.release());
  }

  /** As {@link Lock.acquireSync}; answers a guard that gives the lock back, for `using`. */
  guardSync(options: SyncWaitOptions = {}): Guard {
    this.acquireSync(options);
    return new Guard(this.#local.deadPid, () => this.release());
  }

  /** Runs `section` while this flow has the lock, and answers what it returned; errors as {@link Lock.acquire}. */
  async runExclusive<T>(
    section: (guard: Guard) => T | PromiseLike<T>,
    options: WaitOptions = {},
  ): Promise<T> {
    using guard = await this.guard(options);
    return await section(guard);
  }

  /** Who has the lock, and how many wait. */
  stats(): LockStats {
    return Object.freeze(viewLock(this.arena, this.open('Asking the lock')));
  }

  /**
   * As {@link SharedObject.close}.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this process has the lock, and no other object to release it by.
   */
  override close(): void {
    if (!this.isClosed && this.handle.local.handles.size === 1 && this.isMine()) {
      throw new UsageError(
        'Closing the lock failed: this process has it. Release it first.',
        'ERR_FURCA_INVALID_STATE',
      );
    }
    super.close();
  }

  /** @internal Tells whether this process has it. */
  isMine(): boolean {
    return lockOwner(this.arena, this.open('Asking the lock')) === me();
  }

  /** @internal For a condition: gives the lock back until `acquireWhole`. */
  releaseWhole(): unknown {
    this.release();
    return undefined;
  }

  /** @internal For a condition: takes the lock as it was before. */
  acquireWhole(_before: unknown): Promise<void> {
    return this.acquire();
  }

  /** @internal As `acquireWhole`, blocking. */
  acquireWholeSync(_before: unknown): void {
    this.acquireSync();
  }
}

/** Raised where a lock was to be given back that was not taken. */
export function notHeld(what: string): UsageError {
  return new UsageError(
    `Releasing ${what} failed: it is not held, so that it was released too many times.`,
    'ERR_FURCA_INVALID_STATE',
  );
}

registerHandleKind<Lock>(Lock, {
  id: KIND.LOCK,
  handleOf: openHandleOf,
  revive: (handle) => new Lock(handle),
});
