/** A binary heap: the smallest of what was put in, by key; equal keys in the order they came. */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #keys: number[] = [];
  readonly #order: number[] = [];
  #count = 0;

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item, key: number): void {
    let at = this.#items.length;
    const order = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(key, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, item, key, order);
  }

  /** Takes `item` out; the first one is found at once, any other by looking. */
  remove(item: Item): boolean {
    const at = this.#items[0] === item ? 0 : this.#items.indexOf(item);
    if (at === -1) return false;
    const last = this.#items.length - 1;
    const moved = this.#items[last] as Item;
    const key = this.#keys[last] as number;
    const order = this.#order[last] as number;
    this.#items.pop();
    this.#keys.pop();
    this.#order.pop();
    if (at !== last) this.#settle(at, moved, key, order);
    return true;
  }

  #settle(start: number, item: Item, key: number, order: number): void {
    let at = start;
    while (at > 0 && this.#isBefore(key, order, (at - 1) >> 1)) {
      this.#move((at - 1) >> 1, at);
      at = (at - 1) >> 1;
    }
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      const right = child + 1;
      if (
        right < this.#items.length &&
        this.#isBefore(this.#keys[right] as number, this.#order[right] as number, child)
      )
        child = right;
      if (this.#isBefore(key, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, item, key, order);
  }

  #isBefore(key: number, order: number, at: number): boolean {
    const other = this.#keys[at] as number;
    return key < other || (key === other && order < (this.#order[at] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#items[from] as Item, this.#keys[from] as number, this.#order[from] as number);
  }

  #put(at: number, item: Item, key: number, order: number): void {
    this.#items[at] = item;
    this.#keys[at] = key;
    this.#order[at] = order;
  }
}
