import { decode, encode } from './codec.js';
import { type ErrorRecord, rebuildWith, recordWith } from './error-record.js';

export type { ErrorRecord } from './error-record.js';

/**
 * Describes what was thrown as plain data that `encode` always takes.
 *
 * Kept of an error: the nearest class that the other side knows, `name`, `message`, `stack`, the own properties that
 * can be sent (the names of the others are listed), `cause` and `errors` with all theirs, up to 64 errors. What is no
 * error is kept as it is. Never throws: what cannot be sent at all becomes a `NotSendableError` that says so.
 *
 * @param thrown - Anything.
 *
 * @example
 * rebuildError(recordError(Object.assign(new TypeError('no'), { code: 'E_NO' }))).code; // => 'E_NO'
 */
export function recordError(thrown: unknown): ErrorRecord {
  return recordWith(thrown, encode);
}

/**
 * Makes anew what `recordError` described.
 *
 * Built-in classes and furca's own come back as instances of their class, other errors as the nearest of these with
 * their `name`; what was no error comes back as the same value. Names of properties that could not be sent stand under
 * `Symbol.for('furca:dropped')`.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the record was damaged on its way.
 */
export function rebuildError(record: ErrorRecord): unknown {
  return rebuildWith(record, decode);
}

/**
 * Lets the stack of a rebuilt error go on with the frames of who asked for the work.
 *
 * Does nothing to what has no stack, or is frozen.
 *
 * @param error - What `rebuildError` gave.
 * @param callerStack - The `stack` of an error made where the work was asked for.
 * @param via - What the work went through, such as `Pool.map`.
 */
export function joinStacks(error: unknown, callerStack: string, via: string): void {
  if (typeof error !== 'object' || error === null) return;
  const { stack } = error as { readonly stack?: unknown };
  if (typeof stack !== 'string') return;
  const frames = callerStack.split('\n').filter((line) => /^\s+at /.test(line));
  const value = [stack, `    at ${via} (caller)`, ...frames].join('\n');
  Reflect.defineProperty(error, 'stack', { value, configurable: true, writable: true, enumerable: false });
}
