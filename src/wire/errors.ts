import { encodeForFamily, Inbox } from './family-message.js';
import { forgetCarried } from './handles.js';

export { registerError } from './error-classes.js';

/** What was thrown, packed. */
export type ErrorRecord = Uint8Array;

/**
 * Packs what was thrown, for a member of the family. Never throws.
 *
 * Kept of an error: its class if that can travel, else the nearest class that the other side knows; `name`, `message`, `stack`, the own
 * properties that can be sent (the names of the others are listed), `cause` and `errors` with all theirs. What is no error is kept as it
 * is; what cannot be sent at all becomes a `NotSendableError` that says so.
 *
 * @example
 * rebuildError(recordError(Object.assign(new TypeError('no'), { code: 'E_NO' }))).code; // => 'E_NO'
 */
export function recordError(thrown: unknown): ErrorRecord {
  try {
    return encodeForFamily(thrown, 'the thrown value');
  } catch (error) {
    return encodeForFamily(error, 'the thrown value');
  }
}

/**
 * Makes anew what `recordError` packed.
 *
 * An error whose class cannot be loaded here comes back as the nearest class that is known, with its `name`. Names of properties that
 * could not be sent stand under `Symbol.for('furca:dropped')`.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the record was damaged on its way.
 */
export function rebuildError(record: ErrorRecord): unknown {
  const { value } = new Inbox().receiveSync(record);
  forgetCarried(record);
  return value;
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
