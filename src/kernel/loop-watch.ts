import { isMainThread } from 'node:worker_threads';
import { native } from './library.js';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 64;

/**
 * Watches the event loop of a forked child and calls `onDry` when nothing in it is alive any more.
 *
 * In a forked child the loop must never run dry inside libuv: Node would then wait for platform tasks
 * that no thread is left to run. One timer therefore keeps it turning. Looks come after 1, 2, 4 ... 64 ms, so a busy
 * child pays next to nothing and a natural end is noticed within a few hundredths of a second.
 */
export class LoopWatch {
  readonly #onDry: () => void;
  readonly #onAlive: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param onAlive - Called after every look that finds the loop alive. */
  constructor(onDry: () => void, onAlive?: () => void) {
    this.#onDry = onDry;
    this.#onAlive = onAlive;
    this.#pause();
  }

  /** Ends the watch; the caller keeps the loop alive by other means, or ends the process. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #pause(): void {
    this.#timer = setTimeout(() => {
      // Unreferenced, or it would itself count as alive; the short timer makes the loop reach it.
      setImmediate(() => this.#look()).unref();
      this.#timer = setTimeout(() => this.#pause(), FIRST_PAUSE_MS);
    }, this.#pauseMs);
  }

  /** Runs in the check phase, the only one in which libuv knows which timers are left. */
  #look(): void {
    if (this.#timer === undefined) return;
    this.#timer.unref();
    const isAlive = hasLiveLoop();
    this.#timer.ref();
    clearTimeout(this.#timer);
    if (isAlive) {
      this.#onAlive?.();
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      this.#pause();
      return;
    }
    this.#timer = undefined;
    this.#onDry();
  }
}

/**
 * Tells whether anything referenced is left in this thread's event loop: handles, requests, timers. Of a worker thread's loop libuv gives
 * no address, and it is taken to be alive: what a thread prints, for instance, leaves by it.
 */
export function hasLiveLoop(): boolean {
  return !isMainThread || native().uv_loop_alive(native().uv_default_loop()) !== 0;
}
