import type { Socket } from 'node:net';
import type { FurcaError } from '../base/errors.js';
import { announcedTooMuch, closedHere, connectionBroke, endedInside, otherSideClosed } from './failures.js';
import { FrameReader } from './framing.js';
import { Outgoing } from './outgoing.js';
import { type Settle, type WaitOptions, waiting } from './waiting.js';

/** How long a closed connection still throws away what comes in: closing with bytes unread would reset it, and what was sent with it. */
const LINGER_MS = 1000;
const RECEIVING = 'Receiving a message';
const SENDING = 'Sending a message';

interface Receiver extends Settle<Uint8Array> {
  readonly maxBytes: number | undefined;
}

/**
 * A socket that carries messages. Reads on demand, at most one message and the buffer of a stream ahead: a sender whose messages nobody
 * takes is held back by the kernel.
 */
export class MessageSocket {
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #outgoing: Outgoing;
  readonly #receivers: Receiver[] = [];
  readonly #watchers = new Set<() => void>();
  #message: Uint8Array | undefined;
  /** Why nothing more will be received. */
  #ending: FurcaError | undefined;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, maxMessageBytes: number) {
    this.#socket = socket;
    this.#frames = new FrameReader(maxMessageBytes);
    this.#outgoing = new Outgoing(socket);
    // Kept in `socket.errored`; who receives or sends next is told.
    socket.on('error', () => {});
    socket.on('close', this.#onReadable);
    // From now on, not from the first receive on: what has come into the process is still there when a later write breaks the socket.
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onReadable);
  }

  /** The socket itself: for `ref`, `unref` and addresses. */
  get socket(): Socket {
    return this.#socket;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined || this.#socket.destroyed;
  }

  /** Nothing more can be received. */
  get isEnded(): boolean {
    return this.#message === undefined && this.#ending !== undefined;
  }

  get canSend(): boolean {
    return this.#closing === undefined && this.#socket.writable;
  }

  /** Tells whether a message is here, or it is known that none will come. */
  look(): boolean {
    return this.#fetch(undefined);
  }

  /** Calls `watcher` whenever there may be something new to receive; answers how to stop that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The next message if it is here. Throws as {@link receive}. */
  tryReceive(maxBytes?: number): Uint8Array | undefined {
    this.#assertOpen(RECEIVING);
    if (this.#receivers.length > 0) return undefined;
    return this.#take(maxBytes);
  }

  /**
   * The next message; those who wait get theirs in the order of their calls.
   *
   * @throws {@link ClosedError} the other side closed, or this one; {@link BrokenError}; {@link LimitError}.
   */
  receive(maxBytes: number | undefined, options: WaitOptions): Promise<Uint8Array> {
    return waiting(RECEIVING, options, (settle) => {
      this.#assertOpen(RECEIVING);
      const receiver: Receiver = { ...settle, maxBytes };
      this.#receivers.push(receiver);
      this.#serve();
      return () => {
        const at = this.#receivers.indexOf(receiver);
        if (at >= 0) this.#receivers.splice(at, 1);
      };
    });
  }

  /** Sends one message; see `Connection.sendBytes`. */
  send(body: Uint8Array, options: WaitOptions): Promise<void> {
    return waiting(SENDING, options, ({ resolve, reject }) => {
      this.#assertOpen(SENDING);
      return this.#outgoing.send(body, (error) =>
        error == null ? resolve() : reject(connectionBroke(SENDING, this.#socket.errored ?? error)),
      );
    });
  }

  /** Sends one message if the socket takes it without a wait; `false` when not, and nothing was sent. */
  trySend(body: Uint8Array): boolean {
    this.#assertOpen(SENDING);
    if (!this.#socket.writable) throw connectionBroke(SENDING, this.#socket.errored ?? new Error('EPIPE'));
    if (this.#outgoing.isFull) return false;
    this.#outgoing.send(body, () => {});
    return true;
  }

  /** Sends what was accepted, tells the other side that no more comes, and lets go. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      for (const { reject } of this.#receivers.splice(0)) reject(closedHere(RECEIVING, 'connection'));
      this.#outgoing.whenIdle(() => {
        if (this.#socket.destroyed) resolve();
        else this.#finish(resolve);
      });
      this.#tell();
    });
    return this.#closing;
  }

  #finish(resolve: () => void): void {
    const socket = this.#socket;
    socket.once('close', resolve);
    socket.once('end', () => socket.destroy());
    const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(linger));
    socket.end(() => {
      socket.off('readable', this.#onReadable);
      socket.unref();
      if (socket.readableEnded) socket.destroy();
      else socket.resume();
      resolve();
    });
  }

  /** Ends the connection at once; what was not sent yet is not sent. */
  terminate(): void {
    this.#closing ??= Promise.resolve();
    for (const { reject } of this.#receivers.splice(0)) reject(closedHere(RECEIVING, 'connection'));
    this.#socket.destroy();
    this.#tell();
  }

  #assertOpen(doing: string): void {
    if (this.#closing !== undefined) throw closedHere(doing, 'connection');
  }

  readonly #onReadable = (): void => {
    this.#serve();
    this.#tell();
  };

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #serve(): void {
    for (let receiver = this.#receivers[0]; receiver !== undefined; receiver = this.#receivers[0]) {
      try {
        const message = this.#take(receiver.maxBytes);
        if (message === undefined) return;
        this.#receivers.shift();
        receiver.resolve(message);
      } catch (error) {
        this.#receivers.shift();
        receiver.reject(error);
      }
    }
  }

  #take(maxBytes: number | undefined): Uint8Array | undefined {
    if (!this.#fetch(maxBytes)) return undefined;
    const message = this.#message;
    if (message === undefined) throw this.#ending as FurcaError;
    this.#message = undefined;
    return message;
  }

  /** Reads on until a message is whole; tells whether there is one, or that there will be none. */
  #fetch(maxBytes: number | undefined): boolean {
    if (this.#message !== undefined && maxBytes !== undefined && this.#message.byteLength > maxBytes) {
      // It was fetched before anyone said how long it may be.
      this.#ending = announcedTooMuch(this.#message.byteLength, maxBytes);
      this.#message = undefined;
    }
    if (this.#message !== undefined || this.#ending !== undefined) return true;
    try {
      this.#message = this.#frames.take(() => this.#socket.read() as Buffer | null, maxBytes);
    } catch (error) {
      this.#ending = error as FurcaError;
    }
    if (this.#message === undefined) this.#noticeEnd();
    return this.#message !== undefined || this.#ending !== undefined;
  }

  #noticeEnd(): void {
    if (this.#ending !== undefined) return;
    const { errored, readableEnded, destroyed } = this.#socket;
    if (errored !== null && errored !== undefined) this.#ending = connectionBroke(RECEIVING, errored);
    else if (!readableEnded && !destroyed) return;
    else this.#ending = this.#frames.isInside ? endedInside() : otherSideClosed();
  }
}
