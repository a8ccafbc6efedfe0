import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { waitReadable } from './descriptor.js';
import { native, viewMemory } from './library.js';

export const SIGKILL: number = constants.signals.SIGKILL;

/*
 * A JavaScript handler of a signal runs when the event loop turns, and a thread that blocks does not turn it. What libuv does in between is
 * simple, and has been the same since 2013: its C handler writes { handle, number } into a pipe of the loop's, and the loop reads it from
 * there. So a thread that blocks may read it itself and call the handlers. What is found on the way is checked; if anything is not as it
 * should be, handlers run when the loop turns, as ever.
 */

/** `uv_signal_t` among libuv's kinds of handles. */
const UV_SIGNAL = 16;
/** `struct { uv_signal_t *handle; int signum; }`. */
const MESSAGE_BYTES = 16;

interface SignalPipe {
  readonly readFd: number;
  readonly writeFd: number;
  readonly loop: number;
  readonly loopBytes: number;
  readonly handleBytes: number;
}

let found: SignalPipe | null | undefined;
let foundIn = 0;
const messages = new Uint8Array(MESSAGE_BYTES * 64);
const addresses = new BigUint64Array(messages.buffer);
const numbers = new Int32Array(messages.buffer);

/** Calls the JavaScript handlers of the signals that have come while this thread was blocked. */
export function runSignalHandlers(): void {
  if (!isMainThread || !hasListeners()) return;
  if (found === undefined || foundIn !== process.pid) {
    found = findPipe();
    foundIn = process.pid;
  }
  if (found === null || !waitReadable(found.readFd, 0)) return;
  const bytes = native().read(found.readFd, messages, messages.byteLength);
  const caught: number[] = [];
  for (let at = 0; at + MESSAGE_BYTES <= bytes; at += MESSAGE_BYTES) {
    if (!dispatch(found, Number(addresses[at / 8]), numbers[at / 4 + 2] as number, caught)) {
      // libuv's own, such as for the end of a child: back to where the loop will find it.
      native().write(found.writeFd, messages.subarray(at, at + MESSAGE_BYTES), MESSAGE_BYTES);
    }
  }
  for (const number of caught) emit(number);
}

function dispatch(pipe: SignalPipe, handle: number, number: number, caught: number[]): boolean {
  const isLoops = handle >= pipe.loop && handle < pipe.loop + pipe.loopBytes;
  const name = nameOf(number);
  if (isLoops || name === undefined || process.listenerCount(name) === 0) return false;
  // The handle counts what was caught and what was dispatched, in its last two words, and does not close before they are the same.
  const counts = new Uint32Array(viewMemory(handle + pipe.handleBytes - 8, 8));
  if ((counts[0] as number) <= (counts[1] as number)) return false;
  counts[1] = (counts[1] as number) + 1;
  caught.push(number);
  return true;
}

function emit(number: number): void {
  const name = nameOf(number);
  if (name !== undefined) (process as NodeJS.EventEmitter).emit(name, name, number);
}

function nameOf(number: number): NodeJS.Signals | undefined {
  const entry = Object.entries(constants.signals).find(([, one]) => one === number);
  return entry?.[0] as NodeJS.Signals | undefined;
}

function hasListeners(): boolean {
  return process.eventNames().some((name) => typeof name === 'string' && name.startsWith('SIG'));
}

/** The pipe's ends stand side by side in the loop's structure, and are the only two there that lead to one pipe. */
function findPipe(): SignalPipe | null {
  const libuv = native();
  const loop = libuv.uv_default_loop();
  const loopBytes = libuv.uv_loop_size();
  const words = new Int32Array(viewMemory(loop, loopBytes));
  for (let index = 0; index + 1 < words.length; index++) {
    const [readFd, writeFd] = [words[index] as number, words[index + 1] as number];
    if (readFd > 2 && writeFd > 2 && readFd < 65_536 && writeFd < 65_536 && isOnePipe(readFd, writeFd)) {
      return { readFd, writeFd, loop, loopBytes, handleBytes: libuv.uv_handle_size(UV_SIGNAL) };
    }
  }
  return null;
}

function isOnePipe(readFd: number, writeFd: number): boolean {
  if (readFd === writeFd) return false;
  try {
    const [reading, writing] = [fstatSync(readFd), fstatSync(writeFd)];
    return reading.isFIFO() && writing.isFIFO() && reading.ino === writing.ino && reading.dev === writing.dev;
  } catch {
    return false;
  }
}
