import { BYTES, NO_PEER, SENT, type Side, sideOf, VALUE } from '../arena/lanes/pipe-words.js';
import { NOTHING } from '../arena/lanes/queue-words.js';
import type { Handle } from '../arena/local-handles.js';
import { ownMembership } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import { SharedObject } from '../arena/shared-object.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { passGate, passGateSync } from '../arena/waiting.js';
import { BrokenError, ClosedError, LimitError, TimeoutError, UsageError } from '../base/errors.js';
import type { Loan, WithCopy, ZeroCopy } from './loan.js';
import type { Check, PipeCore, PipeWait, Reading } from './local-pipe.js';
import { dropPacked, type Packed, packBytes, packValue, type SpareBlocks } from './packing.js';
import {
  allReceived,
  type BytesLimit,
  type BytesOffset,
  type BytesPart,
  bytesOnly,
  type Copying,
  isLending,
  partOf,
  peerGone,
  RECEIVING,
  readingInto,
  SENDING,
  wrongWay,
} from './pipe-checks.js';

/** What an end may do. */
export interface Rights {
  readonly canSend: boolean;
  readonly canReceive: boolean;
}

/** What travels along with an end. */
export interface PipeParts extends Rights {
  readonly core: PipeCore;
}

const POLLING = 'Polling the pipe';
const anything: Check = () => {};

/**
 * One end of a pipe, made by {@link Pipe}: what is sent at one end is received at the other, in order.
 *
 * A message is whole or not there, whoever is killed. Several processes may have the same end; each message goes to one of them. It can be sent
 * anywhere in the family, also through another pipe; the sender keeps its own until it closes it.
 *
 * The other end is gone when every process that had it has closed it or has ended. Close what you do not need yourself after giving it
 * away, or you will not be told.
 */
