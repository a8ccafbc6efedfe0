import { randomBytes, randomUUID } from 'node:crypto';
import type { Address, PlainAddress } from '../connection/address.js';
import { checkedAddress } from '../connection/address.js';
import { type AuthKey, checkedHandshake } from '../connection/authentication.js';
import { assertOptionsObject } from '../connection/waiting.js';
import { type AnyFunction, describeFunction } from '../wire/functions.js';
import { ManagerClient } from './client.js';
import { dialectOf, type Serializer } from './dialect.js';
import { alreadyStarted, badArgument, noReply, notStarted } from './failures.js';
import type { ProxyRecord, Token } from './protocol.js';
import { BaseProxy } from './proxy.js';
import { makeProxy, type Proxied, type ProxyClass } from './proxy-types.js';
import {
  type Maker,
  type RegisterOptions,
  recordTypes,
  registerIn,
  registrationsOf,
} from './registration.js';
import { ServerProcess } from './server-process.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 20_000;
const KEY_BYTES = 32;

/** Options of a manager. */
export interface ManagerOptions {
  /** Where the server is, or is to be; a server that is started chooses a Unix socket of its own by default. */
  readonly address?: Address | undefined;
  /** The server's key. A server that is started has a random one by default. */
  readonly authKey?: AuthKey | undefined;
  /** `pickle` for a server in Python. Default `furca`. */
  readonly serializer?: Serializer | undefined;
  /** Longest time a connection to the server may take, in milliseconds. Default 20,000. */
  readonly connectTimeoutMs?: number | undefined;
}

/** Keyword arguments for a method or class of Python, as the last argument; see {@link keywords}. */
export class Keywords {
  readonly values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values;
  }
}

/**
 * Keyword arguments for a type of Python, as the last argument of `create`.
 *
 * @example
 * keywords({ maxsize: 3 }).values; // => { maxsize: 3 }
 */
export function keywords(values: Readonly<Record<string, unknown>>): Keywords {
  return new Keywords(values);
}

/**
 * Objects that live in a server process: one that {@link start} makes, or one that runs already, of furca or (`serializer: 'pickle'`)
 * of a real CPython.
 *
 * Who dies gives back what it held: locks, permits and references of a client whose last connection ends. (A server of Python keeps
 * them for ever.) The server ends with the process that started it.
 *
 * @example
 * class Manager extends BaseManager {}
 * Manager.register('Counter', (n: number) => ({ add: (by: number) => (n += by) }));
 * await using manager = new Manager();
 * await manager.start();
 * const counter = await manager.create<{ add(by: number): number }>('Counter', 40);
 * await counter.add(2); // => 42
 */
export class BaseManager implements AsyncDisposable {
  readonly #options: ManagerOptions;
  #client: ManagerClient | undefined;
  #server: ServerProcess | undefined;
  #authKey: Uint8Array | undefined;

  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
  constructor(options: ManagerOptions = {}) {
    const doing = 'Making a manager';
    assertOptionsObject(doing, options);
    dialectOf(doing, options.serializer ?? 'furca');
    checkedHandshake(doing, { authKey: options.authKey });
    if (options.address !== undefined) checkedAddress(doing, options.address, undefined);
    this.#options = options;
  }

