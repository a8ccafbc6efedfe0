import type { PlainAddress } from '../connection/address.js';
import type { AuthKey } from '../connection/authentication.js';
import { Client } from '../connection/client.js';
import type { Connection } from '../connection/connection.js';
import type { Settle, WaitOptions } from '../connection/waiting.js';
import type { Dialect } from './dialect.js';
import { managerClosed, noReply } from './failures.js';
import type { Reply, Request, Revive } from './protocol.js';

/** Connections that are kept for the next call; more are closed after theirs. */
const MAX_IDLE = 8;
/** Connections that are made at once: CPython's servers listen with a backlog of 16, and the kernel drops what is beyond. */
const MAX_OPENING = 4;
const CALLING = 'Calling the manager';

/** What every connection to one server needs. */
export interface ServerLink {
  readonly address: PlainAddress;
  readonly authKey: AuthKey | undefined;
  readonly dialect: Dialect;
  /** What the server is to call this client. */
  readonly clientName: string;
  readonly connectTimeoutMs: number;
}

/** One connection to the server, on which one call at a time is under way. */
export class Lane {
  readonly #connection: Connection;
  readonly #dialect: Dialect;

  private constructor(connection: Connection, dialect: Dialect) {
    this.#connection = connection;
    this.#dialect = dialect;
  }

  /** Connects; the first request says what the connection is for. */
  static async open({ address, authKey, dialect, connectTimeoutMs }: ServerLink): Promise<Lane> {
    const options = { authKey, timeoutMs: connectTimeoutMs, handshakeTimeoutMs: connectTimeoutMs };
    return new Lane(await Client(address, options), dialect);
  }

  /** Asks and waits for the answer. If this rejects, an answer may still be on its way, and the lane is of no more use. */
  async ask(request: Request, revive: Revive, options: WaitOptions = {}): Promise<Reply> {
    const message = this.#dialect.encodeRequest(request);
    this.#connection.ref();
    try {
      await this.#connection.sendBytes(message, options);
      const reply = this.#dialect.decodeReply(await this.#connection.recvBytes(options), revive);
      if (reply === undefined) throw noReply(`Calling ${request.method}`);
      return reply;
    } finally {
      // Idle it does not keep the program alive.
      this.#connection.unref();
    }
  }

  /** Between calls nothing comes but the end of the connection. */
  get isUsable(): boolean {
    return !this.#connection.tryPoll();
  }

  close(): void {
    this.#connection.terminate();
  }
}

const NO_PROXIES: Revive = () => {
  throw noReply('Reading a reply');
};

/** The connections to one server: as many as there are calls under way, so that one that blocks holds up nobody. */
export class Lanes {
  readonly #link: ServerLink;
  readonly #idle: Lane[] = [];
  readonly #busy = new Set<Lane>();
  /** Calls that wait for a lane: the next one that is given back, or opened. */
  readonly #takers: Settle<Lane>[] = [];
  #opening = 0;
  readonly #openers: (() => void)[] = [];
  #isClosed = false;

  constructor(link: ServerLink) {
    this.#link = link;
  }

  /** A lane for calls that nobody else has. */
  async take(): Promise<Lane> {
    if (this.#isClosed) throw managerClosed(CALLING);
    const idle = this.#takeIdle();
    if (idle !== undefined) return idle;
    return await new Promise<Lane>((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      void this.#openFor();
    });
  }

  #takeIdle(): Lane | undefined {
    for (let lane = this.#idle.pop(); lane !== undefined; lane = this.#idle.pop()) {
      if (lane.isUsable) {
        this.#busy.add(lane);
        return lane;
      }
      lane.close();
    }
    return undefined;
  }

  /** Opens a lane for whoever waits then; it may be nobody any more. */
  async #openFor(): Promise<void> {
    try {
      const lane = await this.open(() => this.#takers.length > 0);
      if (lane === undefined) return;
      this.#busy.add(lane);
      const args = [this.#link.clientName];
      await lane.ask({ ident: null, method: 'accept_connection', args, keywords: {} }, NO_PROXIES);
      this.giveBack(lane);
    } catch (error) {
      this.#takers.shift()?.reject(error);
    }
  }

  /** Opens a connection, a few at a time; `undefined` if it is not needed any more when its turn comes. */
  async open(isNeeded: () => boolean = () => true): Promise<Lane | undefined> {
    if (this.#opening >= MAX_OPENING) await new Promise<void>((resolve) => this.#openers.push(resolve));
    this.#opening++;
    try {
      return isNeeded() ? await Lane.open(this.#link) : undefined;
    } finally {
      this.#opening--;
      this.#openers.shift()?.();
    }
  }

  giveBack(lane: Lane): void {
    const isOurs = this.#busy.has(lane);
    const taker = isOurs && lane.isUsable ? this.#takers.shift() : undefined;
    if (taker !== undefined) {
      taker.resolve(lane);
      return;
    }
    this.#busy.delete(lane);
    if (!isOurs || this.#isClosed || this.#idle.length >= MAX_IDLE) lane.close();
    else this.#idle.push(lane);
  }

  /** For a lane on which an answer may still be on its way. */
  drop(lane: Lane): void {
    this.#busy.delete(lane);
    lane.close();
  }

  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#takers.splice(0)) reject(managerClosed(CALLING));
    for (const lane of [...this.#idle.splice(0), ...this.#busy]) lane.close();
    this.#busy.clear();
  }
}
