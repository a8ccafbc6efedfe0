import type { Arena } from './arena.js';
import { PROGRESS } from './layout.js';

/**
 * Where a pool worker is: which message it runs, which item of it, since when. The worker writes it, its parent reads it
 * when the worker has died, or runs for too long, or holds work that others could do.
 *
 * The number of the message doubles as a gate: the worker passes on to the next message by exchanging the number, the
 * parent recalls everything after the current one by making it negative, and one of the two is first.
 */

/** What the item word says while no item runs. */
export const NO_ITEM = -1;
/** The function's module is being loaded: whoever dies of that has not begun the item, but is guilty all the same. */
export const LOADING = -2;
/** The pool's initializer runs. */
export const INITIALIZING = -3;

const RECALLED = 0x80000000 | 0;
const NUMBER_MASK = 0x7fffffff;

export class Progress {
  readonly #arena: Arena;
  readonly #word: number;
  readonly #float: number;
  #frozenMs = 0;
  #frozenStamp = 0;

  constructor(arena: Arena, at: number) {
    this.#arena = arena;
    this.#word = at / 4;
    this.#float = (at + PROGRESS.STARTED_AT * 4) / 8;
  }

  /** Worker: passes on from message `from` to message `to`; `false` when the parent has recalled it. */
  passOn(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#arena.words, this.#word + PROGRESS.MESSAGE, from, to) === from;
  }

  /** Worker: the recalled messages are thrown away; the gate is open again. */
  reopen(at: number): void {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.MESSAGE, at);
  }

  /** Worker: begins item `index`. */
  begin(index: number): void {
    // Publishes the stamp of the time.
    Atomics.store(this.#arena.words, this.#word + PROGRESS.ITEM, index);
  }

  /** Worker: notes the time, where somebody watches it. */
  stamp(): void {
    this.#arena.floats[this.#float] = monotonicMs();
  }

  /** Parent: asks the task of message `number` to stop. Wake the worker afterwards. */
  abort(number: number): void {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.ABORT, number);
  }

  /** Worker: the task of message `number` was asked to stop. */
  isAborted(number: number): boolean {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.ABORT) === number;
  }

  /** Worker: the task of message `number` looks at its signal, and may stop by itself. */
  heed(number: number): void {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.HEEDED, number);
  }

  /** Parent: the task of message `number` has looked at its signal. */
  isHeeding(number: number): boolean {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.HEEDED) === number;
  }

  /** Values of the stream that its consumer has taken. The parent stores it and wakes the worker. */
  get taken(): number {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.TAKEN);
  }

  set taken(count: number) {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.TAKEN, count);
  }

  /** Resident memory of the worker in bytes, as it was after its last task; 0 where nobody watches. */
  get memoryBytes(): number {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.MEMORY_KIB) * 1024;
  }

  set memoryBytes(bytes: number) {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.MEMORY_KIB, Math.ceil(bytes / 1024));
  }

  /** Parent: recalls what comes after the message being run; answers that message's number, or -1 when it is too late. */
  recall(): number {
    const index = this.#word + PROGRESS.MESSAGE;
    const seen = Atomics.load(this.#arena.words, index);
    if (seen < 0 || Atomics.compareExchange(this.#arena.words, index, seen, seen | RECALLED) !== seen)
      return -1;
    return seen;
  }

  /** Parent: the worker has not come to see yet that it was recalled. */
  get isRecalled(): boolean {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.MESSAGE) < 0;
  }

  /** Number of the message being run, or run last. */
  get message(): number {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.MESSAGE) & NUMBER_MASK;
  }

  /** Index of the item being run, or run last, in that message. */
  get item(): number {
    return Atomics.load(this.#arena.words, this.#word + PROGRESS.ITEM);
  }

  /** How long that item has been running, in milliseconds; only where the worker stamps. Time it was stopped does not count. */
  get runningMs(): number {
    const stamp = this.#arena.floats[this.#float] as number;
    return monotonicMs() - stamp - (stamp === this.#frozenStamp ? this.#frozenMs : 0);
  }

  /** Parent: the worker was stopped for so long, and goes on. */
  frozenFor(ms: number): void {
    const stamp = this.#arena.floats[this.#float] as number;
    this.#frozenMs = ms + (stamp === this.#frozenStamp ? this.#frozenMs : 0);
    this.#frozenStamp = stamp;
  }
}

/** The system's monotonic clock, the same in every process. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