  /**
   * Registers a type for the servers of this class of managers and of those derived from it.
   *
   * @param typeid - The name by which it is created.
   * @param maker - A class or a function; it travels as tasks do, see docs/what-can-be-sent.md.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  static register(typeid: string, maker: Maker, options: RegisterOptions = {}): void {
    // biome-ignore lint/complexity/noThisInStatic: the class it is called on is the one that gets the type.
    registerIn(this, { ...options, typeid, maker });
  }

  /** Where the server is; `undefined` before that is known. */
  get address(): PlainAddress | undefined {
    if (this.#client !== undefined) return this.#client.link.address;
    const { address } = this.#options;
    return address === undefined ? undefined : checkedAddress('Making a manager', address, undefined);
  }

  /**
   * Connects to a server that runs already; resolves once it has answered.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no address. `ERR_FURCA_INVALID_STATE`: connected before.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: nobody is there.
   * @throws {@link AuthenticationError} `ERR_FURCA_AUTHENTICATION`.
   */
  async connect(): Promise<void> {
    const { address } = this;
    if (address === undefined) throw badArgument('Connecting to a manager', 'address', 'given');
    await this.attach(address, this.#options.authKey);
  }

  /**
   * Starts a server process; resolves once it serves.
   *
   * @param initializer - Called in the server before anything else, with `initArgs`. It travels as tasks do.
   * @throws What the initializer threw. {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; `ERR_FURCA_INVALID_STATE`: started before.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: a registered type or the initializer cannot travel.
   * @throws {@link StartError} `ERR_FURCA_START_FAILED`. {@link BrokenError} `ERR_FURCA_BROKEN`: `address` is taken.
   */
  async start(initializer?: AnyFunction, initArgs: readonly unknown[] = []): Promise<void> {
    const doing = 'Starting the manager';
    if (this.#client !== undefined || this.#server !== undefined)
      throw alreadyStarted(doing, 'started already');
    if (initializer !== undefined && typeof initializer !== 'function') {
      throw badArgument(doing, 'initializer', 'a function');
    }
    if (this.#options.serializer === 'pickle')
      throw badArgument(doing, 'serializer', "'furca' where a server is started");
    const authKey = bytesOf(this.#options.authKey ?? randomBytes(KEY_BYTES));
    this.#server = await ServerProcess.start({
      address: this.#options.address ?? null,
      authKey,
      types: recordTypes(registrationsOf(this.constructor).values()),
      initializer: initializer === undefined ? null : describeFunction(initializer, 'initializer'),
      initArgs,
    });
    await this.attach(this.#server.address, authKey);
    this.#authKey = authKey;
  }

  /** The key of the server, for others that are to connect; `undefined` where there is none. */
  get authKey(): AuthKey | undefined {
    return this.#authKey ?? this.#options.authKey;
  }

  /** Makes this the manager of the server at `address`. */
  protected async attach(address: PlainAddress, authKey: AuthKey | undefined): Promise<void> {
    if (this.#client !== undefined) throw alreadyStarted('Connecting to a manager', 'connected already');
    const { serializer = 'furca', connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#options;
    const dialect = dialectOf('Connecting to a manager', serializer);
    const clientName = `furca-${process.pid}-${randomUUID()}`;
    const client = new ManagerClient({ address, authKey, dialect, clientName, connectTimeoutMs }, makeProxy);
    this.#client = client;
    try {
      await client.control('dummy');
      if (serializer === 'furca') await client.stay();
    } catch (error) {
      client.close();
      this.#client = undefined;
      throw error;
    }
  }

  /** The connected client. */
  protected client(doing: string): ManagerClient {
    if (this.#client === undefined) throw notStarted(doing);
    return this.#client;
  }

  /**
   * Makes an object in the server, of a type that was registered there, and gives a proxy for it.
   *
   * @typeParam T - What the object is: its methods are the proxy's, each with a promise. Not checked, the server decides.
   * @param args - For the type's constructor or function; {@link keywords} last, for those of Python.
   * @throws {@link RemoteError} `ERR_FURCA_REMOTE`: no such type, or making it failed. Others as {@link BaseProxy.call}.
   */
  async create<T>(typeid: string, ...args: readonly unknown[]): Promise<Proxied<T>> {
    const { token, exposed } = await this.#create(typeid, args);
    return this.client('Creating').adopt({ token, exposed, proxyType: 'AutoProxy' }) as Proxied<T>;
  }

  /** As {@link create}, with a proxy of a given class: for a type whose name does not tell what it is. */
  async createAs<P extends BaseProxy>(
    type: ProxyClass<P>,
    typeid: string,
    ...args: readonly unknown[]
  ): Promise<P> {
    const { token, exposed } = await this.#create(typeid, args);
    return new type(this.client('Creating'), { token, exposed, proxyType: 'AutoProxy' });
  }

  async #create(
    typeid: string,
    args: readonly unknown[],
  ): Promise<{ token: Token; exposed: readonly string[] }> {
    const client = this.client('Creating');
    const last = args.at(-1);
    const named = last instanceof Keywords ? last.values : {};
    const positional = last instanceof Keywords ? args.slice(0, -1) : args;
    const made = await client.control('create', [typeid, ...positional], { ...named });
    if (!Array.isArray(made) || typeof made[0] !== 'string') throw noReply('Creating');
    const token = { typeid, address: client.link.address, ident: made[0] };
    return { token, exposed: made[1] as readonly string[] };
  }

  /**
   * Another proxy for the same object, with a reference of its own: for a second holder of a lock. Errors as {@link BaseProxy.call}.
   */
  async share<P extends BaseProxy>(of: P): Promise<P> {
    if (!(of instanceof BaseProxy)) throw badArgument('Sharing', 'its argument', 'a proxy');
    const type = of.constructor as ProxyClass<P>;
    return await this.#refer(type, { token: of.token, exposed: of.exposed, proxyType: 'AutoProxy' });
  }

  /**
   * A proxy for an object that another process has made and named: its {@link BaseProxy.token}. Errors as {@link BaseProxy.call};
   * `ERR_FURCA_REMOTE` where there is no such object any more.
   */
  async proxy<P extends BaseProxy>(type: ProxyClass<P>, token: Token): Promise<P> {
    if (typeof token?.ident !== 'string') throw badArgument('Sharing', 'token', 'that of a proxy');
    return await this.#refer(type, { token, exposed: null, proxyType: 'AutoProxy' });
  }

  async #refer<P extends BaseProxy>(type: ProxyClass<P>, record: ProxyRecord): Promise<P> {
    const client = this.client('Sharing');
    await client.control('incref', [record.token.ident]);
    return new type(client, record);
  }

  /** How many objects the server holds. */
  async numberOfObjects(): Promise<number> {
    return (await this.client('Asking').control('number_of_objects')) as number;
  }

  /** The objects and their references as text. */
  async debugInfo(): Promise<string> {
    return (await this.client('Asking').control('debug_info')) as string;
  }

  /** Ends the server, whoever started it; its objects are lost. */
  async shutdown(): Promise<void> {
    const client = this.client('Shutting down');
    if (client.isClosed) return;
    try {
      await client.control('shutdown');
    } catch (error) {
      // One of our own that has died is down.
      if (this.#server === undefined) throw error;
    } finally {
      client.close();
      await this.#server?.end();
    }
  }

  /** Leaves the server, which goes on. Calls under way end with `ERR_FURCA_CLOSED`. May be called twice. */
  close(): void {
    this.#client?.close();
  }

  /** Ends the server if this has started it, else only leaves it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined && this.#client !== undefined) await this.shutdown();
    this.close();
  }
}

function bytesOf(key: AuthKey): Uint8Array {
  return typeof key === 'string' ? new Uint8Array(Buffer.from(key)) : new Uint8Array(key);
}
