import { randomUUID } from 'node:crypto';
import type { Address, PlainAddress } from '../connection/address.js';
import { checkedAddress } from '../connection/address.js';
import { type AuthKey, checkedHandshake } from '../connection/authentication.js';
import { ManagerClient } from './client.js';
import { dialectOf, type Serializer } from './dialect.js';
import { alreadyStarted, badArgument, noReply, notStarted } from './failures.js';
import type { Token } from './protocol.js';
import type { BaseProxy } from './proxy.js';
import { makeProxy, type Proxied, type ProxyClass } from './proxy-types.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 5000;

/** Options of a manager. */
export interface ManagerOptions {
  /** Where the server is. */
  readonly address?: Address | undefined;
  /** The server's key. */
  readonly authKey?: AuthKey | undefined;
  /** `pickle` for a server in Python. Default `furca`. */
  readonly serializer?: Serializer | undefined;
  /** Longest time a connection to the server may take, in milliseconds. Default 5,000. */
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

/** Reaches the objects of a server: of a real CPython `BaseManager`, with `serializer: 'pickle'`, or of furca. */
export class BaseManager implements AsyncDisposable {
  readonly #options: ManagerOptions;
  #client: ManagerClient | undefined;

  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
  constructor(options: ManagerOptions = {}) {
    const doing = 'Making a manager';
    dialectOf(doing, options.serializer ?? 'furca');
    checkedHandshake(doing, { authKey: options.authKey });
    if (options.address !== undefined) checkedAddress(doing, options.address, undefined);
    this.#options = options;
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
   * Another proxy for the same object, with a reference of its own: a second holder of a lock, or one for an object whose
   * {@link BaseProxy.token} came by another way. Errors as {@link BaseProxy.call}.
   */
  async share<P extends BaseProxy>(of: P): Promise<P> {
    const client = this.client('Sharing');
    await client.control('incref', [of.token.ident]);
    const record = { token: of.token, exposed: of.exposed, proxyType: 'AutoProxy' };
    return new (of.constructor as ProxyClass<P>)(client, record);
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
    await client.control('shutdown');
    client.close();
  }

  /** Leaves the server, which goes on. Calls under way end with `ERR_FURCA_CLOSED`. May be called twice. */
  close(): void {
    this.#client?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
