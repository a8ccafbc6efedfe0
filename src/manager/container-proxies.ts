import { BaseProxy } from './proxy.js';
import { isNamed, PythonSlice } from './proxy-answers.js';

/** Stands for an iterator in the server. */
export class IteratorProxy<T = unknown> extends BaseProxy implements AsyncIterableIterator<T, undefined> {
  static override readonly pythonType: string = 'IteratorProxy';

  /** The next item. Errors as {@link BaseProxy.call}; with a dict that has changed its size, a `RuntimeError`. */
  async next(): Promise<IteratorResult<T, undefined>> {
    try {
      return { done: false, value: (await this.call('__next__')) as T };
    } catch (error) {
      if (!isNamed(error, 'StopIteration')) throw error;
      return { done: true, value: undefined };
    }
  }

  /** Lets go of the iterator, at the end of a loop that was left early. */
  async return(): Promise<IteratorResult<T, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * Stands for a dict: a map in a manager's server. Every method is one call; errors as {@link BaseProxy.call}.
 *
 * What is got is a copy: changing it changes nothing there, put it back with {@link set}.
 */
export class DictProxy<K = unknown, V = unknown> extends BaseProxy implements AsyncIterable<K> {
  static override readonly pythonType: string = 'DictProxy';

  /** The value of a key; `undefined` where there is none, or it is None. */
  async get(key: K): Promise<V | undefined> {
    return ((await this.call('get', [key])) as V | null) ?? undefined;
  }

  async set(key: K, value: V): Promise<void> {
    await this.call('__setitem__', [key, value]);
  }

  async has(key: K): Promise<boolean> {
    return (await this.call('__contains__', [key])) as boolean;
  }

  /** Takes a key out; tells whether it was there. */
  async delete(key: K): Promise<boolean> {
    try {
      await this.call('__delitem__', [key]);
      return true;
    } catch (error) {
      if (isNamed(error, 'KeyError')) return false;
      throw error;
    }
  }

  async size(): Promise<number> {
    return (await this.call('__len__')) as number;
  }

  async keys(): Promise<K[]> {
    return (await this.call('keys')) as K[];
  }

  async values(): Promise<V[]> {
    return (await this.call('values')) as V[];
  }

  async items(): Promise<(readonly [K, V])[]> {
    return (await this.call('items')) as (readonly [K, V])[];
  }

  /** Takes a key out and gives its value; `otherwise` where it is not there. Without `otherwise`: a `KeyError`. */
  async pop(key: K, ...otherwise: [otherwise?: V]): Promise<V> {
    return (await this.call('pop', [key, ...otherwise])) as V;
  }

  /** The value of a key, which is set to `value` if it is not there. */
  async setdefault(key: K, value: V): Promise<V> {
    return (await this.call('setdefault', [key, value])) as V;
  }

  async update(entries: ReadonlyMap<K, V> | Readonly<Record<string, V>>): Promise<void> {
    await this.call('update', [entries]);
  }

  async clear(): Promise<void> {
    await this.call('clear');
  }

  /** All of it, as a map of this process. */
  async copy(): Promise<Map<K, V>> {
    return new Map(await this.items());
  }

  /** The keys, one call each; changing the dict's size meanwhile is a `RuntimeError`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<K, void, undefined> {
    await using iterator = (await this.call('__iter__')) as IteratorProxy<K>;
    yield* iterator;
  }
}

/** Stands for a list: an array in a manager's server. Every method is one call; errors as {@link BaseProxy.call}. */
export class ListProxy<T = unknown> extends BaseProxy implements AsyncIterable<T> {
  static override readonly pythonType: string = 'ListProxy';

  /** The item at an index, from the end if negative. An `IndexError` where there is none. */
  async at(index: number): Promise<T> {
    return (await this.call('__getitem__', [index])) as T;
  }

  async set(index: number, value: T): Promise<void> {
    await this.call('__setitem__', [index, value]);
  }

  async delete(index: number): Promise<void> {
    await this.call('__delitem__', [index]);
  }

  async length(): Promise<number> {
    return (await this.call('__len__')) as number;
  }

  async append(item: T): Promise<void> {
    await this.call('append', [item]);
  }

  async extend(items: readonly T[]): Promise<void> {
    await this.call('extend', [items]);
  }

  async insert(index: number, item: T): Promise<void> {
    await this.call('insert', [index, item]);
  }

  /** Takes out an item, the last one unless `index` says otherwise. */
  async pop(index: number = -1): Promise<T> {
    return (await this.call('pop', [index])) as T;
  }

  /** Takes out the first item that equals `item`; a `ValueError` where there is none. */
  async remove(item: T): Promise<void> {
    await this.call('remove', [item]);
  }

