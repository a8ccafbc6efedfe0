import { Writable } from 'node:stream';
import { PipeEnd } from './pipe-end.js';
import { encodeText, type TextSettings } from './text.js';

/**
 * What a command reads. Writing to it waits as the command does; ending it is the end of the command's input.
 *
 * In text mode strings are written in the command's encoding.
 */
export class CommandInput extends Writable {
  readonly #end: PipeEnd;
  readonly #text: TextSettings | null;
  #isFirst = true;

  /** @internal */
  constructor(fd: number, text: TextSettings | null) {
    super({ decodeStrings: text === null });
    this.#end = new PipeEnd(fd, false);
    this.#text = text;
  }

  /** The descriptor behind the stream; -1 once it is closed. */
  get fd(): number {
    return this.#end.fd;
  }

  override _write(
    chunk: string | Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    let bytes: Buffer;
    try {
      bytes = typeof chunk === 'string' ? this.#encode(chunk) : chunk;
    } catch (error) {
      done(error as Error);
      return;
    }
    const socket = this.#end.open();
    if (socket.listenerCount('error') === 0) {
      // Each failure is told to the write it belongs to; of one that comes between two, the next write learns.
      socket.on('error', () => {});
      socket.once('close', () => this.destroy());
    }
    socket.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#end.isOpened) this.#end.open().end(() => done());
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end.close();
    done(error);
  }

  /** @internal Throws unless the stream is as it was made. */
  assertUnused(name: string): void {
    this.#end.assertUnused(name, this.writableEnded);
  }

  /** @internal */
  setReferenced(isReferenced: boolean): void {
    this.#end.setReferenced(isReferenced);
  }

  #encode(text: string): Buffer {
    if (this.#text === null) return Buffer.from(text);
    const bytes = encodeText(text, this.#text, this.#isFirst);
    this.#isFirst = false;
    return bytes;
  }
}
