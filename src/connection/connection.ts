import { Socket } from 'node:net';
import { copierInto } from '../base/buffer-target.js';
import { ClosedError } from '../base/errors.js';
import type { Readiness, Waitable } from '../base/waitable.js';
import { isChallenge, keyMissing } from './authentication.js';
import { badArgument } from './failures.js';
import { type Codec, codecOf, type FormatOptions } from './message-format.js';
import { MessageSocket } from './message-socket.js';
import { assertOptionsObject, checkedTimeoutMs, type WaitOptions, waiting } from './waiting.js';

/** Longest message that is received unless `maxMessageBytes` says otherwise. */
const DEFAULT_MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

/** Options of a {@link Connection}. */
export interface ConnectionOptions extends FormatOptions {
  /** A longer message is refused before anything is allocated for it. Default 256 MiB. */
  readonly maxMessageBytes?: number | undefined;
}

/** Which part of an array of bytes is sent. */
export interface SendBytesOptions extends WaitOptions {
  /** First byte. Default 0. */
  readonly offsetBytes?: number | undefined;
  /** How many bytes. Default: to the end. */
  readonly sizeBytes?: number | undefined;
}

/** How one message is received. */
export interface RecvBytesOptions extends WaitOptions {
  /** Refuses a longer message; nothing can be received after it. Default: `maxMessageBytes` of the connection. */
  readonly maxLengthBytes?: number | undefined;
}

/** Where a message is received. */
export interface RecvIntoOptions extends WaitOptions {
  /** First byte of the buffer that is written. Default 0. */
  readonly offsetBytes?: number | undefined;
}

/** What a connection has carried so far. */
export interface ConnectionStats {
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
}

/** Connections of a side without a key: a listener that wants one says so in its first message. */
const withoutKey = new WeakSet<object>();

/**
 * Carries messages over a socket, whole and in order, as Python's `multiprocessing.connection.Connection` does; the bytes are the same.
 *
 * `Client` and `Listener` make connections; over a descriptor that was inherited: `new Connection(new Socket({ fd: 3 }))`. Reads only
 * when asked for a message, so that the sender of messages nobody takes is held back. There are no `Sync` forms: the socket belongs to the event
 * loop, which may have read half of a message already, and stands still while its thread blocks.
 *
 * @typeParam In - What {@link recv} gives; not checked, the other side decides.
 * @typeParam Out - What {@link send} takes.
 */
export class Connection<In = unknown, Out = unknown> implements Waitable, AsyncDisposable, AsyncIterable<In> {
  readonly #messages: MessageSocket;
  readonly #codec: Codec;
  #sentMessages = 0;
  #sentBytes = 0;
  #receivedMessages = 0;
  #receivedBytes = 0;

  /**
   * @param socket - Connected and not read from; the connection owns it from now on.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  constructor(socket: Socket | MessageSocket, options: ConnectionOptions = {}) {
    if (!(socket instanceof Socket) && !(socket instanceof MessageSocket)) {
      throw badArgument('Making a Connection', 'socket', 'a Socket of node:net');
    }
    assertOptionsObject('Making a Connection', options);
    this.#codec = codecOf('Making a Connection', options);
    this.#messages = socket instanceof Socket ? messagesOver(socket, options) : socket;
  }

  /**
   * Sends a value; resolves once the system has taken it.
   *
   * It is packed before this returns: later changes stay here. Waits while the other side does not read. Values arrive in the order of the
   * calls. A value whose first bytes have left cannot be taken back: when the wait for it ends early it still arrives, whole.
   *
   * @param value - Anything the connection's format takes: see docs/connections.md.
   * @param options.timeoutMs - Longest wait, in milliseconds. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the value cannot be sent; nothing was.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the other side is gone.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: this side called `close()`.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  async send(value: Out, options: WaitOptions = {}): Promise<void> {
    await this.#send(this.#codec.encode(value), options);
  }

  /**
   * Sends a value if the socket takes it without a wait.
   *
   * @returns `false` when not: nothing was sent. Errors as {@link send}.
   */
  trySend(value: Out): boolean {
    return this.trySendBytes(this.#codec.encode(value));
  }

  /**
   * Sends bytes as one message; resolves once the system has taken them. Do not change them before.
   *
   * @param options - As {@link send}; `offsetBytes` and `sizeBytes` choose a part.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: the part is not within `bytes`. Others as {@link send}.
   */
  async sendBytes(bytes: Uint8Array, options: SendBytesOptions = {}): Promise<void> {
    await this.#send(partOf(bytes, options), options);
  }

  /** Sends bytes if the socket takes them without a wait; see {@link trySend} and {@link sendBytes}. */
  trySendBytes(bytes: Uint8Array, options: SendBytesOptions = {}): boolean {
    const part = partOf(bytes, options);
    const isSent = this.#messages.trySend(part);
    if (isSent) this.#noteSent(part);
    return isSent;
  }

  async #send(bytes: Uint8Array, options: WaitOptions): Promise<void> {
    await this.#messages.send(bytes, options);
    this.#noteSent(bytes);
  }

