import { constants } from 'node:os';
import { SystemCallError } from '../base/errors.js';
import { lastErrno, type NativeName } from './library.js';

export const EAGAIN: number = constants.errno.EAGAIN;
export const ECHILD: number = constants.errno.ECHILD;
export const EINTR: number = constants.errno.EINTR;
export const ETIMEDOUT: number = constants.errno.ETIMEDOUT;

const NAMES: ReadonlyMap<number, string> = new Map(
  // Some numbers have two names, of which the first is the usual one: EAGAIN, not EWOULDBLOCK.
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** Symbolic name of an errno, such as `ENOENT`. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** The error for a call that has just failed; `detail` holds facts such as a path or a size. */
export function callFailed(call: NativeName | string, detail = ''): SystemCallError {
  const errno = lastErrno();
  return new SystemCallError(call, errno, errnoName(errno), detail);
}

/** Passes a result through unless it is -1, the way almost every call says that it failed. */
export function checked(call: NativeName | string, result: number, detail = ''): number {
  if (result === -1) throw callFailed(call, detail);
  return result;
}
