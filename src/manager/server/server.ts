import { randomUUID } from 'node:crypto';
import type { Address, PlainAddress } from '../../connection/address.js';
import type { AuthKey } from '../../connection/authentication.js';
import type { Connection } from '../../connection/connection.js';
import { Listener } from '../../connection/listener.js';
import type { Token } from '../protocol.js';
import {
  type CallContext,
  type Ending,
  pythonError,
  type SharedMethod,
  SharedObject,
} from '../shared/shared-object.js';
import { BUILT_IN_TYPES, type NamedArguments, type SharedType } from './built-in-types.js';
import { Clients, Life } from './endings.js';
import { type Entry, Objects, publicMethods } from './objects.js';
import { dialectFor, type Outcome, type ServerDialect } from './server-dialect.js';

/** What came in. */
interface Incoming {
  readonly ident: string | null;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly keywords: NamedArguments;
  /** The client that asks, for requests to the server itself. */
  readonly client: string | null;
}

/** A connection, and how it is understood. */
interface Lane {
  readonly connection: Connection;
  readonly dialect: ServerDialect;
}

const PSEUDO_METHODS = new Set(['#GETVALUE', '__str__', '__repr__']);

/** Serves shared objects to clients over one listener. */
export class ManagerServer {
  readonly #listener: Listener;
  readonly #types: ReadonlyMap<string, SharedType>;
  readonly #objects = new Objects();
  readonly #clients = new Clients();
  readonly #connections = new Set<Connection>();
  readonly #shutdown = new Life();

  private constructor(listener: Listener, types: ReadonlyMap<string, SharedType>) {
    this.#listener = listener;
    this.#types = new Map([...BUILT_IN_TYPES, ...types]);
    this.#objects.address = listener.address;
  }

  static async listen(
    address: Address | undefined,
    authKey: AuthKey,
    types: ReadonlyMap<string, SharedType>,
  ): Promise<ManagerServer> {
    const server = new ManagerServer(await Listener.listen(address, { authKey }), types);
    void server.#accept();
    return server;
  }

  get address(): PlainAddress {
    return this.#listener.address;
  }

  /** Resolves once a client has asked for the end. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#shutdown.onGone(resolve);
    });
  }

  async close(): Promise<void> {
    this.#shutdown.end();
    await this.#listener.close();
    for (const connection of this.#connections) connection.terminate();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) void this.#serve(connection);
  }

  async #serve(connection: Connection): Promise<void> {
    this.#connections.add(connection);
    try {
      const message = await connection.recvBytes();
      const lane: Lane = { connection, dialect: dialectFor(message) };
      let request: Incoming | undefined;
      const outcome = outcomeOf(async () => {
        request = this.#read(message, lane.dialect);
        return request.method === 'accept_connection' ? ['#RETURN', null] : await this.#control(request);
      });
      await connection.sendBytes(packed(await outcome, lane.dialect));
      if (request?.method === 'accept_connection') await this.#serveCalls(lane, String(request.args[0]));
      if (request?.method === 'shutdown') this.#shutdown.end();
    } catch {
      // The client is gone, or does not speak the protocol: this connection is its own affair.
    } finally {
      await connection.close();
      this.#connections.delete(connection);
    }
  }

  #read(message: Uint8Array, dialect: ServerDialect): Incoming {
    const request = dialect.readRequest(message, ({ token }) => this.#objects.reference(token.ident));
    const [ident, method, args, keywords, client] = request;
    if (typeof method !== 'string' || !Array.isArray(args)) throw pythonError('TypeError', 'no request');
    return {
      ident: ident === null ? null : String(ident),
      method,
      args: args as readonly unknown[],
      keywords: (keywords ?? {}) as NamedArguments,
      client: typeof client === 'string' ? client : null,
    };
  }

  /** A request to the server itself. */
  async #control({ method, args, keywords, client }: Incoming): Promise<Outcome> {
    const holder = client === null ? null : (this.#clients.find(client) ?? null);
    switch (method) {
      case 'dummy':
      case 'shutdown':
        return ['#RETURN', null];
      case 'create': {
        const { ident, exposed } = await this.#create(String(args[0]), args.slice(1), keywords, holder);
        return ['#RETURN', [ident, [...exposed]]];
      }
      case 'incref':
        this.#objects.addReference(args[0], holder);
        return ['#RETURN', null];
      case 'decref':
        this.#objects.dropReference(args[0], holder);
        return ['#RETURN', null];
      case 'get_methods':
        return ['#RETURN', [...this.#objects.find((args[0] as Token).ident).exposed]];
      case 'number_of_objects':
        return ['#RETURN', this.#objects.size];
      case 'debug_info':
        return ['#RETURN', this.#objects.describe()];
      default:
        throw pythonError('AttributeError', `the server has no method ${method}`);
    }
  }

  async #create(
    typeid: string,
    args: readonly unknown[],
    named: NamedArguments,
    client: Ending | null,
  ): Promise<Entry> {
    const type = this.#types.get(typeid);
    if (type === undefined) throw pythonError('KeyError', [typeid]);
    const object = await type.make(args, named);
    const builtIn = object instanceof SharedObject ? object.methodToTypeid : {};
    const methodToTypeid = type.methodToTypeid ?? builtIn;
    return this.#objects.add(object, typeid, type.exposed ?? publicMethods(object), methodToTypeid, client);
  }

  /** Answers calls one after another until the client goes. */
  async #serveCalls({ connection, dialect }: Lane, name: string): Promise<void> {
    const life = new Life();
    // All programs in Python call themselves MainProcess: there each connection is a client of its own.
    const client = this.#clients.join(dialect.namesClients ? name : randomUUID(), life);
    try {
      for await (const message of messagesOf(connection))
        await this.#answer({ connection, dialect }, message, life, client);
    } finally {
      life.end();
    }
  }

  async #answer(
    { connection, dialect }: Lane,
    message: Uint8Array,
    lane: Life,
    client: Ending,
  ): Promise<void> {
    let entry: Entry | undefined;
    let method = '';
    const outcome = outcomeOf(async () => {
      const request = this.#read(message, dialect);
      method = request.method;
      entry = this.#objects.find(request.ident);
      return await this.#call(entry, request, { lane, client, keywords: request.keywords });
    });
    const stopWatching = watchForEnd(connection, lane);
    const [kind, value] = await outcome;
    stopWatching();
    try {
      // A reply holds its objects until it is sent; who receives it refers to them before it calls again.
      if (lane.isGone) throw pythonError('EOFError');
      await connection.sendBytes(packed([kind, value], dialect));
    } catch (error) {
      if (kind === '#RETURN' && entry?.object instanceof SharedObject)
        entry.object.undelivered(method, value);
      throw error;
    }
  }

  async #call(entry: Entry, { method, args }: Incoming, context: CallContext): Promise<Outcome> {
    const { object, exposed, methodToTypeid } = entry;
    if (!exposed.has(method)) return ['#RETURN', pseudo(object, method, exposed)];
    let result: unknown;
    try {
      result = await invoke(object, method, args, context);
    } catch (error) {
      return ['#ERROR', error];
    }
    const typeid = methodToTypeid[method];
    if (typeid === undefined) return ['#RETURN', result];
    const made = await this.#create(typeid, [result], {}, context.client);
    const token = { typeid, address: this.address, ident: made.ident };
    return ['#PROXY', { token, exposed: [...made.exposed], proxyType: 'AutoProxy' }];
  }
}