  #noteSent(bytes: Uint8Array): void {
    this.#sentMessages++;
    this.#sentBytes += bytes.byteLength;
  }

  /**
   * Receives the next value; several waiting calls get theirs in the order of the calls.
   *
   * @param options.timeoutMs - Longest wait, in milliseconds; a message that comes later is the next call's. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the other side closed and everything was received, or this side called `close()`.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the connection broke, in the middle of a message perhaps.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the message is longer than `maxMessageBytes`; none can be received after it.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the message cannot be read; it is gone, the next can be received.
   * @throws {@link AuthenticationError} `ERR_FURCA_AUTHENTICATION`: the listener asks for a key, and `Client` was given none.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  async recv(options: WaitOptions = {}): Promise<In> {
    return this.#codec.decode(await this.recvBytes(options)) as In;
  }

  /** The next value if it is here already, else `undefined`; look at {@link tryPoll} where values may be `undefined`. Errors as {@link recv}. */
  tryRecv(): In | undefined {
    const message = this.tryRecvBytes();
    return message === undefined ? undefined : (this.#codec.decode(message) as In);
  }

  /**
   * Receives the next message as bytes, with memory of their own.
   *
   * @param options.maxLengthBytes - Refuses a longer message with `ERR_FURCA_LIMIT`; nothing can be received after it, as in Python.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. Others as {@link recv}.
   */
  async recvBytes(options: RecvBytesOptions = {}): Promise<Uint8Array> {
    return this.#received(await this.#messages.receive(maxLength(options), options));
  }

  /** The next message if it is here already, else `undefined`. Errors as {@link recvBytes}. */
  tryRecvBytes(options: RecvBytesOptions = {}): Uint8Array | undefined {
    const message = this.#messages.tryReceive(maxLength(options));
    return message === undefined ? undefined : this.#received(message);
  }

  /**
   * Receives the next message into memory that is there already.
   *
   * @param buffer - Any typed array, view or Buffer.
   * @param options.offsetBytes - Where in `buffer` the message begins, in bytes, from 0 to its length. Default 0.
   * @returns How many bytes the message has.
   * @throws {@link BufferTooShortError} `ERR_FURCA_BUFFER_TOO_SHORT`: the message is longer than what is left of `buffer`, which is as it was; the
   * message is received, and whole in the error's `received`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such buffer or offset. Others as {@link recvBytes}.
   */
  async recvBytesInto(buffer: ArrayBufferView, options: RecvIntoOptions = {}): Promise<number> {
    const copy = copierInto('Receiving a message', buffer, options.offsetBytes);
    return copy(await this.recvBytes({ timeoutMs: options.timeoutMs, signal: options.signal }));
  }

  /** As {@link recvBytesInto} if the next message is here already, else `undefined`. */
  tryRecvBytesInto(buffer: ArrayBufferView, options: RecvIntoOptions = {}): number | undefined {
    const copy = copierInto('Receiving a message', buffer, options.offsetBytes);
    const message = this.tryRecvBytes();
    return message === undefined ? undefined : copy(message);
  }

  #received(message: Uint8Array): Uint8Array {
    if (this.#receivedMessages === 0 && withoutKey.has(this) && isChallenge(message)) {
      this.terminate();
      throw keyMissing();
    }
    this.#receivedMessages++;
    this.#receivedBytes += message.byteLength;
    return message;
  }

  /**
   * Tells whether {@link recv} would settle at once: a whole message is here, or it is known that none will come.
   *
   * @param options.timeoutMs - How long to wait for that. Default 0: takes in what has arrived by now, and looks.
   * @throws The reason of `signal`, and {@link ClosedError} `ERR_FURCA_CLOSED`: this side called `close()`.
   */
  poll(options: WaitOptions = {}): Promise<boolean> {
    const { timeoutMs = 0, signal } = options;
    const begin = ({ resolve }: { resolve(value: boolean): void }): (() => void) => {
      const look = (): void => {
        if (this.tryPoll()) resolve(true);
      };
      const stop = this.#messages.watch(look);
      look();
      return stop;
    };
    return waiting(
      'Polling',
      { timeoutMs: checkedTimeoutMs('Polling', timeoutMs), signal },
      begin,
      () => false,
    );
  }

  /** As {@link poll}, at once: says what is known by now. The first call lets the connection fetch a message. */
  tryPoll(): boolean {
    return this.closed || this.#messages.look();
  }

  /**
   * Sends what was accepted, tells the other side that no more comes, and lets go; resolves then. May be called twice.
   *
   * Who waits to receive gets `ERR_FURCA_CLOSED`; what was not received yet is thrown away. Waits as long as the other side does not
   * read: {@link terminate} does not.
   */
  close(): Promise<void> {
    return this.#messages.close();
  }

  /** Ends the connection at once; what was not sent yet is not sent. May be called twice. */
  terminate(): void {
    this.#messages.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Receives value after value until the other side closes, or this one. Errors as {@link recv}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    for (;;) {
      let message: Uint8Array;
      try {
        message = await this.recvBytes();
      } catch (error) {
        if (error instanceof ClosedError) return;
        throw error;
      }
      yield this.#codec.decode(message) as In;
    }
  }

  /** For `wait`; see there. */
  get 'furca:waitable'(): Readiness {
    return { isReady: () => this.tryPoll(), watch: (look) => this.#messages.watch(look) };
  }

  /** This side called `close()` or `terminate()`, or the connection broke. */
  get closed(): boolean {
    return this.#messages.isClosed;
  }

  /** Whether there may be something to receive: not closed here, and no end seen yet. */
  get readable(): boolean {
    return !this.closed && !this.#messages.isEnded;
  }

  /** Whether something can be sent. */
  get writable(): boolean {
    return this.#messages.canSend;
  }

  /** Keeps the event loop alive while something is waited for here; the default. */
  ref(): this {
    this.#messages.socket.ref();
    return this;
  }

  /** Lets the program end though something is waited for here. */
  unref(): this {
    this.#messages.socket.unref();
    return this;
  }

  stats(): ConnectionStats {
    return Object.freeze({
      sentMessages: this.#sentMessages,
      sentBytes: this.#sentBytes,
      receivedMessages: this.#receivedMessages,
      receivedBytes: this.#receivedBytes,
    });
  }
}

