import type { SettledItem } from './stream-job.js';

/** Items of a stream that are through and not yet taken, in the order in which its consumer wants them. */
export interface FinishedItems {
  readonly size: number;
  add(item: SettledItem<unknown>): void;
  /** The next item; `undefined` when it is not there yet. */
  take(): SettledItem<unknown> | undefined;
  clear(): void;
}

/** Items by their index. */
export class InOrder implements FinishedItems {
  readonly #items = new Map<number, SettledItem<unknown>>();
  #next = 0;

  get size(): number {
    return this.#items.size;
  }

  add(item: SettledItem<unknown>): void {
    this.#items.set(item.index, item);
  }

  take(): SettledItem<unknown> | undefined {
    const item = this.#items.get(this.#next);
    if (item === undefined) return undefined;
    this.#items.delete(this.#next);
    this.#next++;
    return item;
  }

  clear(): void {
    this.#items.clear();
  }
}

/** What has been taken is cut off once it is so long, and half of all. */
const CUT_AT = 1024;

/** Items as they came. Not a Map: its first entry is found by a walk over all that were taken out before. */
export class AsTheyCome implements FinishedItems {
  #items: (SettledItem<unknown> | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  add(item: SettledItem<unknown>): void {
    this.#items.push(item);
  }

  take(): SettledItem<unknown> | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= CUT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
