import type { Writable } from 'node:stream';

/** Lines are handed to the stream when this many characters have gathered, or when the loop has had a turn. */
const BATCH_CHARACTERS = 32 * 1024;

/** Writes lines to a stream no faster than they are read at its other end. */
export class ResultLines {
  readonly #stream: Writable;
  #pending = '';
  #flushing: NodeJS.Immediate | undefined;
  #isFull = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('drain', () => {
      this.#isFull = false;
    });
  }

  /** Adds a line. Wait for the promise, if there is one, before the next: the reader is behind. */
  write(line: string): Promise<void> | undefined {
    this.#pending += `${line}\n`;
    if (this.#pending.length >= BATCH_CHARACTERS) this.flush();
    else this.#flushing ??= setImmediate(() => this.flush());
    return this.#isFull ? new Promise((resolve) => this.#stream.once('drain', resolve)) : undefined;
  }

  /** Resolves when the stream has taken everything. */
  end(): Promise<void> {
    this.flush();
    return new Promise((resolve) => {
      this.#stream.write('', () => resolve());
    });
  }

  /** Hands over what has gathered. */
  flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (this.#pending === '') return;
    this.#isFull = !this.#stream.write(this.#pending);
    this.#pending = '';
  }
}
