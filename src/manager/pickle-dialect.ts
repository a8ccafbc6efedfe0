import type { PlainAddress } from '../connection/address.js';
import { refusedGlobal } from '../pickle/failures.js';
import { exceptionMaker, type FindGlobal, findDataGlobal, type Maker } from '../pickle/globals.js';
import { dumps, loads } from '../pickle/pickle.js';
import { tuple } from '../pickle/python-values.js';
import { PythonGlobal, REDUCE, type Reducible, type Reduction } from '../pickle/reduction.js';
import type { Dialect } from './dialect.js';
import { addressOf, type ProxyRecord, type Revive, replyOf, type Token } from './protocol.js';

const MANAGERS = 'multiprocessing.managers';
/** The classes of proxies in CPython's managers.py. */
const PROXY_TYPES: ReadonlySet<string> = new Set([
  'AutoProxy',
  'IteratorProxy',
  'AcquirerProxy',
  'ConditionProxy',
  'EventProxy',
  'BarrierProxy',
  'NamespaceProxy',
  'ValueProxy',
  'ListProxy',
  'DictProxy',
  'SetProxy',
  'ArrayProxy',
  'PoolProxy',
]);

/** Speaks with a server of CPython. */
export const pickleDialect: Dialect = {
  encodeRequest: ({ ident, method, args, keywords }) =>
    dumps(tuple(ident, method, tuple(...args), keywords), 'request'),

  decodeReply(message, revive) {
    const unknown: string[][] = [];
    const reply = replyOf(loads(message, { find: finder(revive, unknown) }));
    if (reply?.kind === '#PROXY') return { kind: '#PROXY', value: newObject(reply.value) };
    const [first] = unknown;
    // What a method throws may be of any class: it is an error with that name. Results are data.
    if (first !== undefined && reply?.kind !== '#ERROR') {
      throw refusedGlobal(first[0] as string, first[1] as string);
    }
    return reply;
  },
};

/** `(exposed, token)` of a reply `#PROXY`. */
function newObject(pair: unknown): ProxyRecord {
  const [exposed, token] = pair as [readonly string[], PythonToken];
  return { token: token.plain(), exposed, proxyType: 'AutoProxy' };
}

/** What may stand in requests and replies; names of anything else are noted in `unknown`. */
export function finder(revive: Revive, unknown: string[][]): FindGlobal {
  return (module, name) => {
    if (module === MANAGERS) {
      if (name === 'Token') return TOKEN;
      if (name === 'RebuildProxy') return rebuildProxy(revive);
      if (PROXY_TYPES.has(name)) return { make: () => null, value: name };
    }
    const known = findDataGlobal(module, name);
    if (known !== undefined) return known;
    unknown.push([module, name]);
    return exceptionMaker(module, name);
  };
}

/** A token that was read; its state comes after it was made. */
export class PythonToken {
  #state: readonly unknown[] = [];

  set(state: unknown): void {
    if (Array.isArray(state)) this.#state = state;
  }

  plain(): Token {
    const [typeid, address, ident] = this.#state;
    return { typeid: String(typeid), address: addressOf(address), ident: String(ident) };
  }
}

const TOKEN: Maker = {
  make: () => new PythonToken(),
  setState: (made, state) => (made as PythonToken).set(state),
};

/** `RebuildProxy(type, token, serializer, keywords)`. */
function rebuildProxy(revive: Revive): Maker {
  return {
    make([proxyType, token, , keywords]) {
      const exposed: unknown = keywords instanceof Map ? keywords.get('exposed') : undefined;
      return revive({
        token: (token as PythonToken).plain(),
        exposed: Array.isArray(exposed) ? (exposed as string[]) : null,
        proxyType: String(proxyType),
      });
    },
  };
}

/** How Python makes a proxy of a record. */
export function proxyReduction({ token, exposed, proxyType }: ProxyRecord): Reduction {
  const keywords = proxyType === 'AutoProxy' ? { exposed: tuple(...(exposed ?? [])) } : {};
  const type = new PythonGlobal(MANAGERS, proxyType);
  return { module: MANAGERS, name: 'RebuildProxy', args: [type, reducibleToken(token), 'pickle', keywords] };
}

/** How Python makes a token. */
export function reducibleToken({ typeid, address, ident }: Token): Reducible {
  const state = tuple(typeid, pythonAddress(address), ident);
  return { [REDUCE]: () => ({ module: MANAGERS, name: 'Token', args: [], state, isNew: true }) };
}

function pythonAddress(address: PlainAddress): unknown {
  return typeof address === 'string' ? address : tuple(address.host, address.port);
}