  /** Where the first item that equals `item` is; a `ValueError` where there is none. */
  async index(item: T): Promise<number> {
    return (await this.call('index', [item])) as number;
  }

  async count(item: T): Promise<number> {
    return (await this.call('count', [item])) as number;
  }

  async includes(item: T): Promise<boolean> {
    return (await this.call('__contains__', [item])) as boolean;
  }

  async reverse(): Promise<void> {
    await this.call('reverse');
  }

  /** Sorts as Python does: numbers by size, strings by character. */
  async sort({ reverse = false }: { readonly reverse?: boolean } = {}): Promise<void> {
    await this.call('sort', [], { keywords: { reverse } });
  }

  /** A part, as an array of this process; indices as in `Array.slice`. */
  async slice(start?: number, end?: number): Promise<T[]> {
    return (await this.call('__getitem__', [new PythonSlice(start ?? null, end ?? null)])) as T[];
  }

  /** All items and then `items`, as an array of this process. */
  async concat(items: readonly T[]): Promise<T[]> {
    return (await this.call('__add__', [items])) as T[];
  }

  /** All of it, as an array of this process. */
  copy(): Promise<T[]> {
    return this.slice();
  }

  /** Item after item, one call each; what is appended meanwhile is among them. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let index = 0; ; index++) {
      let item: T;
      try {
        item = await this.at(index);
      } catch (error) {
        if (isNamed(error, 'IndexError')) return;
        throw error;
      }
      yield item;
    }
  }
}

/** Stands for a set in a manager's server, CPython 3.14 and later. Errors as {@link BaseProxy.call}. */
export class SetProxy<T = unknown> extends BaseProxy {
  static override readonly pythonType: string = 'SetProxy';

  async add(item: T): Promise<void> {
    await this.call('add', [item]);
  }

  async has(item: T): Promise<boolean> {
    return (await this.call('__contains__', [item])) as boolean;
  }

  /** Takes an item out if it is there. */
  async discard(item: T): Promise<void> {
    await this.call('discard', [item]);
  }

  /** Takes an item out; a `KeyError` where it is not there. */
  async remove(item: T): Promise<void> {
    await this.call('remove', [item]);
  }

  async size(): Promise<number> {
    return (await this.call('__len__')) as number;
  }

  async clear(): Promise<void> {
    await this.call('clear');
  }

  async update(items: Iterable<T>): Promise<void> {
    await this.call('update', [[...items]]);
  }

  async union(items: Iterable<T>): Promise<Set<T>> {
    return (await this.call('union', [[...items]])) as Set<T>;
  }

  async intersection(items: Iterable<T>): Promise<Set<T>> {
    return (await this.call('intersection', [[...items]])) as Set<T>;
  }

  async difference(items: Iterable<T>): Promise<Set<T>> {
    return (await this.call('difference', [[...items]])) as Set<T>;
  }

  /** All of it, as a set of this process. */
  async copy(): Promise<Set<T>> {
    return (await this.call('copy')) as Set<T>;
  }
}

/** Stands for an array of numbers of one type. Errors as {@link BaseProxy.call}. */
export class ArrayProxy<T = number> extends BaseProxy {
  static override readonly pythonType: string = 'ArrayProxy';

  async at(index: number): Promise<T> {
    return (await this.call('__getitem__', [index])) as T;
  }

  async set(index: number, value: T): Promise<void> {
    await this.call('__setitem__', [index, value]);
  }

  async length(): Promise<number> {
    return (await this.call('__len__')) as number;
  }
}

/** Stands for one value. Errors as {@link BaseProxy.call}. */
export class ValueProxy<T = unknown> extends BaseProxy {
  static override readonly pythonType: string = 'ValueProxy';

  async get(): Promise<T> {
    return (await this.call('get')) as T;
  }

  async set(value: T): Promise<void> {
    await this.call('set', [value]);
  }
}

/** Stands for an object whose properties are set and got. Errors as {@link BaseProxy.call}. */
export class NamespaceProxy<T extends object = Record<string, unknown>> extends BaseProxy {
  static override readonly pythonType: string = 'NamespaceProxy';

  /** A property; an `AttributeError` where there is none. */
  async get<K extends keyof T & string>(name: K): Promise<T[K]> {
    return (await this.call('__getattribute__', [name])) as T[K];
  }

  async set<K extends keyof T & string>(name: K, value: T[K]): Promise<void> {
    await this.call('__setattr__', [name, value]);
  }

  /** Takes a property out; an `AttributeError` where there is none. */
  async delete(name: keyof T & string): Promise<void> {
    await this.call('__delattr__', [name]);
  }
}
