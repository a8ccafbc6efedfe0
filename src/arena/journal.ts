import type { Arena } from './arena.js';
import { JOURNAL_ITEMS, PROGRESS } from './layout.js';

/** What a journalled result is; the number beside it counts for `NUMBER` alone. */
const NOTHING = 0;
const NUMBER = 1;
const UNDEFINED = 2;
const NULL = 3;
const FALSE = 4;
const TRUE = 5;

/** The results found in a journal. */
export interface JournalEntries {
  /** Message of the first one; further ones are of the next items of this message, or of the calls after it. */
  readonly message: number;
  readonly item: number;
  readonly values: readonly unknown[];
}

/**
 * The small results that a pool worker has and has not sent, in shared memory, so that they outlive it.
 *
 * Sending each result before the next item begins would cost more than many an item; noting a number costs two stores. A store made
 * before the death of a process is seen after it, whatever kind of store it is. The tag is stored last and cleared when the
 * batch was sent: what has a tag is whole. A batch that was sent and not yet cleared is found twice, and the parent knows what it has.
 */
export class ResultJournal {
  readonly #arena: Arena;
  readonly #word: number;
  readonly #tags: number;
  readonly #numbers: number;
  readonly #bytes: Uint8Array;
  readonly #floats: Float64Array;
  #count = 0;

  /** @param at - Of the worker's progress block. */
  constructor(arena: Arena, at: number) {
    this.#arena = arena;
    this.#bytes = arena.bytes;
    this.#floats = arena.floats;
    this.#word = at / 4;
    this.#tags = at + PROGRESS.TAGS_BYTES;
    this.#numbers = (at + PROGRESS.NUMBERS_BYTES) / 8;
  }

  /** Worker: notes the result of item `item` of message `message`; `false` when it must be sent instead. */
  note(message: number, item: number, value: unknown): boolean {
    const count = this.#count;
    if (count === JOURNAL_ITEMS) return false;
    if (count === 0) this.#open(message, item);
    if (typeof value === 'number') {
      this.#floats[this.#numbers + count] = value;
      this.#bytes[this.#tags + count] = NUMBER;
    } else {
      const tag = tagOf(value);
      if (tag === NOTHING) return false;
      this.#bytes[this.#tags + count] = tag;
    }
    this.#count = count + 1;
    return true;
  }

  #open(message: number, item: number): void {
    Atomics.store(this.#arena.words, this.#word + PROGRESS.JOURNAL_MESSAGE, message);
    Atomics.store(this.#arena.words, this.#word + PROGRESS.JOURNAL_ITEM, item);
  }

  /** Worker: what was noted has been sent. */
  clear(): void {
    if (this.#count === 0) return;
    this.#arena.bytes.fill(NOTHING, this.#tags, this.#tags + this.#count);
    this.#count = 0;
  }

  /**
   * Parent: what the worker, which lives and is at item `item` of message `message`, had noted before it came there. `undefined` when
   * it has gone on meanwhile: then it has said, or will say, what this would.
   */
  readBefore(message: number, item: number): JournalEntries | undefined {
    const { words } = this.#arena;
    const entries = this.read();
    // Message and item of a batch never come again. An exchange, not a load: what is read above must not be read after it.
    const isSame =
      Atomics.or(words, this.#word + PROGRESS.JOURNAL_ITEM, 0) === entries.item &&
      Atomics.load(words, this.#word + PROGRESS.JOURNAL_MESSAGE) === entries.message;
    if (!isSame) return undefined;
    // What it notes right now may be half there.
    const whole = entries.message === message ? item - entries.item : message - entries.message;
    return { ...entries, values: entries.values.slice(0, Math.max(0, whole)) };
  }

  /** Parent: what the worker, which is dead, had noted and perhaps not sent. */
  read(): JournalEntries {
    const { words, bytes, floats } = this.#arena;
    const [message, item] = [
      Atomics.load(words, this.#word + PROGRESS.JOURNAL_MESSAGE),
      Atomics.load(words, this.#word + PROGRESS.JOURNAL_ITEM),
    ];
    const values: unknown[] = [];
    for (let at = 0; at < JOURNAL_ITEMS; at++) {
      const tag = bytes[this.#tags + at];
      if (tag === NOTHING) break;
      values.push(tag === NUMBER ? floats[this.#numbers + at] : CONSTANTS[tag as number]);
    }
    return { message, item, values };
  }
}

const CONSTANTS: readonly unknown[] = [undefined, undefined, undefined, null, false, true];

function tagOf(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return UNDEFINED;
    case 'boolean':
      return value ? TRUE : FALSE;
    default:
      return value === null ? NULL : NOTHING;
  }
}
