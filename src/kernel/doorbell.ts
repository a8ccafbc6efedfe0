import { Socket } from 'node:net';
import { createPipe, type PipeEnds } from './descriptor.js';
import { native } from './library.js';
import { closeNoted, noteOpened } from './thread-descriptors.js';

const RING = new Uint8Array([1]);

/** Rings the doorbell behind `writeFd`; a full pipe has been rung already. */
export function ring(writeFd: number): boolean {
  // EAGAIN means that unread rings fill the pipe, so the sleeper will wake anyway; any other failure says that it is gone.
  return native().write(writeFd, RING, 1) === 1;
}

/**
 * Lets other processes wake this event loop: a pipe whose read end sits in the loop, whose write end others have open.
 *
 * An event loop cannot sleep in a futex, so who changes a word that a loop waits for rings here, once per sleep. While nobody
 * waits the read end is unreferenced, so that it keeps no program alive.
 */
export class Doorbell {
  readonly #pipe: PipeEnds;
  readonly #socket: Socket;

  /** @param onRing - Called in the event loop after one or several rings. */
  constructor(onRing: () => void) {
    this.#pipe = createPipe(true);
    noteOpened(this.#pipe.writeFd);
    this.#socket = new Socket({ fd: this.#pipe.readFd, readable: true, writable: false });
    this.#socket.on('data', onRing);
    // A pipe that fails or ends was closed by `close` or by a fork; there is nobody to tell.
    this.#socket.on('error', () => {});
    this.#socket.unref();
  }

  /** The end that others write to, valid in this process and in those that inherited it. */
  get writeFd(): number {
    return this.#pipe.writeFd;
  }

  /** Keeps the event loop alive while somebody waits. */
  ref(): void {
    this.#socket.ref();
  }

  /** Lets the event loop end although the doorbell is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** True of the loop handle of this doorbell; lists of open handles leave it out. */
  owns(handle: unknown): boolean {
    return handle === this.#socket;
  }

  /** Closes both ends. A forked child calls it on the copy it inherited, or it would eat its parent's rings. */
  close(): void {
    this.#socket.destroy();
    closeNoted(this.#pipe.writeFd);
  }
}
