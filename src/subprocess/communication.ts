import type { CommandInput } from './command-input.js';
import type { CommandOutput } from './command-output.js';

/** What one stream has given so far, and its decoding at the end. */
class Capture {
  readonly over: Promise<void>;
  readonly #output: CommandOutput;
  readonly #pieces: Buffer[] = [];
  readonly #before: string | Buffer | null;
  #result: string | Buffer | undefined;

  constructor(output: CommandOutput) {
    this.#output = output;
    let finish = (): void => {};
    this.over = new Promise((resolve) => {
      finish = resolve;
    });
    this.#before = output.collect({
      take: (piece) => {
        this.#pieces.push(piece);
      },
      ended: () => finish(),
    });
  }

  /** All of it. Throws where it is no text. */
  whole(): string | Buffer {
    this.#result ??= this.#read((bytes, decoding) => decoding.end(bytes));
    return this.#result;
  }

  /** What is there by now; a character whose end is missing is left out. */
  soFar(): string | Buffer {
    return this.#read((bytes, decoding) => decoding.preview(bytes));
  }

  #read(
    decode: (bytes: Buffer, decoding: NonNullable<CommandOutput['decoding']>) => string,
  ): string | Buffer {
    const bytes = Buffer.concat(this.#pieces);
    const { decoding } = this.#output;
    if (decoding !== null) return `${this.#before ?? ''}${decode(bytes, decoding)}`;
    return this.#before === null ? bytes : Buffer.concat([this.#before as Buffer, bytes]);
  }
}

/** A command's streams. */
export interface Streams {
  readonly stdin: CommandInput | null;
  readonly stdout: CommandOutput | null;
  readonly stderr: CommandOutput | null;
}

/** What was captured: stdout, stderr. */
export type Output = readonly [string | Buffer | null, string | Buffer | null];

/** One conversation with a command: all of its input goes in, all of its output comes out. Waits for it may come and go. */
export class Communication {
  /** Resolves when the command has ended and its output is closed; never rejects. */
  readonly over: Promise<void>;
  readonly #streams: Streams;
  readonly #stdout: Capture | null;
  readonly #stderr: Capture | null;

  constructor(streams: Streams, input: string | Uint8Array | undefined, ended: Promise<unknown>) {
    this.#streams = streams;
    this.#stdout = streams.stdout === null ? null : new Capture(streams.stdout);
    this.#stderr = streams.stderr === null ? null : new Capture(streams.stderr);
    if (streams.stdin !== null) send(streams.stdin, input);
    this.over = Promise.all([ended, this.#stdout?.over, this.#stderr?.over]).then(() => {
      // Whoever else may have its input open by now has not been asked to read it.
      streams.stdin?.destroy();
    });
  }

  /** What was captured. Throws where it is no text. */
  whole(): Output {
    return [this.#stdout?.whole() ?? null, this.#stderr?.whole() ?? null];
  }

  /** What is there by now. */
  soFar(): Output {
    return [this.#stdout?.soFar() ?? null, this.#stderr?.soFar() ?? null];
  }

  /** While nobody waits, the command waits with its output: it must not fill the memory here. */
  setPaused(isPaused: boolean): void {
    this.#streams.stdout?.setPaused(isPaused);
    this.#streams.stderr?.setPaused(isPaused);
  }

  /** Takes what is in the pipes and closes them, whoever else has them open. */
  drain(): void {
    this.#streams.stdout?.drain();
    this.#streams.stderr?.drain();
    this.#streams.stdin?.destroy();
  }
}

/** Sends all input and then its end. A command that reads less than it is given, or nothing, is no failure. */
function send(stdin: CommandInput, input: string | Uint8Array | undefined): void {
  stdin.on('error', () => {});
  if (stdin.destroyed || stdin.writableEnded) return;
  if (input !== undefined && input.length > 0) stdin.write(input);
  stdin.end();
}
