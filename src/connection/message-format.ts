import { type DictForm, dumps, loads } from '../pickle/pickle.js';
import { decode, encode } from '../wire/codec.js';
import { badArgument } from './failures.js';

/** What `send` and `recv` make of a value: furca's own bytes, or a pickle for Python. Both hold data alone; nothing in them runs. */
export type MessageFormat = 'furca' | 'pickle';

/** How values become messages and back. */
export interface Codec {
  encode(value: unknown): Uint8Array;
  decode(message: Uint8Array): unknown;
}

/** What the values of a connection look like on their way. */
export interface FormatOptions {
  /** `furca` between programs that use furca, `pickle` with Python at the other end. Default `furca`. */
  readonly format?: MessageFormat | undefined;
  /** With `pickle`: how dicts arrive, as `Map`s or as plain objects, whose keys are strings. Default `map`. */
  readonly dicts?: DictForm | undefined;
}

/**
 * The codec that the options ask for.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function codecOf(doing: string, { format = 'furca', dicts = 'map' }: FormatOptions): Codec {
  if (dicts !== 'map' && dicts !== 'object') throw badArgument(doing, 'dicts', "'map' or 'object'");
  if (format === 'furca') return { encode: (value) => encode(value), decode };
  if (format !== 'pickle') throw badArgument(doing, 'format', "'furca' or 'pickle'");
  return { encode: (value) => dumps(value), decode: (message) => loads(message, { dicts }) };
}
