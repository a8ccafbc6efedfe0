import { readSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { TextTail } from './text-tail.js';

const READ_BYTES = 65536;

/** The tees whose pipes may still hold something when this process ends. */
const open = new Set<StderrTee>();
let isHooked = false;

/**
 * Hands what a worker writes to stderr on to this process's own, and keeps the end of it.
 *
 * The pipe keeps no event loop alive. What is in it when the worker is over, or when this process ends, is read at once, past the event loop.
 */
export class StderrTee {
  readonly #pipe: Socket;
  readonly #fd: number;
  readonly #kept = new TextTail();

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    this.#fd = (pipe as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
    pipe.on('data', (chunk: Buffer) => {
      this.#kept.add(chunk);
      process.stderr.write(chunk);
    });
    pipe.on('error', () => {});
    pipe.on('close', () => open.delete(this));
    pipe.unref();
    open.add(this);
    if (isHooked) return;
    isHooked = true;
    process.on('exit', () => {
      for (const tee of open) tee.#drain((chunk) => writeSync(2, chunk));
    });
  }

  /** The end of what has been written so far; everything that is in the pipe counts. */
  tail(): string {
    this.#drain((chunk) => process.stderr.write(chunk));
    return this.#kept.toString();
  }

  #drain(write: (chunk: Buffer) => void): void {
    if (this.#pipe.destroyed) return;
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafe(READ_BYTES);
        const bytes = readSync(this.#fd, chunk);
        if (bytes === 0) return;
        // A copy: a small text must not keep a large buffer.
        const text = Buffer.from(chunk.subarray(0, bytes));
        this.#kept.add(text);
        write(text);
      }
    } catch {
      // Empty for now (EAGAIN), or closed.
    }
  }
}
