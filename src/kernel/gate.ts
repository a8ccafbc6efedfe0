import { futexWait, futexWake } from './futex.js';
import { native } from './library.js';
import { mapSharedAnonymous } from './memory.js';

const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;
/** A child that waits looks this often whether its parent still lives. */
const SLICE_MS = 50;

/** Words that a process shares with the children it will fork, and with nobody else. */
class SharedWords {
  readonly #owner: number = native().getpid();
  readonly #address: number;
  readonly #words: Int32Array;

  constructor() {
    const { address, buffer } = mapSharedAnonymous(PAGE_BYTES);
    this.#address = address;
    this.#words = new Int32Array(buffer);
  }

  /** True in the process that made them, false in its children. */
  get isMine(): boolean {
    return this.#owner === native().getpid();
  }

  get(index: number): number {
    return Atomics.load(this.#words, index);
  }

  /** Publishes all that was written before; pairs with the load in `waitWhile`. */
  set(index: number, value: number): void {
    Atomics.store(this.#words, index, value);
    futexWake(this.#address + index * 4, 1);
  }

  /** In a child: waits while `isTooEarly` is true of the word; ends this process should its parent end first. */
  waitWhile(index: number, isTooEarly: (value: number) => boolean): number {
    for (;;) {
      const value = Atomics.load(this.#words, index);
      if (!isTooEarly(value)) return value;
      if (native().getppid() !== this.#owner) native()._exit(1);
      futexWait(this.#address + index * 4, value, SLICE_MS);
    }
  }
}

/** Where a forked child waits until its parent has made sure that nothing is missing in it. */
export class Gate {
  readonly #words = new SharedWords();
  #tickets = 0;

  get isMine(): boolean {
    return this.#words.isMine;
  }

  /** The number of the next child. */
  takeTicket(): number {
    return ++this.#tickets;
  }

  /** In the parent: lets the child through. Tickets before it belong to children that are through or dead. */
  open(ticket: number): void {
    this.#words.set(0, ticket);
  }

  /** In the child: waits; ends this process should its parent end first. */
  waitFor(ticket: number): void {
    this.#words.waitWhile(0, (opened) => opened < ticket);
  }
}

/** Letters from a process to children that it forked earlier, one to each. */
export class Letterboxes {
  readonly #words = new SharedWords();
  #last = 0;

  /** A box for the next child; `undefined` if it is not empty: the child that had it last is slow, or died of it. Another comes next. */
  take(): number | undefined {
    this.#last = (this.#last + 1) % PAGE_WORDS;
    return this.#words.get(this.#last) === 0 ? this.#last : undefined;
  }

  /** In the parent: `letter` is a number of 32 bits, not 0. */
  post(box: number, letter: number): void {
    this.#words.set(box, letter);
  }

  /** In the child: waits for its letter; ends this process should its parent end first. */
  receive(box: number): number {
    const letter = this.#words.waitWhile(box, (value) => value === 0) >>> 0;
    this.#words.set(box, 0);
    return letter;
  }
}
