import type { Inputs } from '../pool/options/inputs.js';

/** What reading gave: items, perhaps fewer than asked for where more are slow to come. */
export interface ReadItems {
  readonly items: readonly unknown[];
  readonly isOver: boolean;
}

/** Items that are there do not wait longer than this for one that is not, in milliseconds. */
const LINGER_MS = 5;

/** Reads the input of a run piece by piece, and only as much as is asked for. */
export class ItemSource {
  readonly #list: readonly unknown[] | undefined;
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  #at = 0;
  /** A read that was begun and not waited for. */
  #begun: Promise<IteratorResult<unknown>> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(items: Inputs<unknown>) {
    if (Array.isArray(items)) this.#list = items as readonly unknown[];
    this.#iterator =
      Symbol.asyncIterator in Object(items)
        ? (items as AsyncIterable<unknown>)[Symbol.asyncIterator]()
        : (items as Iterable<unknown>)[Symbol.iterator]();
  }

  /** Items that are left, as far as is known. */
  get left(): number {
    return this.#list === undefined ? Number.POSITIVE_INFINITY : this.#list.length - this.#at;
  }

  /** @throws what reading threw; then there is no more. */
  async read(count: number): Promise<ReadItems> {
    if (this.#list !== undefined) {
      const items = this.#list.slice(this.#at, this.#at + count);
      this.#at += items.length;
      return { items, isOver: this.#at >= this.#list.length };
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    const items: unknown[] = [];
    try {
      while (items.length < count && !this.#isOver) {
        const read = await this.#next(items.length > 0);
        if (read === undefined) break;
        if (read.done === true) this.#isOver = true;
        else items.push(read.value);
      }
    } catch (error) {
      this.#isOver = true;
      if (items.length === 0) throw error;
      // What was read before comes first.
      this.#failure = { error };
      return { items, isOver: false };
    }
    return { items, isOver: this.#isOver };
  }

  async #next(isEnough: boolean): Promise<IteratorResult<unknown> | undefined> {
    if (this.#begun === undefined) {
      const read = this.#iterator.next();
      if (!(read instanceof Promise)) return this.#awaited(read);
      this.#begun = read;
      read.catch(() => {});
    }
    const begun = this.#begun;
    const read = isEnough ? await Promise.race([begun, lingered()]) : await begun;
    if (read === undefined) return undefined;
    this.#begun = undefined;
    return this.#awaited(read);
  }

  /** An iterable of promises counts as one of what they become. */
  async #awaited(read: IteratorResult<unknown>): Promise<IteratorResult<unknown>> {
    if (read.done === true) return read;
    return { done: false, value: await read.value };
  }

  /** Tells the input that no more is wanted; does not wait for a read that may never end. */
  end(): void {
    if (this.#isOver || this.#list !== undefined) return;
    this.#isOver = true;
    try {
      const ended: unknown = this.#iterator.return?.();
      if (ended instanceof Promise) ended.catch(() => {});
    } catch {
      // Who wants no more does not care how it ends.
    }
  }
}

function lingered(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, LINGER_MS, undefined));
}
