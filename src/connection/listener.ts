import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { debuglog } from 'node:util';
import { ClosedError } from '../base/errors.js';
import type { Readiness, Waitable } from '../base/waitable.js';
import {
  type Address,
  type AddressFamily,
  arbitraryAddress,
  checkedAddress,
  numericHost,
  type PlainAddress,
  plainAddress,
  removeFolderOf,
  showAddress,
} from './address.js';
import {
  authenticateClient,
  checkedHandshake,
  type Handshake,
  type HandshakeOptions,
} from './authentication.js';
import { Connection, type ConnectionOptions, checkedMaxMessageBytes, messagesOver } from './connection.js';
import { badArgument, cannotListen, closedHere, listenerBroke } from './failures.js';
import { codecOf } from './message-format.js';
import { assertOptionsObject, type Settle, type WaitOptions, waiting } from './waiting.js';

const debug = debuglog('furca');

const DEFAULT_BACKLOG = 128;
/** Clients in the middle of a handshake; more are turned away, so that silent ones cannot use up the descriptors. */
const MAX_HANDSHAKES = 1024;

/** Options of a {@link Listener}. */
export interface ListenerOptions extends ConnectionOptions, HandshakeOptions {
  /** Kind of address to choose where none is given. Default `AF_UNIX`. */
  readonly family?: AddressFamily | undefined;
  /** How many clients the kernel lets wait for their turn. Default 128. */
  readonly backlog?: number | undefined;
  /** Told of each client that was turned away, and why: `ERR_FURCA_AUTHENTICATION`, mostly. Default: counted in `stats()`. */
  readonly onRejected?: ((error: unknown, client: PlainAddress | null) => void) | undefined;
}

/** What a listener has seen so far. */
export interface ListenerStats {
  /** Handed out by `accept`. */
  readonly accepted: number;
  /** Turned away: a wrong key, none, or silence. */
  readonly rejected: number;
  /** In the middle of their handshake. */
  readonly handshaking: number;
  /** Ready for `accept`. */
  readonly ready: number;
}

interface Arrival<In, Out> {
  readonly connection: Connection<In, Out>;
  readonly from: PlainAddress | null;
}

/**
 * Waits for clients at an address, as Python's `multiprocessing.connection.Listener` does.
 *
 * All handshakes go on side by side and each has a deadline: a client that is silent, or has no key, keeps nobody waiting, and never gets
 * as far as {@link accept}.
 *
 * @typeParam In - What its connections receive.
 * @typeParam Out - What its connections send.
 */
