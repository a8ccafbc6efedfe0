import { inspect, isDeepStrictEqual } from 'node:util';
import { refuseSlice, type Slice, sliced } from './list-slice.js';
import { type CallContext, pythonError, SharedObject } from './shared-object.js';

type Context = CallContext;

function entriesOf(of: unknown): Iterable<readonly [unknown, unknown]> {
  if (of === undefined || of === null) return [];
  if (of instanceof Map) return of;
  if (Array.isArray(of)) return of as [unknown, unknown][];
  return Object.entries(of as object);
}

function itemsOf(of: unknown): unknown[] {
  if (of === undefined) return [];
  if (Array.isArray(of) || of instanceof Set || typeof of === 'string') return [...of];
  throw pythonError('TypeError', 'it is made of an array or a set');
}

/** A dict. */
export class SharedDict extends SharedObject {
  override readonly exposed: readonly string[] = [
    '__contains__',
    '__delitem__',
    '__getitem__',
    '__iter__',
    '__len__',
    '__setitem__',
    'clear',
    'copy',
    'get',
    'items',
    'keys',
    'pop',
    'popitem',
    'setdefault',
    'update',
    'values',
  ];
  override readonly methodToTypeid: Readonly<Record<string, string>> = { __iter__: 'Iterator' };
  readonly #map: Map<unknown, unknown>;

  constructor(entries?: unknown) {
    super();
    this.#map = new Map(entriesOf(entries));
  }

  __contains__(_: Context, key?: unknown): boolean {
    return this.#map.has(key);
  }

