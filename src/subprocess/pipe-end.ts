import { Socket } from 'node:net';
import { closeDescriptor } from '../kernel/descriptor.js';
import { alreadyRead } from './failures.js';

interface Owned {
  fd: number;
}

/** Closes the descriptor of a stream that was dropped before anything was done with it. */
const dropped = new FinalizationRegistry<Owned>(closeOwned);

function closeOwned(owned: Owned): void {
  if (owned.fd === -1) return;
  closeDescriptor(owned.fd);
  owned.fd = -1;
}

/**
 * This program's end of a pipe to a command. It is a bare descriptor until it is first used, so that it can still be handed to another
 * command with all that is in the pipe, and stays readable when its command has ended.
 */
export class PipeEnd {
  readonly #owned: Owned;
  readonly #isReadable: boolean;
  #socket: Socket | undefined;
  #isReferenced = true;

  constructor(fd: number, isReadable: boolean) {
    this.#owned = { fd };
    this.#isReadable = isReadable;
    dropped.register(this, this.#owned, this.#owned);
  }

  /** The descriptor; -1 once it is closed. */
  get fd(): number {
    return this.#socket === undefined ? this.#owned.fd : descriptorOf(this.#socket);
  }

  get isOpened(): boolean {
    return this.#socket !== undefined;
  }

  /** The stream over the descriptor, which belongs to it from now on. */
  open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const { fd } = this.#owned;
    this.#owned.fd = -1;
    dropped.unregister(this.#owned);
    this.#socket = new Socket({ fd, readable: this.#isReadable, writable: !this.#isReadable });
    if (!this.#isReferenced) this.#socket.unref();
    return this.#socket;
  }

  /**
   * Throws unless the descriptor may be given to another command: reading here would take something away from that.
   *
   * @param isPromised - Whether somebody here has asked for the stream's data already.
   */
  assertUnused(name: string, isPromised: boolean): void {
    if (this.#socket !== undefined || this.#owned.fd === -1 || isPromised) throw alreadyRead(name);
  }

  close(): void {
    if (this.#socket !== undefined) this.#socket.destroy();
    else closeOwned(this.#owned);
    dropped.unregister(this.#owned);
  }

  setReferenced(isReferenced: boolean): void {
    this.#isReferenced = isReferenced;
    if (isReferenced) this.#socket?.ref();
    else this.#socket?.unref();
  }
}

/** The descriptor under one of Node's own streams; -1 where there is none. */
export function descriptorOf(stream: object): number {
  const { fd, _handle } = stream as {
    readonly fd?: unknown;
    readonly _handle?: { readonly fd?: unknown } | null;
  };
  const found = typeof fd === 'number' ? fd : _handle?.fd;
  return typeof found === 'number' && found >= 0 ? found : -1;
}
