import { Readable } from 'node:stream';
import { pipeBytes, readDescriptor, waitReadable } from '../kernel/descriptor.js';
import { PipeEnd } from './pipe-end.js';
import { TextDecoding, type TextSettings } from './text.js';

const PIECE_BYTES = 64 * 1024;

/** Takes what a command writes as it comes, and is told the end. */
export interface Collector {
  take(piece: Buffer): void;
  ended(): void;
}

/**
 * What a command writes: a stream of buffers, in text mode of strings.
 *
 * Reading begins with the first use, so that the whole stream can be handed to another command as its stdin.
 */
export class CommandOutput extends Readable {
  readonly #end: PipeEnd;
  readonly #decoding: TextDecoding | null;
  #collector: Collector | undefined;
  #isListening = false;
  #isOver = false;

  /** @internal */
  constructor(fd: number, text: TextSettings | null) {
    super({ ...(text === null ? {} : { encoding: 'utf8' as const }) });
    this.#end = new PipeEnd(fd, true);
    this.#decoding = text === null ? null : new TextDecoding(text);
  }

  /** The descriptor behind the stream; -1 once it is closed. */
  get fd(): number {
    return this.#end.fd;
  }

  override _read(): void {
    this.#listen();
    this.#end.open().resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end.close();
    if (!this.#isOver) {
      this.#isOver = true;
      this.#collector?.ended();
    }
    done(error);
  }

  /** @internal Throws unless the stream is as it was made. */
  assertUnused(name: string): void {
    this.#end.assertUnused(name, this.readableFlowing !== null || this.listenerCount('readable') > 0);
  }

  /** @internal */
  setReferenced(isReferenced: boolean): void {
    this.#end.setReferenced(isReferenced);
  }

  /** @internal The decoder, which goes on where reading this stream has left it. */
  get decoding(): TextDecoding | null {
    return this.#decoding;
  }

  /** @internal From now on everything goes to `collector`; answers what was read before and is still here. */
  collect(collector: Collector): string | Buffer | null {
    const before = this.#isOver && this.destroyed ? null : (this.read() as string | Buffer | null);
    this.#collector = collector;
    // The end comes with a failure too, and is what the collector waits for.
    this.on('error', () => {});
    if (this.#isOver) collector.ended();
    else this.#listen();
    return before;
  }

  /** @internal Lets the command wait with its output, or go on. */
  setPaused(isPaused: boolean): void {
    if (this.#isOver) return;
    if (isPaused) this.#end.open().pause();
    else this.#end.open().resume();
  }

  /** @internal Takes what is in the pipe now, and then closes it, whoever else still has it open. */
  drain(): void {
    const { fd } = this.#end;
    if (!this.#isOver && fd !== -1) {
      for (let piece = this.#takeBuffered(); piece !== null; piece = this.#takeBuffered())
        this.#collector?.take(piece);
      // Somebody who cannot be killed may go on writing: what comes after what is there now is not waited for.
      for (let left = pipeBytes(fd); left > 0 && waitReadable(fd, 0); ) {
        const piece = Buffer.allocUnsafe(Math.min(left, PIECE_BYTES));
        const count = readDescriptor(fd, piece);
        if (count <= 0) break;
        left -= count;
        this.#collector?.take(piece.subarray(0, count));
      }
    }
    this.destroy();
  }

  #takeBuffered(): Buffer | null {
    return this.#end.isOpened ? (this.#end.open().read() as Buffer | null) : null;
  }

  #listen(): void {
    if (this.#isListening || this.#isOver) return;
    this.#isListening = true;
    const socket = this.#end.open();
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.once('end', () => this.#finish());
    socket.once('error', (error) => this.destroy(error));
    socket.once('close', () => this.#finish());
  }

  #receive(piece: Buffer): void {
    if (this.#collector !== undefined) {
      this.#collector.take(piece);
      return;
    }
    this.#attempt(() => {
      const read = this.#decoding === null ? piece : this.#decoding.write(piece);
      if (read.length > 0 && !this.push(read, 'utf8')) this.#end.open().pause();
    });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#collector !== undefined) {
      this.#collector.ended();
      this.destroy();
      return;
    }
    this.#attempt(() => {
      const rest = this.#decoding?.end() ?? '';
      if (rest !== '') this.push(rest, 'utf8');
      this.push(null);
    });
  }

  /** What is no text ends the stream with the error that says so. */
  #attempt(pass: () => void): void {
    try {
      pass();
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}