export class PipeConnection<In = unknown, Out = In> extends SharedObject implements AsyncDisposable {
  readonly #core: PipeCore;
  readonly #side: Side;
  readonly #rights: Rights;
  readonly #spare: SpareBlocks = {
    take: (length) => this.#core.local.view.takeSpare(this.#side, length),
    drop: () => this.#core.local.view.dropSpares(),
  };

  /** @internal */
  constructor(handle: Handle, core: PipeCore, rights: Rights) {
    super(handle);
    this.#core = core;
    this.#side = sideOf(this.arena, handle.word);
    this.#rights = rights;
  }

  /** Whether this end can receive. */
  get readable(): boolean {
    return this.#rights.canReceive;
  }

  /** Whether this end can send. */
  get writable(): boolean {
    return this.#rights.canSend;
  }

  /**
   * Sends a value; resolves once the other end can receive it, whatever becomes of this process. Waits while 4 MiB lie there unread; a
   * longer message passes when it is alone.
   *
   * @param value - Any sendable value, see docs/what-can-be-sent.md. It is copied.
   * @param options.timeoutMs - Longest wait for room in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason; nothing was sent.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the other end is gone.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: this end was closed.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this end only receives.
   */
  async send(value: Out, options: WaitOptions = {}): Promise<void> {
    await this.#send(this.#pack(value), VALUE, options);
  }

  /** As {@link send}, but never waits: answers whether it was sent. */
  trySend(value: Out): boolean {
    return this.#trySend(this.#pack(value), VALUE);
  }

  /** As {@link send}, but blocks this thread. */
  sendSync(value: Out, options: SyncWaitOptions = {}): void {
    this.#sendSync(this.#pack(value), VALUE, options);
  }

  /**
   * Sends bytes as one message, as they are. Otherwise as {@link send}.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: the part is not within `bytes`.
   */
  async sendBytes(bytes: Uint8Array, options: BytesPart & WaitOptions = {}): Promise<void> {
    await this.#send(this.#packPart(bytes, options), BYTES, options);
  }

  /** As {@link sendBytes}, but never waits: answers whether it was sent. */
  trySendBytes(bytes: Uint8Array, options: BytesPart = {}): boolean {
    return this.#trySend(this.#packPart(bytes, options), BYTES);
  }

  /** As {@link sendBytes}, but blocks this thread. */
  sendBytesSync(bytes: Uint8Array, options: BytesPart & SyncWaitOptions = {}): void {
    this.#sendSync(this.#packPart(bytes, options), BYTES, options);
  }

  /**
   * Receives the next message: the value, or a `Buffer` where bytes were sent.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; `0` never waits. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason; no message is lost.
   * @param options.zeroCopy - Whether large arrays in it are looked at where they lie: then a {@link Loan} of the message comes. Default `false`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the other end is gone and all it sent was received, or this end was closed.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: this end only sends.
   */
  recv(options: WaitOptions & ZeroCopy): Promise<Loan<In>>;
  recv(options?: WaitOptions & WithCopy): Promise<In>;
  async recv(options: WaitOptions & Copying = {}): Promise<In | Loan<In>> {
    return (await this.#receive(anything, options, this.#reading(options))) as In;
  }

  /** As {@link recv}, but never waits: answers `undefined` when nothing is there. */
  tryRecv(options: ZeroCopy): Loan<In> | undefined;
  tryRecv(options?: WithCopy): In | undefined;
  tryRecv(options: Copying = {}): In | Loan<In> | undefined {
    return this.#tryReceive(anything, this.#reading(options)) as In | undefined;
  }

  /** As {@link recv}, but blocks this thread. */
  recvSync(options: SyncWaitOptions & ZeroCopy): Loan<In>;
  recvSync(options?: SyncWaitOptions & WithCopy): In;
  recvSync(options: SyncWaitOptions & Copying = {}): In | Loan<In> {
    return this.#receiveSync(anything, options, this.#reading(options)) as In;
  }

  /**
   * Receives a message that was sent as bytes. Otherwise as {@link recv}.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: the next message is a value; it stays there.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: it is longer than `maxLengthBytes`; it stays there.
   */
  recvBytes(options: BytesLimit & WaitOptions & ZeroCopy): Promise<Loan<Buffer>>;
  recvBytes(options?: BytesLimit & WaitOptions & WithCopy): Promise<Buffer>;
  async recvBytes(options: BytesLimit & WaitOptions & Copying = {}): Promise<Buffer | Loan<Buffer>> {
    return (await this.#receive(bytesOnly(options), options, this.#reading(options))) as Buffer;
  }

  /** As {@link recvBytes}, but never waits: answers `undefined` when nothing is there. */
  tryRecvBytes(options: BytesLimit & ZeroCopy): Loan<Buffer> | undefined;
  tryRecvBytes(options?: BytesLimit & WithCopy): Buffer | undefined;
  tryRecvBytes(options: BytesLimit & Copying = {}): Buffer | Loan<Buffer> | undefined {
    return this.#tryReceive(bytesOnly(options), this.#reading(options)) as Buffer | undefined;
  }

  /** As {@link recvBytes}, but blocks this thread. */
  recvBytesSync(options: BytesLimit & SyncWaitOptions & ZeroCopy): Loan<Buffer>;
  recvBytesSync(options?: BytesLimit & SyncWaitOptions & WithCopy): Buffer;
  recvBytesSync(options: BytesLimit & SyncWaitOptions & Copying = {}): Buffer | Loan<Buffer> {
    return this.#receiveSync(bytesOnly(options), options, this.#reading(options)) as Buffer;
  }

  /**
   * Receives a message that was sent as bytes into memory that is there already: nothing is allocated. Otherwise as {@link recv}.
   *
   * @param buffer - Any typed array, view or Buffer; written from its beginning on, or from `offsetBytes`.
   * @param options.offsetBytes - Where in `buffer` the message begins, in bytes, from 0 to its length. Default 0.
   * @returns How many bytes the message has.
   * @throws {@link BufferTooShortError} `ERR_FURCA_BUFFER_TOO_SHORT`: the message is longer than what is left of `buffer`, which is as it was;
   * the message is received, and whole in the error's `received`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such buffer or offset. `ERR_FURCA_INVALID_STATE`: the next message is a value; it stays
   * there.
   *
   * @example
   * const [here, there] = Pipe();
   * await there.sendBytes(Buffer.from('abc'));
   * const buffer = new Uint8Array(5);
   * await here.recvBytesInto(buffer, { offsetBytes: 1 }); // => 3
   * [...buffer]; // => [0, 97, 98, 99, 0]
   */
  async recvBytesInto(buffer: ArrayBufferView, options: BytesOffset & WaitOptions = {}): Promise<number> {
    return (await this.#receive(bytesOnly({}), options, readingInto(buffer, options))) as number;
  }

  /** As {@link recvBytesInto}, but never waits: answers `undefined` when nothing is there. */
  tryRecvBytesInto(buffer: ArrayBufferView, options: BytesOffset = {}): number | undefined {
    return this.#tryReceive(bytesOnly({}), readingInto(buffer, options)) as number | undefined;
  }

  /** As {@link recvBytesInto}, but blocks this thread. */
  recvBytesIntoSync(buffer: ArrayBufferView, options: BytesOffset & SyncWaitOptions = {}): number {
    return this.#receiveSync(bytesOnly({}), options, readingInto(buffer, options)) as number;
  }

  /**
   * Tells whether `recv` would settle at once: a message is there, or the other end is gone.
   *
   * @param options.timeoutMs - Longest wait for that in milliseconds. Default 0.
   */
  async poll(options: WaitOptions = {}): Promise<boolean> {
    const { timeoutMs = 0, signal } = options;
    this.#openToReceive(POLLING);
    const poller = this.#core.local.newPoller(this.handle, this.#side);
    return await untilTimeout(passGate(poller, POLLING, { timeoutMs, signal }));
  }

  /** As {@link poll}, but blocks this thread. */
  pollSync({ timeoutMs = 0 }: SyncWaitOptions = {}): boolean {
    this.#openToReceive(POLLING);
    try {
      passGateSync(this.#core.local.newPoller(this.handle, this.#side), POLLING, timeoutMs);
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /** Receives until the other end is gone. */
  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    return this.#iterate(false) as AsyncGenerator<In, void, undefined>;
  }

  /** Receives without copying large arrays until the other end is gone. Each {@link Loan} is to be closed by who gets it. */
  loans(): AsyncGenerator<Loan<In>, void, undefined> {
    return this.#iterate(true) as AsyncGenerator<Loan<In>, void, undefined>;
  }

  async *#iterate(isLent: boolean): AsyncGenerator<unknown, void, undefined> {
    const reading = this.#core.local.readingAt(this.#side, isLent);
    for (;;) {
      this.#openToReceive(RECEIVING);
      const wait = this.#core.local.newReceiver(this.handle, this.#side, anything, reading);
      await passGate(wait, RECEIVING);
      const received = wait.take();
      if (received === NOTHING) return;
      yield received;
    }
  }

  /** Lets go of this end; waits of its own reject. What was sent can be received still. May be called twice. */
  override close(): void {
    if (this.isClosed) return;
    super.close();
    this.#core.local.tellOthers();
    this.#core.close();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** @internal What travels along with the end. */
  get parts(): PipeParts {
    return { core: this.#core, ...this.#rights };
  }

  #openToReceive(doing: string): void {
    this.open(doing);
    if (!this.#rights.canReceive) throw wrongWay(doing, 'sends');
  }

  #pack(value: unknown): Packed {
    this.#openToSend();
    return packValue(ownMembership(), value, 'value', false, this.#spare);
  }

  #packPart(bytes: Uint8Array, part: BytesPart): Packed {
    this.#openToSend();
    return packBytes(ownMembership(), partOf(bytes, part), this.#spare);
  }

  #openToSend(): void {
    this.open(SENDING);
    if (!this.#rights.canSend) throw wrongWay(SENDING, 'receives');
  }

  async #send(packed: Packed, tag: number, options: WaitOptions): Promise<void> {
    try {
      const wait = this.#core.local.newSender(this.handle, this.#side, packed, tag);
      await passGate(wait, SENDING, options);
      this.#checkSent(wait);
    } finally {
      dropPacked(ownMembership(), packed);
    }
  }

  #sendSync(packed: Packed, tag: number, options: SyncWaitOptions): void {
    try {
      const wait = this.#core.local.newSender(this.handle, this.#side, packed, tag);
      passGateSync(wait, SENDING, options.timeoutMs);
      this.#checkSent(wait);
    } finally {
      dropPacked(ownMembership(), packed);
    }
  }

  #trySend(packed: Packed, tag: number): boolean {
    try {
      const result = this.#core.local.trySend(this.#side, packed, tag);
      if (result === NO_PEER) throw peerGone(SENDING);
      return result === SENT;
    } finally {
      dropPacked(ownMembership(), packed);
    }
  }

  #checkSent(wait: PipeWait<true>): void {
    if (wait.take() !== NOTHING) return;
    this.open(SENDING);
    throw peerGone(SENDING);
  }

  #reading(options: Copying): Reading {
    return this.#core.local.readingAt(this.#side, isLending(options));
  }

  async #receive(check: Check, options: WaitOptions, reading: Reading): Promise<unknown> {
    this.#openToReceive(RECEIVING);
    const wait = this.#core.local.newReceiver(this.handle, this.#side, check, reading);
    await passGate(wait, RECEIVING, options);
    return this.#received(wait.take());
  }

  #receiveSync(check: Check, options: SyncWaitOptions, reading: Reading): unknown {
    this.#openToReceive(RECEIVING);
    const wait = this.#core.local.newReceiver(this.handle, this.#side, check, reading);
    passGateSync(wait, RECEIVING, options.timeoutMs);
    return this.#received(wait.take());
  }

  #tryReceive(check: Check, reading: Reading): unknown {
    this.#openToReceive(RECEIVING);
    const { local } = this.#core;
    const isGone = local.view.isGone((1 - this.#side) as Side);
    const received = local.tryReceive(this.#side, check, reading);
    if (received !== NOTHING) return received;
    if (isGone) throw allReceived();
    return undefined;
  }

  #received(received: unknown): unknown {
    if (received !== NOTHING) return received;
    this.open(RECEIVING);
    throw allReceived();
  }
}

/** Resolves with whether what was waited for came in time. */
async function untilTimeout(wait: Promise<void>): Promise<boolean> {
  try {
    await wait;
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
