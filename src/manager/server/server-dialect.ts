import { refusedGlobal } from '../../pickle/failures.js';
import type { FindGlobal, Maker } from '../../pickle/globals.js';
import { dumps, loads } from '../../pickle/pickle.js';
import { tuple } from '../../pickle/python-values.js';
import { encode } from '../../wire/codec.js';
import { decodeReviving } from '../dialect.js';
import { finder, PythonToken, reducibleToken } from '../pickle-dialect.js';
import type { ProxyRecord, ReplyKind, Revive } from '../protocol.js';
import { PythonSlice } from '../proxy-answers.js';

/** What a request came to. */
export type Outcome = readonly [kind: ReplyKind, value: unknown];

/** How the server understands one connection. Nothing that is read runs. */
export interface ServerDialect {
  /** Requests to the server itself say which client they are from. */
  readonly namesClients: boolean;
  /** `[ident, method, args, keywords, client]`; of each proxy in it `revive` makes what the server has for it. */
  readRequest(message: Uint8Array, revive: Revive): readonly unknown[];
  /** @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`. */
  writeReply(outcome: Outcome): Uint8Array;
}

/** First byte of every pickle since protocol 2; no message of furca begins so. */
const PICKLE = 0x80;

/** The dialect of who sends such a message first. */
export function dialectFor(message: Uint8Array): ServerDialect {
  return message[0] === PICKLE ? pythons : own;
}

const own: ServerDialect = {
  namesClients: true,
  readRequest: (message, revive) => decodeReviving(message, revive) as readonly unknown[],
  writeReply: (outcome) => encode([...outcome], 'result'),
};

const pythons: ServerDialect = {
  namesClients: false,

  readRequest(message, revive) {
    const unknown: string[][] = [];
    const request = loads(message, { find: withSlices(finder(revive, unknown)) }) as readonly unknown[];
    const [first] = unknown;
    if (first !== undefined) throw refusedGlobal(first[0] as string, first[1] as string);
    const [ident, method, args, keywords] = request;
    const named = keywords instanceof Map ? Object.fromEntries(keywords as Map<string, unknown>) : {};
    return [ident, method, Array.isArray(args) ? args.map(plainToken) : args, named];
  },

  writeReply([kind, value]) {
    if (kind !== '#PROXY') return dumps(tuple(kind, value), 'result');
    const { exposed, token } = value as ProxyRecord;
    return dumps(tuple(kind, tuple(tuple(...(exposed ?? [])), reducibleToken(token))), 'result');
  },
};

/** Which items of a list are asked for. */
function withSlices(find: FindGlobal): FindGlobal {
  const slice: Maker = {
    make: ([start = null, stop = null, step = null]) =>
      new PythonSlice(start as number | null, stop as number | null, step as number | null),
  };
  return (module, name) => (module === 'builtins' && name === 'slice' ? slice : find(module, name));
}

/** What `get_methods` is asked about. */
function plainToken(argument: unknown): unknown {
  return argument instanceof PythonToken ? argument.plain() : argument;
}
