import { DROPPED, errorPrototype } from '../error-classes.js';
import { Malformed } from './message-cursor.js';
import type { Reader } from './reader.js';

/** Reads what follows the tag of an error. No constructor but that of a built-in class runs. */
export function readError(reader: Reader): Error {
  const base = reader.readString();
  const name = reader.readString();
  const message = reader.readString();
  const stack = reader.read();
  const error = reader.opened(emptyError(base, name, message));
  hide(error, 'stack', typeof stack === 'string' ? stack : `${name}: ${message}`);
  const type = reader.read();
  if (typeof type === 'function') adopt(error, type as { readonly prototype?: unknown });
  for (let key = reader.read(); key !== null; key = reader.read()) {
    if (typeof key !== 'string') throw new Malformed('it has an error with a property without a name');
    const isEnumerable = reader.read() === true;
    hide(error, key, reader.read(), isEnumerable);
  }
  const dropped = reader.read();
  if (!Array.isArray(dropped)) throw new Malformed('it has an error that is cut off');
  if (nameOf(error) !== name) hide(error, 'name', name);
  if (dropped.length > 0) hide(error, DROPPED, dropped);
  return error;
}

function hide(target: object, key: string | symbol, value: unknown, enumerable: boolean = false): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

function emptyError(base: string, name: string, message: string): Error {
  // Its name and code sit in slots, which only its constructor fills.
  if (base === 'DOMException') return new DOMException(message, name);
  const limit = Error.stackTraceLimit;
  // The stack is replaced at once: collecting it would be most of the cost.
  Error.stackTraceLimit = 0;
  const error = message === '' ? new Error() : new Error(message);
  Error.stackTraceLimit = limit;
  const prototype = errorPrototype(base);
  if (prototype !== undefined && base !== 'Error') Object.setPrototypeOf(error, prototype);
  return error;
}

/** Makes the error one of its own class. */
function adopt(error: Error, { prototype }: { readonly prototype?: unknown }): void {
  if (typeof prototype === 'object' && prototype !== null && prototype instanceof Error)
    Object.setPrototypeOf(error, prototype);
}

/** A class of the user's may have a getter here. */
function nameOf(error: Error): unknown {
  try {
    return error.name;
  } catch {
    return undefined;
  }
}
