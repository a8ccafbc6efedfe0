import { decode, encode } from '../wire/codec.js';
import { badArgument } from './failures.js';
import { pickleDialect } from './pickle-dialect.js';
import { type ProxyRecord, type Reply, type Request, type Revive, replyOf } from './protocol.js';

/** How requests and replies become bytes, named as Python's `serializer`. */
export type Serializer = 'furca' | 'pickle';

/** The two ends' common language. Nothing that is read runs. */
export interface Dialect {
  encodeRequest(request: Request): Uint8Array;
  decodeReply(message: Uint8Array, revive: Revive): Reply | undefined;
}

/** The only property of a proxy, so that it travels as a plain object that holds nothing else. */
export const PROXY_KEY = 'furca:proxy';

/**
 * The dialect of a serializer.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function dialectOf(doing: string, serializer: Serializer): Dialect {
  if (serializer === 'pickle') return pickleDialect;
  if (serializer === 'furca') return furcaDialect;
  throw badArgument(doing, 'serializer', "'furca' or 'pickle'");
}

const furcaDialect: Dialect = {
  encodeRequest: ({ ident, method, args, keywords, client = null }) =>
    encode([ident, method, args, keywords, client], 'request'),
  decodeReply: (message, revive) => replyOf(decodeReviving(message, revive)),
};

/** Reads a message, and makes of each record of a proxy in it what `revive` says. */
export function decodeReviving(message: Uint8Array, revive: Revive): unknown {
  const value = decode(message);
  // Most messages have none, and then nothing needs to be looked through.
  const mayHold = Buffer.from(message.buffer, message.byteOffset, message.byteLength).includes(PROXY_KEY);
  return mayHold ? revived(value, revive, new Map()) : value;
}

/** Replaces records of proxies in place; what has none stays the very object. */
function revived(value: unknown, revive: Revive, seen: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const record = (value as { readonly [PROXY_KEY]?: ProxyRecord })[PROXY_KEY];
    if (record !== undefined) {
      const proxy = revive(record);
      seen.set(value, proxy);
      return proxy;
    }
  }
  seen.set(value, value);
  reviveParts(value, (part) => revived(part, revive, seen));
  return value;
}

function reviveParts(value: object, part: (value: unknown) => unknown): void {
  if (value instanceof Map) {
    const entries = [...value];
    value.clear();
    for (const [key, item] of entries) value.set(part(key), part(item));
  } else if (value instanceof Set) {
    const items = [...value];
    value.clear();
    for (const item of items) value.add(part(item));
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (at in value) value[at] = part(value[at]);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, item] of Object.entries(value)) {
      const fresh = part(item);
      if (fresh !== item) Object.defineProperty(value, key, { value: fresh });
    }
  }
}
