import type { Cursor } from './cursor.js';
import { notAPickle, refusedGlobal } from './failures.js';
import { argsOf, type FindGlobal, type Maker } from './globals.js';
import { asTuple, isFrozenset, isTuple } from './python-values.js';

/** A class or function on the stack; it must not become part of what is read. */
class Callee {
  readonly maker: Maker;
  readonly title: string;

  constructor(maker: Maker, title: string) {
    this.maker = maker;
    this.title = title;
  }
}

/** How dicts arrive. */
export type DictForm = 'map' | 'object';

/** The stack machine that a pickle is a program for. Nothing that it does reaches beyond its stack and memo. */
export class Machine {
  readonly input: Cursor;
  readonly #find: FindGlobal;
  readonly #dicts: DictForm;
  #stack: unknown[] = [];
  readonly #outer: unknown[][] = [];
  readonly #memo: unknown[] = [];
  #memoized = 0;
  /** Who made what, for BUILD. */
  readonly #makers = new Map<unknown, Maker>();
  #hasCallees = false;

  constructor(input: Cursor, find: FindGlobal, dicts: DictForm) {
    this.input = input;
    this.#find = find;
    this.#dicts = dicts;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw notAPickle('it takes more from its stack than there is');
    return this.#stack.pop();
  }

  top(): unknown {
    if (this.#stack.length === 0) throw notAPickle('it looks at an empty stack');
    return this.#stack[this.#stack.length - 1];
  }

  mark(): void {
    this.#outer.push(this.#stack);
    this.#stack = [];
  }

  /** All that was pushed since the last mark. */
  popMark(): unknown[] {
    const items = this.#stack;
    const outer = this.#outer.pop();
    if (outer === undefined) throw notAPickle('it has no mark where it needs one');
    this.#stack = outer;
    return items;
  }

  /** As POP: takes the top, or the mark if that is on top. */
  drop(): void {
    if (this.#stack.length === 0) this.popMark();
    else this.#stack.pop();
  }

  memoize(at: number = this.#memoized): void {
    // There cannot be more of them than bytes; protocol 0 may leave some out.
    if (at > this.input.size) throw notAPickle('it remembers more than it has');
    this.#memo[at] = this.top();
    this.#memoized++;
  }

  recall(at: number): void {
    const value = this.#memo[at];
    if (value === undefined) throw notAPickle('it recalls what it never remembered');
    this.push(value);
  }

  popTuple(length: number): void {
    if (this.#stack.length < length) throw notAPickle('it takes more from its stack than there is');
    const items = this.#stack.splice(this.#stack.length - length, length);
    this.push(asTuple(this.data(items)));
  }

  /** Refuses classes and functions among what becomes part of a value. */
  data(items: unknown[]): unknown[] {
    if (this.#hasCallees) {
      for (const item of items) if (item instanceof Callee) throw this.#refuse(item);
    }
    return items;
  }

  append(items: unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list) || isTuple(list)) throw notAPickle('it appends to something else than a list');
    for (const item of this.data(items)) list.push(item);
  }

  addToSet(items: unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set) || isFrozenset(set)) throw notAPickle('it adds to something else than a set');
    for (const item of this.data(items)) set.add(item);
  }

  emptyDict(): unknown {
    return this.#dicts === 'map' ? new Map() : {};
  }

  setItems(pairs: unknown[]): void {
    const dict = this.top();
    if (pairs.length % 2 !== 0) throw notAPickle('a dict in it has a key without a value');
    this.data(pairs);
    for (let at = 0; at < pairs.length; at += 2) setItem(dict, pairs[at], pairs[at + 1]);
  }

  pushGlobal(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw notAPickle('the name of a class in it is no string');
    }
    const maker = this.#find(module, name);
    if (maker === undefined) throw refusedGlobal(module, name);
    if (maker.value !== undefined) {
      this.push(maker.value);
      return;
    }
    this.#hasCallees = true;
    this.push(new Callee(maker, `${module}.${name}`));
  }

  /** Calls what is on the stack with `args`, a tuple. */
  call(callee: unknown, args: unknown): void {
    if (!(callee instanceof Callee)) throw notAPickle('it calls something that is no class or function');
    const made = callee.maker.make(this.data([...argsOf(args)]));
    if (callee.maker.setState !== undefined) this.#makers.set(made, callee.maker);
    this.push(made);
  }

  build(): void {
    const [state] = this.data([this.pop()]);
    const made = this.top();
    const setState = this.#makers.get(made)?.setState;
    if (setState === undefined) throw notAPickle('it gives a state to something that has none');
    setState(made, state);
  }

  result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#outer.length > 0)
      throw notAPickle('it leaves something on its stack');
    if (!this.input.isAtEnd) throw notAPickle('it goes on after its end');
    return this.data([value])[0];
  }

  #refuse(callee: Callee): Error {
    const dot = callee.title.lastIndexOf('.');
    return refusedGlobal(callee.title.slice(0, dot), callee.title.slice(dot + 1));
  }
}

function setItem(dict: unknown, key: unknown, value: unknown): void {
  if (dict instanceof Map) {
    dict.set(key, value);
    return;
  }
  if (Object.getPrototypeOf(dict) !== Object.prototype)
    throw notAPickle('it sets a key of something else than a dict');
  if (typeof key !== 'string') {
    throw notAPickle(`a dict in it has the key ${String(key)}, which is no string: read dicts as maps`);
  }
  // So that `__proto__` is a key like any other.
  Object.defineProperty(dict, key, { value, enumerable: true, configurable: true, writable: true });
}

/** As INT of protocol 0 and 1: 00 and 01 are booleans there. */
export function integerOrBoolean(line: string, parse: (line: string) => number | bigint): unknown {
  if (line === '00') return false;
  return line === '01' ? true : parse(line);
}
