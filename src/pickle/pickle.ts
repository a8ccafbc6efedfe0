import { NotSendableError, UsageError } from '../base/errors.js';
import { notAPickle } from './failures.js';
import { type FindGlobal, findDataGlobal } from './globals.js';
import type { DictForm } from './machine.js';
import { runPickle } from './reader.js';
import { PickleWriter } from './writer.js';

export type { DictForm } from './machine.js';

/** How a pickle is read. */
export interface LoadOptions {
  /** How dicts arrive: as `Map`s, or as plain objects, which takes keys that are strings. Default `map`. */
  readonly dicts?: DictForm | undefined;
  /** What classes and functions of Python stand for. Default: the built-in containers and exceptions. */
  readonly find?: FindGlobal | undefined;
}

/**
 * Packs `value` as a pickle that every Python from 3.4 on reads.
 *
 * `undefined` and `null` go as None, whole numbers up to 2 ** 53 as int, others and -0 as float, big integers as int, plain objects and
 * maps as dict, arrays as list, sets as set, `Uint8Array` (a `Buffer`, too) and `ArrayBuffer` as bytes, errors as exceptions; see
 * {@link tuple}, {@link frozenset}, {@link float}. Where Python needs something that cannot change, in keys and in sets, arrays go as tuples
 * and sets as frozensets. Shared and cyclic references stay what they are.
 *
 * @param path - What the value is called in an error. Default `value`.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: `path` names the part that Python has nothing for: a function, symbol,
 * class instance, date, typed array of other elements.
 *
 * @example
 * loads(dumps(new Map([['a', [1n, -0, null]]]))); // => new Map([['a', [1, -0, null]]])
 */
export function dumps(value: unknown, path: string = 'value'): Uint8Array {
  return new PickleWriter(path).write(value);
}

/**
 * Reads a pickle of any protocol that holds data. Nothing in it runs: a class or function of Python is taken for data that is on a
 * list, or refused by name.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE` with `stage` `receive`: it is no pickle, is damaged, or holds more than data.
 * {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 *
 * @example
 * loads(Buffer.from('80025d71002858010000006171014b02652e', 'hex')); // => ['a', 2]
 */
export function loads(bytes: Uint8Array, options: LoadOptions = {}): unknown {
  if (!(bytes instanceof Uint8Array)) {
    throw new UsageError('Reading a pickle failed: bytes must be a Uint8Array.');
  }
  try {
    return runPickle(bytes, options.find ?? findDataGlobal, options.dicts ?? 'map');
  } catch (error) {
    if (error instanceof NotSendableError) throw error;
    // Text longer than a string can be, more entries than a Map can have, memory used up.
    throw notAPickle('it holds more than can be held here', error);
  }
}
