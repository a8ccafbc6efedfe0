import { UsageError } from '../base/errors.js';
import { Lock } from './lock.js';
import { RLock } from './rlock.js';

/** The lock that comes with shared data: `true` for an RLock of its own, `false` for none. */
export type LockChoice = boolean | Lock | RLock;

/**
 * The lock that `choice` asks for.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: it is something else.
 */
export function dataLock(choice: LockChoice, doing: string): Lock | RLock | null {
  if (choice === true) return new RLock();
  if (choice === false) return null;
  if (choice instanceof Lock || choice instanceof RLock) return choice;
  throw new UsageError(`${doing} failed: lock must be true, false, a Lock or an RLock.`);
}

/** Passes the lock of shared data through. */
export function checkedDataLock(lock: Lock | RLock | null, what: string): Lock | RLock {
  if (lock !== null) return lock;
  throw new UsageError(
    `Asking the ${what} for its lock failed: it was made with lock: false.`,
    'ERR_FURCA_INVALID_STATE',
  );
}
