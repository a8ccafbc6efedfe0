import { FurcaError, type FurcaErrorCode } from '../base/errors.js';
import type { WaitOptions } from '../connection/waiting.js';
import { managerClosed, noReply, serverFault, serverGone } from './failures.js';
import { type Lane, Lanes, type ServerLink } from './lanes.js';
import type { ProxyRecord, Reply, Request, Revive } from './protocol.js';

/** Makes proxies; set by proxy-types.ts, which knows their classes. */
export type MakeProxy = (client: ManagerClient, record: ProxyRecord) => object;

/** One server as this process sees it: calls, control requests, and references that are held. */
export class ManagerClient {
  readonly #link: ServerLink;
  readonly #lanes: Lanes;
  readonly #makeProxy: MakeProxy;
  #isClosed = false;
  #hasReached = false;

  constructor(link: ServerLink, makeProxy: MakeProxy) {
    this.#link = link;
    this.#lanes = new Lanes(link);
    this.#makeProxy = makeProxy;
  }

  get link(): ServerLink {
    return this.#link;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Calls a method of a shared object on a lane of the common store, or on `lane`. */
  async call(request: Request, options: WaitOptions = {}, lane?: Lane): Promise<unknown> {
    const doing = `Calling ${request.method}`;
    const reply = await this.#exchange(doing, request, options, lane);
    if (reply.kind === '#PROXY') return this.#makeProxy(this, reply.value as ProxyRecord);
    return result(doing, reply);
  }

  /** Asks the server itself, on a connection of its own, as CPython's servers want it. */
  async control(
    method: string,
    args: readonly unknown[] = [],
    keywords: Record<string, unknown> = {},
  ): Promise<unknown> {
    const doing = `Asking the manager for ${method}`;
    if (this.#isClosed) throw managerClosed(doing);
    const lane = (await this.#reach(doing, () => this.#lanes.open())) as Lane;
    try {
      const { revive, held } = this.#reviver();
      const reply = await this.#reach(doing, () =>
        lane.ask({ ident: null, method, args, keywords, client: this.#link.clientName }, revive),
      );
      await held();
      return result(doing, reply);
    } finally {
      lane.close();
    }
  }

  /** Keeps one connection for as long as this client is: a server of furca gives back what a client holds when its last one ends. */
  async stay(): Promise<void> {
    await this.#reach('Connecting to the manager', () => this.#lanes.take());
  }

  /** A lane that belongs to one proxy alone: for locks that the server knows by the connection they were taken on. */
  ownLane(): Promise<Lane> {
    return this.#reach('Calling the manager', () => this.#lanes.take());
  }

  dropLane(lane: Lane): void {
    this.#lanes.drop(lane);
  }

  /** Lets go of a reference. Never rejects: a server that is gone holds none. */
  async release(ident: string): Promise<void> {
    if (this.#isClosed) return;
    await this.control('decref', [ident]).catch(() => {});
  }

  /** A proxy for an object whose reference this process already holds. */
  adopt(record: ProxyRecord): object {
    return this.#makeProxy(this, record);
  }

  close(): void {
    this.#isClosed = true;
    this.#lanes.close();
  }

  async #exchange(doing: string, request: Request, options: WaitOptions, own?: Lane): Promise<Reply> {
    if (this.#isClosed) throw managerClosed(doing);
    const lane = own ?? (await this.#reach(doing, () => this.#lanes.take()));
    const { revive, held } = this.#reviver();
    let isIdle = false;
    try {
      const reply = await this.#reach(doing, () => lane.ask(request, revive, options));
      isIdle = true;
      await held();
      return reply;
    } catch (error) {
      // It could not even be packed: nothing was sent.
      isIdle ||= FurcaError.is(error) && error.code === 'ERR_FURCA_NOT_SENDABLE';
      throw error;
    } finally {
      if (own === undefined && isIdle) this.#lanes.giveBack(lane);
      else if (!isIdle) this.#lanes.drop(lane);
    }
  }

  /** Makes proxies of what a reply holds; each has a reference of its own before anyone gets it. */
  #reviver(): { revive: Revive; held: () => Promise<void> } {
    const idents: string[] = [];
    return {
      revive: (record) => {
        // The address that was connected to counts: a server may know itself by another name.
        const token = { ...record.token, address: this.#link.address };
        idents.push(token.ident);
        return this.#makeProxy(this, { ...record, token });
      },
      held: async () => {
        for (const ident of idents) await this.control('incref', [ident]);
      },
    };
  }

  async #reach<T>(doing: string, act: () => Promise<T>): Promise<T> {
    try {
      const done = await act();
      this.#hasReached = true;
      return done;
    } catch (error) {
      // It took our key before: one that hangs up in a handshake now is dying.
      const reason =
        this.#hasReached && hasCode(error, 'ERR_FURCA_AUTHENTICATION') ? (error as Error).cause : error;
      const isGone = hasCode(reason, 'ERR_FURCA_BROKEN') || hasCode(reason, 'ERR_FURCA_CLOSED');
      if (this.#isClosed && isGone) throw managerClosed(doing);
      throw isGone ? serverGone(doing, this.#link.address, error) : error;
    }
  }
}

function hasCode(error: unknown, code: FurcaErrorCode): boolean {
  return FurcaError.is(error) && error.code === code;
}

/** What a reply means to who asked. */
function result(doing: string, { kind, value }: Reply): unknown {
  if (kind === '#RETURN') return value;
  if (kind === '#ERROR') throw value;
  if (kind === '#PROXY') throw noReply(doing);
  throw serverFault(doing, String(value));
}