/** Called on every object, exposed or not. */
function pseudo(object: unknown, method: string, exposed: ReadonlySet<string>): unknown {
  if (!PSEUDO_METHODS.has(method)) {
    throw pythonError('AttributeError', `method '${method}' is not in exposed=${[...exposed].join(', ')}`);
  }
  const isShared = object instanceof SharedObject;
  if (method === '#GETVALUE') return isShared ? object.value() : object;
  return isShared ? object.repr() : String(object);
}

function invoke(object: unknown, method: string, args: readonly unknown[], context: CallContext): unknown {
  if (object instanceof SharedObject) {
    return (object as unknown as Record<string, SharedMethod>)[method]?.call(object, context, ...args);
  }
  const target = object as Record<string, (...args: readonly unknown[]) => unknown>;
  const named = Object.keys(context.keywords).length > 0 ? [context.keywords] : [];
  return target[method]?.(...args, ...named);
}

/** What an act gives, and a fault of the request as its trace. */
async function outcomeOf(act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    return ['#TRACEBACK', (error as Error).stack ?? String(error)];
  }
}

function packed(outcome: Outcome, dialect: ServerDialect): Uint8Array {
  try {
    return dialect.writeReply(outcome);
  } catch (error) {
    return dialect.writeReply(['#UNSERIALIZABLE', (error as Error).message]);
  }
}

async function* messagesOf(connection: Connection): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    let message: Uint8Array;
    try {
      message = await connection.recvBytes();
    } catch {
      return;
    }
    yield message;
  }
}

/**
 * While a call is under way nobody receives: looks whether the client is gone, so that it does not wait on in vain. Most calls are over
 * before the event loop turns, and then nobody looks.
 */
function watchForEnd(connection: Connection, lane: Life): () => void {
  let stop: AbortController | undefined;
  const poll = async (signal: AbortSignal): Promise<void> => {
    await connection.poll({ timeoutMs: Number.POSITIVE_INFINITY, signal });
    if (!connection.readable) lane.end();
  };
  const begin = setImmediate(() => {
    stop = new AbortController();
    poll(stop.signal).catch(() => {});
  });
  return () => {
    clearImmediate(begin);
    stop?.abort();
  };
}