  __getitem__(_: Context, key?: unknown): unknown {
    if (!this.#map.has(key)) throw pythonError('KeyError', [key]);
    return this.#map.get(key);
  }

  __setitem__(_: Context, key?: unknown, value?: unknown): void {
    this.#map.set(key, value);
  }

  __delitem__(_: Context, key?: unknown): void {
    if (!this.#map.delete(key)) throw pythonError('KeyError', [key]);
  }

  __len__(_: Context): number {
    return this.#map.size;
  }

  *__iter__(_: Context): Generator<unknown, void, undefined> {
    const { size } = this.#map;
    for (const key of this.#map.keys()) {
      yield key;
      if (this.#map.size !== size) {
        throw pythonError('RuntimeError', 'dictionary changed size during iteration');
      }
    }
  }

  clear(_: Context): void {
    this.#map.clear();
  }

  copy(_: Context): unknown {
    return this.value();
  }

  get(_: Context, key?: unknown, otherwise: unknown = null): unknown {
    return this.#map.has(key) ? this.#map.get(key) : otherwise;
  }

  items(_: Context): unknown[] {
    return [...this.#map];
  }

  keys(_: Context): unknown[] {
    return [...this.#map.keys()];
  }

  values(_: Context): unknown[] {
    return [...this.#map.values()];
  }

  pop(_: Context, key?: unknown, ...otherwise: unknown[]): unknown {
    if (!this.#map.has(key)) {
      if (otherwise.length > 0) return otherwise[0];
      throw pythonError('KeyError', [key]);
    }
    const value = this.#map.get(key);
    this.#map.delete(key);
    return value;
  }

  popitem(_: Context): unknown {
    const last = [...this.#map].at(-1);
    if (last === undefined) throw pythonError('KeyError', ['popitem(): dictionary is empty']);
    this.#map.delete(last[0]);
    return last;
  }

  setdefault(_: Context, key?: unknown, value: unknown = null): unknown {
    if (!this.#map.has(key)) this.#map.set(key, value);
    return this.#map.get(key);
  }

  update(_: Context, entries?: unknown): void {
    for (const [key, value] of entriesOf(entries)) this.#map.set(key, value);
  }

  override value(): unknown {
    return new Map(this.#map);
  }

  override repr(): string {
    return inspect(this.#map);
  }
}

/** An iterator that lives in the server. */
export class SharedIterator extends SharedObject {
  override readonly exposed: readonly string[] = ['__next__', 'close'];
  readonly #iterator: Iterator<unknown>;

  constructor(iterable: unknown) {
    super();
    this.#iterator = (iterable as Iterable<unknown>)[Symbol.iterator]();
  }

  __next__(_: Context): unknown {
    const { done, value } = this.#iterator.next();
    if (done === true) throw pythonError('StopIteration');
    return value;
  }

  close(_: Context): void {
    this.#iterator.return?.();
  }
}

/** A list. */
export class SharedList extends SharedObject {
  override readonly exposed: readonly string[] = [
    '__add__',
    '__contains__',
    '__delitem__',
    '__getitem__',
    '__len__',
    '__mul__',
    '__setitem__',
    'append',
    'count',
    'extend',
    'index',
    'insert',
    'pop',
    'remove',
    'reverse',
    'sort',
    'clear',
    'copy',
  ];
  readonly #items: unknown[];

  constructor(items?: unknown) {
    super();
    this.#items = itemsOf(items);
  }

  /** Where `index` is, counted from the end if negative. */
  #at(index: unknown, doing: string): number {
    const at = Number(index) < 0 ? this.#items.length + Number(index) : Number(index);
    if (Number.isInteger(at) && at >= 0 && at < this.#items.length) return at;
    throw pythonError('IndexError', `${doing} index out of range`);
  }

  __add__(_: Context, items?: unknown): unknown[] {
    return [...this.#items, ...itemsOf(items)];
  }

  __mul__(_: Context, times?: unknown): unknown[] {
    return Array.from({ length: Math.max(0, Number(times)) }, () => this.#items).flat();
  }

  __contains__(_: Context, item?: unknown): boolean {
    return this.#find(item) >= 0;
  }

  __getitem__(_: Context, which?: unknown): unknown {
    if (typeof which !== 'object' || which === null) return this.#items[this.#at(which, 'list')];
    return sliced(this.#items, which as Slice);
  }

  __setitem__(_: Context, index?: unknown, item?: unknown): void {
    refuseSlice(index);
    this.#items[this.#at(index, 'list assignment')] = item;
  }

  __delitem__(_: Context, index?: unknown): void {
    refuseSlice(index);
    this.#items.splice(this.#at(index, 'list assignment'), 1);
  }

  __len__(_: Context): number {
    return this.#items.length;
  }

  append(_: Context, item?: unknown): void {
    this.#items.push(item);
  }

  extend(_: Context, items?: unknown): void {
    for (const item of itemsOf(items)) this.#items.push(item);
  }

  insert(_: Context, index?: unknown, item?: unknown): void {
    this.#items.splice(Number(index), 0, item);
  }

  pop(_: Context, index: unknown = -1): unknown {
    if (this.#items.length === 0) throw pythonError('IndexError', 'pop from empty list');
    return this.#items.splice(this.#at(index, 'pop'), 1)[0];
  }

  remove(_: Context, item?: unknown): void {
    this.#items.splice(this.#required(item, 'list.remove(x): x not in list'), 1);
  }

  index(_: Context, item?: unknown): number {
    return this.#required(item, 'the item is not in list');
  }

  count(_: Context, item?: unknown): number {
    return this.#items.filter((one) => isDeepStrictEqual(one, item)).length;
  }

  reverse(_: Context): void {
    this.#items.reverse();
  }

  sort({ keywords }: Context): void {
    const sorted = [...this.#items].sort(compare);
    if (keywords['reverse'] === true) sorted.reverse();
    this.#items.splice(0, this.#items.length, ...sorted);
  }

  clear(_: Context): void {
    this.#items.length = 0;
  }

  copy(_: Context): unknown[] {
    return [...this.#items];
  }

  override value(): unknown {
    return [...this.#items];
  }

  override repr(): string {
    return inspect(this.#items);
  }

  #find(item: unknown): number {
    return this.#items.findIndex((one) => isDeepStrictEqual(one, item));
  }

  #required(item: unknown, otherwise: string): number {
    const at = this.#find(item);
    if (at < 0) throw pythonError('ValueError', otherwise);
    return at;
  }
}

function compare(a: unknown, b: unknown): number {
  const isComparable = typeof a === typeof b || (isNumeric(a) && isNumeric(b));
  if (!isComparable || typeof a === 'object') {
    throw pythonError('TypeError', `'<' not supported between ${typeof a} and ${typeof b}`);
  }
  const [x, y] = [a as string, b as string];
  return x < y ? -1 : Number(x > y);
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** A set of values; of objects, each is its own. */
export class SharedSet extends SharedObject {
  override readonly exposed: readonly string[] = [
    '__contains__',
    '__len__',
    'add',
    'clear',
    'copy',
    'difference',
    'discard',
    'intersection',
    'pop',
    'remove',
    'union',
    'update',
  ];
  readonly #set: Set<unknown>;

  constructor(items?: unknown) {
    super();
    this.#set = new Set(itemsOf(items));
  }

  __contains__(_: Context, item?: unknown): boolean {
    return this.#set.has(item);
  }

  __len__(_: Context): number {
    return this.#set.size;
  }

  add(_: Context, item?: unknown): void {
    this.#set.add(item);
  }

  clear(_: Context): void {
    this.#set.clear();
  }

  copy(_: Context): Set<unknown> {
    return new Set(this.#set);
  }

  difference(_: Context, items?: unknown): Set<unknown> {
    const others = new Set(itemsOf(items));
    return new Set([...this.#set].filter((item) => !others.has(item)));
  }

  intersection(_: Context, items?: unknown): Set<unknown> {
    return new Set(itemsOf(items).filter((item) => this.#set.has(item)));
  }

  union(_: Context, items?: unknown): Set<unknown> {
    return new Set([...this.#set, ...itemsOf(items)]);
  }

  update(_: Context, items?: unknown): void {
    for (const item of itemsOf(items)) this.#set.add(item);
  }

  discard(_: Context, item?: unknown): void {
    this.#set.delete(item);
  }

  remove(_: Context, item?: unknown): void {
    if (!this.#set.delete(item)) throw pythonError('KeyError', [item]);
  }

  pop(_: Context): unknown {
    for (const item of this.#set) {
      this.#set.delete(item);
      return item;
    }
    throw pythonError('KeyError', ['pop from an empty set']);
  }

  override value(): unknown {
    return new Set(this.#set);
  }

  override repr(): string {
    return inspect(this.#set);
  }
}
