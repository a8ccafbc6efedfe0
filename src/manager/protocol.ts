/**
 * What a manager's server is asked and answers, as in CPython's Lib/multiprocessing/managers.py: a request is the tuple
 * `(ident, method, args, keywords)`, ident None for the server itself; a reply is the pair `(kind, value)`.
 */
import type { PlainAddress } from '../connection/address.js';

/** Names one shared object of one server. */
export interface Token {
  /** The name its type was registered under. */
  readonly typeid: string;
  readonly address: PlainAddress;
  readonly ident: string;
}

/** Kinds of reply: a result; what the method threw; a fault of the request; a result that cannot be sent; a new shared object. */
export type ReplyKind = '#RETURN' | '#ERROR' | '#TRACEBACK' | '#UNSERIALIZABLE' | '#PROXY';

const KINDS: ReadonlySet<string> = new Set(['#RETURN', '#ERROR', '#TRACEBACK', '#UNSERIALIZABLE', '#PROXY']);

/** One call of a method. */
export interface Request {
  /** `null`: the server itself is asked. */
  readonly ident: string | null;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly keywords: Readonly<Record<string, unknown>>;
  /** Who asks, for requests to a server of furca itself: what it gives is given back when the client dies. */
  readonly client?: string;
}

export interface Reply {
  readonly kind: ReplyKind;
  readonly value: unknown;
}

/** A pair that was received, as a reply; `undefined` when it is none. */
export function replyOf(pair: unknown): Reply | undefined {
  if (!Array.isArray(pair) || pair.length !== 2 || !KINDS.has(pair[0] as string)) return undefined;
  return { kind: pair[0] as ReplyKind, value: pair[1] };
}

/** How a shared object is told of where it is meant: in arguments and results. */
export interface ProxyRecord {
  readonly token: Token;
  /** Names of the methods that may be called; `null` where they are those of the proxy's type. */
  readonly exposed: readonly string[] | null;
  /** The class that Python gives its proxies, such as `DictProxy`. */
  readonly proxyType: string;
}

/** Makes a proxy of what was received. */
export type Revive = (record: ProxyRecord) => unknown;

/** An address as it comes from Python: a path, or host and port in a tuple. */
export function addressOf(address: unknown): PlainAddress {
  if (Array.isArray(address)) return { host: String(address[0]), port: Number(address[1]) };
  return address as PlainAddress;
}
