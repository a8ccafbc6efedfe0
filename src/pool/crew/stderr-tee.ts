import { readSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How much of a worker's last words is kept. */
const TAIL_BYTES = 4096;
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
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    this.#fd = (pipe as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
    pipe.on('data', (chunk: Buffer) => {
      this.#keep(chunk);
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
    const all = Buffer.concat(this.#kept);
    return all.subarray(Math.max(0, all.byteLength - TAIL_BYTES)).toString();
  }

  #keep(chunk: Buffer): void {
    this.#kept.push(chunk);
    this.#keptBytes += chunk.byteLength;
    while (this.#keptBytes - (this.#kept[0] as Buffer).byteLength >= TAIL_BYTES)
      this.#keptBytes -= (this.#kept.shift() as Buffer).byteLength;
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
        this.#keep(text);
        write(text);
      }
    } catch {
      // Empty for now (EAGAIN), or closed.
    }
  }
}