export class Listener<In = unknown, Out = unknown>
  implements Waitable, AsyncDisposable, AsyncIterable<Connection<In, Out>>
{
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #handshake: Handshake | undefined;
  readonly #address: PlainAddress;
  /** The path is one that `arbitraryAddress` chose, in a folder of its own. */
  readonly #isArbitrary: boolean;
  readonly #shaking = new Set<Socket>();
  readonly #ready: Arrival<In, Out>[] = [];
  readonly #acceptors: Settle<Connection<In, Out>>[] = [];
  readonly #watchers = new Set<() => void>();
  #lastAccepted: PlainAddress | null = null;
  #accepted = 0;
  #rejected = 0;
  #failure: Error | undefined;
  #isClosed = false;

  private constructor(server: Server, address: PlainAddress, isArbitrary: boolean, options: ListenerOptions) {
    this.#server = server;
    this.#address = address;
    this.#isArbitrary = isArbitrary;
    this.#options = options;
    this.#handshake = checkedHandshake('Listening', options);
    server.on('connection', (socket) => void this.#welcome(socket));
    server.on('error', (error) => this.#fail(error));
  }

  /**
   * Makes a listener; resolves once clients can connect.
   *
   * @param address - Path of a Unix socket that does not exist yet, or `{ host, port }`, port 0 for any. Default: one that is free.
   * @param options.authKey - Key that clients must have, and this side proves to have, too. Default: none, anybody may connect.
   * @param options.format - `'pickle'` for clients in Python. Default `'furca'`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the address is taken or not to be had; `cause` says more.
   *
   * @example
   * await using listener = await Listener.listen({ host: 'localhost', port: 0 }, { authKey: 'secret' });
   * typeof listener.address; // => 'object'
   */
  static async listen<In = unknown, Out = unknown>(
    address?: Address,
    options: ListenerOptions = {},
  ): Promise<Listener<In, Out>> {
    const doing = 'Listening';
    assertOptions(doing, options);
    const isArbitrary = address === undefined;
    const where = checkedAddress(
      doing,
      address ?? arbitraryAddress(options.family ?? 'AF_UNIX'),
      options.family,
    );
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    try {
      const at =
        typeof where === 'string'
          ? { path: where }
          : { host: await numericHost(where.host), port: where.port };
      server.listen({ ...at, backlog: options.backlog ?? DEFAULT_BACKLOG });
      await once(server, 'listening');
    } catch (error) {
      if (isArbitrary && typeof where === 'string') removeFolderOf(where);
      throw cannotListen(showAddress(where), error);
    }
    return new Listener<In, Out>(server, plainAddress(server.address()) ?? where, isArbitrary, options);
  }

  /** Where clients connect to; for TCP with the port that was chosen. */
  get address(): PlainAddress {
    return this.#address;
  }

  /** Address of the client that was accepted last; `null` before, and for a Unix socket, where clients have none. */
  get lastAccepted(): PlainAddress | null {
    return this.#lastAccepted;
  }

  /**
   * The next client that has proved to have the key. Several waiting calls get theirs in the order of the calls.
   *
   * @param options.timeoutMs - Longest wait, in milliseconds. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the listener was closed.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the listener broke.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  accept(options: WaitOptions = {}): Promise<Connection<In, Out>> {
    return waiting('Accepting', options, (settle) => {
      const now = this.tryAccept();
      if (now !== undefined) {
        settle.resolve(now);
        return () => {};
      }
      this.#acceptors.push(settle);
      return () => {
        const at = this.#acceptors.indexOf(settle);
        if (at >= 0) this.#acceptors.splice(at, 1);
      };
    });
  }

  /** The next client if one is ready, else `undefined`. Errors as {@link accept}. */
  tryAccept(): Connection<In, Out> | undefined {
    if (this.#isClosed) throw closedHere('Accepting', 'listener');
    if (this.#failure !== undefined) throw this.#failure;
    const arrival = this.#acceptors.length > 0 ? undefined : this.#ready.shift();
    return arrival === undefined ? undefined : this.#hand(arrival);
  }

  #hand({ connection, from }: Arrival<In, Out>): Connection<In, Out> {
    this.#lastAccepted = from;
    this.#accepted++;
    return connection;
  }

  /** Sees a client through its handshake; one that fails is turned away and told of. */
  async #welcome(socket: Socket): Promise<void> {
    const from = plainAddress({ address: socket.remoteAddress, port: socket.remotePort } as never);
    socket.on('error', () => {});
    if (this.#shaking.size >= MAX_HANDSHAKES) {
      socket.destroy();
      this.#reject(closedHere('Accepting a client', 'door, too many are in their handshake,'), from);
      return;
    }
    this.#shaking.add(socket);
    try {
      const messages = messagesOver(socket, this.#options);
      if (this.#handshake !== undefined) await authenticateClient(messages, this.#handshake);
      this.#shaking.delete(socket);
      this.#arrive({ connection: new Connection(messages, this.#options), from });
    } catch (error) {
      this.#shaking.delete(socket);
      endSoon(socket);
      this.#reject(error, from);
    }
  }

  #arrive(arrival: Arrival<In, Out>): void {
    if (this.#isClosed) {
      arrival.connection.terminate();
      return;
    }
    const acceptor = this.#acceptors.shift();
    if (acceptor === undefined) this.#ready.push(arrival);
    else acceptor.resolve(this.#hand(arrival));
    this.#tell();
  }

  #reject(error: unknown, from: PlainAddress | null): void {
    if (this.#isClosed) return;
    this.#rejected++;
    debug('a client was turned away: %s', error);
    this.#options.onRejected?.(error, from);
  }

  #fail(error: Error): void {
    this.#failure = listenerBroke(error);
    for (const { reject } of [...this.#acceptors]) reject(this.#failure);
    this.#tell();
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /**
   * Takes no more clients; those that were not accepted are turned away, accepted connections live on. The socket's file is
   * removed. May be called twice.
   */
  close(): Promise<void> {
    if (!this.#isClosed) this.#end();
    return Promise.resolve();
  }

  #end(): void {
    this.#isClosed = true;
    // Its callback waits for all connections to end, and those that were accepted are no business of this any more.
    this.#server.close();
    for (const { reject } of [...this.#acceptors]) reject(closedHere('Accepting', 'listener'));
    for (const { connection } of this.#ready.splice(0)) connection.terminate();
    for (const socket of this.#shaking) socket.destroy();
    if (this.#isArbitrary && typeof this.#address === 'string') removeFolderOf(this.#address);
    this.#tell();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Accepts client after client until the listener is closed. Errors as {@link accept}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection<In, Out>, void, undefined> {
    for (;;) {
      let connection: Connection<In, Out>;
      try {
        connection = await this.accept();
      } catch (error) {
        if (error instanceof ClosedError) return;
        throw error;
      }
      yield connection;
    }
  }

  /** For `wait`: ready when a client can be accepted. */
  get 'furca:waitable'(): Readiness {
    return {
      isReady: () => this.#ready.length > 0 || this.#isClosed || this.#failure !== undefined,
      watch: (look) => {
        this.#watchers.add(look);
        return () => this.#watchers.delete(look);
      },
    };
  }

  /** Keeps the event loop alive; the default. */
  ref(): this {
    this.#server.ref();
    return this;
  }

  /** Lets the program end though clients could still come. */
  unref(): this {
    this.#server.unref();
    return this;
  }

  stats(): ListenerStats {
    return Object.freeze({
      accepted: this.#accepted,
      rejected: this.#rejected,
      handshaking: this.#shaking.size,
      ready: this.#ready.length,
    });
  }
}

/** Lets what was said last (`#FAILURE#`) get through. */
function endSoon(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), 100).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}

function assertOptions(doing: string, options: ListenerOptions): void {
  assertOptionsObject(doing, options);
  checkedHandshake(doing, options);
  codecOf(doing, options);
  checkedMaxMessageBytes(doing, options);
  const { backlog, onRejected } = options;
  if (backlog !== undefined && !(Number.isInteger(backlog) && backlog >= 1)) {
    throw badArgument(doing, 'backlog', 'a whole number, at least 1');
  }
  if (onRejected !== undefined && typeof onRejected !== 'function') {
    throw badArgument(doing, 'onRejected', 'a function');
  }
}