/** Says that no challenge is expected: should one come, this side lacks a key. */
export function expectNoChallenge<In, Out>(connection: Connection<In, Out>): Connection<In, Out> {
  withoutKey.add(connection);
  return connection;
}

/**
 * The messages of a socket, for a handshake and then a connection.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function messagesOver(socket: Socket, options: ConnectionOptions): MessageSocket {
  return new MessageSocket(socket, checkedMaxMessageBytes('Making a Connection', options));
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedMaxMessageBytes(doing: string, options: ConnectionOptions): number {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  if (typeof maxMessageBytes === 'number' && maxMessageBytes >= 0) return maxMessageBytes;
  throw badArgument(doing, 'maxMessageBytes', 'a number of bytes, 0 or more');
}

function maxLength({ maxLengthBytes }: RecvBytesOptions): number | undefined {
  if (maxLengthBytes === undefined) return undefined;
  if (typeof maxLengthBytes === 'number' && maxLengthBytes >= 0) return maxLengthBytes;
  throw badArgument('Receiving a message', 'maxLengthBytes', 'a number of bytes, 0 or more');
}

function partOf(bytes: unknown, { offsetBytes = 0, sizeBytes }: SendBytesOptions): Uint8Array {
  const doing = 'Sending bytes';
  if (!(bytes instanceof Uint8Array)) throw badArgument(doing, 'bytes', 'a Uint8Array');
  if (!Number.isInteger(offsetBytes) || offsetBytes < 0 || offsetBytes > bytes.byteLength) {
    throw badArgument(
      doing,
      'offsetBytes',
      `a whole number from 0 to the ${bytes.byteLength} bytes there are`,
    );
  }
  const left = bytes.byteLength - offsetBytes;
  const size = sizeBytes ?? left;
  if (!Number.isInteger(size) || size < 0 || size > left) {
    throw badArgument(doing, 'sizeBytes', `a whole number from 0 to the ${left} bytes after the offset`);
  }
  return bytes.subarray(offsetBytes, offsetBytes + size);
}
