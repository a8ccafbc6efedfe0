import type { Socket } from 'node:net';
import { frameHeader } from './framing.js';

/** Up to here CPython joins header and body into one write, so that Nagle's algorithm does not hold the body back. */
const JOINED_BYTES = 16 * 1024;
/** No single write is longer: a system call takes at most 2 GiB. */
const PIECE_BYTES = 64 * 1024 * 1024;

type Done = (error: Error | null | undefined) => void;

interface Entry {
  readonly body: Uint8Array;
  readonly done: Done;
  /** Taken back before its turn came. */
  isWithdrawn: boolean;
}

/** The messages on their way into a socket, in order, each whole or not at all. */
export class Outgoing {
  readonly #socket: Socket;
  #waiting: Entry[] = [];
  #inFlight = 0;
  #onIdle: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.#flush());
    socket.on('close', () => this.#giveUp());
  }

  /** The socket would take no more right now. */
  get isFull(): boolean {
    return this.#waiting.length > 0 || this.#socket.writableNeedDrain;
  }

  /**
   * Sends `body` after all that came before it; `done` is called once the system has it, or with why it never will.
   *
   * @returns Takes the message back, unless a part of it has left.
   */
  send(body: Uint8Array, done: Done): () => void {
    const entry: Entry = { body, done, isWithdrawn: false };
    this.#waiting.push(entry);
    this.#flush();
    return () => {
      entry.isWithdrawn = true;
    };
  }

  /** Calls `act` once all that was accepted is with the system, or never will be. */
  whenIdle(act: () => void): void {
    if (this.#waiting.length === 0 && this.#inFlight === 0) act();
    else this.#onIdle.push(act);
  }

  #flush(): void {
    while (!this.#socket.destroyed && !this.#socket.writableNeedDrain) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      if (entry.isWithdrawn) continue;
      this.#inFlight++;
      this.#write(entry.body, (error) => {
        this.#inFlight--;
        // Node calls back without an error when the socket was destroyed meanwhile.
        entry.done(error ?? (this.#socket.destroyed ? this.#whyBroken() : null));
        this.#tellIdle();
      });
    }
    if (this.#socket.destroyed) this.#giveUp();
    else this.#tellIdle();
  }

  #write(body: Uint8Array, done: Done): void {
    const header = frameHeader(body.byteLength);
    if (body.byteLength <= JOINED_BYTES) {
      this.#socket.write(Buffer.concat([header, body]), done);
      return;
    }
    this.#socket.cork();
    this.#socket.write(header);
    for (let at = 0; at < body.byteLength; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= body.byteLength;
      this.#socket.write(body.subarray(at, at + PIECE_BYTES), isLast ? done : undefined);
    }
    this.#socket.uncork();
  }

  /** Nothing that still waits here will ever leave. */
  #giveUp(): void {
    for (const { done } of this.#waiting.splice(0)) done(this.#whyBroken());
    this.#tellIdle();
  }

  #whyBroken(): Error {
    return this.#socket.errored ?? Object.assign(new Error('the socket was destroyed'), { code: 'EPIPE' });
  }

  #tellIdle(): void {
    if (this.#waiting.length > 0 || this.#inFlight > 0) return;
    for (const act of this.#onIdle.splice(0)) act();
  }
}
