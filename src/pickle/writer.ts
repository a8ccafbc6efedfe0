import { types } from 'node:util';
import { NotSendableError } from '../base/errors.js';
import { exceptionFor } from './exceptions.js';
import { cannotPickle } from './failures.js';
import { OP } from './opcodes.js';
import { Output } from './output.js';
import { isFrozenset, isTuple, PythonComplex, PythonFloat } from './python-values.js';
import { isReducible, PythonGlobal, REDUCE, type Reduction } from './reduction.js';
import { encodeText } from './text.js';

/** What CPython writes from 3.8 to 3.13, and every Python 3.4 and later reads. */
const PROTOCOL = 4;
const PLAIN = 'Send plain data: numbers, strings, arrays, plain objects, maps, sets, Uint8Array.';
const CYCLE = 'A dict key or a part of a set cannot contain itself in Python.';

/** Writes values as pickles. One writer writes one pickle. */
export class PickleWriter {
  readonly #out = new Output();
  /** What was written, by identity, and under which number it can be recalled. */
  readonly #memo = new Map<object, number>();
  readonly #texts = new Map<string, number>();
  #memoized = 0;
  /** Immutable containers being written: a way back into one would have no end. */
  readonly #open = new Set<object>();
  readonly #path: string[];

  /** @param path - What the value is called in an error. */
  constructor(path: string) {
    this.#path = [path];
  }

  /** @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`. */
  write(value: unknown): Uint8Array {
    try {
      this.#out.u8(OP.PROTO);
      this.#out.u8(PROTOCOL);
      this.#value(value, false);
      this.#out.u8(OP.STOP);
      return this.#out.finish();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    if (error instanceof NotSendableError) return error;
    const path = this.#path[0] as string;
    const isDeep = error instanceof RangeError && /call stack/i.test(error.message);
    if (isDeep) return cannotPickle('a value', path, 'It is nested too deeply for the stack.', error);
    return cannotPickle('a value', this.#where(), 'Reading it threw: `cause` says what.', error);
  }

  #where(): string {
    return this.#path.join('');
  }

  #refuse(what: string, hint: string = PLAIN): never {
    throw cannotPickle(what, this.#where(), hint);
  }

  /** @param isKey - It becomes a key of a dict or part of a set, which must not be able to change: arrays go as tuples, sets as frozensets. */
  #value(value: unknown, isKey: boolean): void {
    if (value === undefined || value === null) this.#out.u8(OP.NONE);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'boolean') this.#out.u8(value ? OP.NEWTRUE : OP.NEWFALSE);
    else if (typeof value === 'object') this.#object(value, isKey);
    else if (typeof value === 'bigint') this.#bigint(value);
    else this.#refuse(`a ${typeof value}`);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value);
    else if (value >= 0 && value <= 0xff) {
      this.#out.u8(OP.BININT1);
      this.#out.u8(value);
    } else if (value >= 0 && value <= 0xffff) {
      this.#out.u8(OP.BININT2);
      this.#out.u16(value);
    } else if ((value | 0) === value) {
      this.#out.u8(OP.BININT);
      this.#out.i32(value);
    } else this.#bigint(BigInt(value));
  }

  #float(value: number): void {
    this.#out.u8(OP.BINFLOAT);
    this.#out.f64(value);
  }

  #bigint(value: bigint): void {
    const bytes = twosComplement(value);
    if (bytes.byteLength <= 0xff) {
      this.#out.u8(OP.LONG1);
      this.#out.u8(bytes.byteLength);
    } else {
      this.#out.u8(OP.LONG4);
      this.#out.i32(bytes.byteLength);
    }
    this.#out.bytes(bytes);
  }

  #text(value: string): void {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      this.#recall(known);
      return;
    }
    this.#sized(encodeText(value), OP.SHORT_BINUNICODE, OP.BINUNICODE, OP.BINUNICODE8);
    this.#texts.set(value, this.#remember());
  }

  #bytes(value: Uint8Array): void {
    this.#sized(value, OP.SHORT_BINBYTES, OP.BINBYTES, OP.BINBYTES8);
    this.#memo.set(value, this.#remember());
  }

  #sized(bytes: Uint8Array, short: number, middle: number, long: number): void {
    const { byteLength } = bytes;
    if (byteLength <= 0xff) {
      this.#out.u8(short);
      this.#out.u8(byteLength);
    } else if (byteLength <= 0xffff_ffff) {
      this.#out.u8(middle);
      this.#out.u32(byteLength);
    } else {
      this.#out.u8(long);
      this.#out.u64(byteLength);
    }
    this.#out.bytes(bytes);
  }

  #remember(): number {
    this.#out.u8(OP.MEMOIZE);
    return this.#memoized++;
  }

  #recall(at: number): void {
    if (at <= 0xff) {
      this.#out.u8(OP.BINGET);
      this.#out.u8(at);
    } else {
      this.#out.u8(OP.LONG_BINGET);
      this.#out.u32(at);
    }
  }

  #object(value: object, isKey: boolean): void {
    const known = isKey && canChange(value) ? undefined : this.#memo.get(value);
    if (known !== undefined) this.#recall(known);
    else if (Array.isArray(value)) {
      if (isKey || isTuple(value)) this.#tuple(value, isKey);
      else this.#list(value);
    } else if (value instanceof Map) this.#dict(value, value, isKey);
    else if (value instanceof Set) {
      if (isKey || isFrozenset(value)) this.#frozenset(value);
      else this.#set(value);
    } else if (value instanceof Uint8Array) this.#bytes(value);
    else if (types.isAnyArrayBuffer(value)) this.#bytes(new Uint8Array(value));
    else this.#other(value, isKey);
  }

  #other(value: object, isKey: boolean): void {
    if (value instanceof PythonFloat) this.#float(value.value);
    else if (isReducible(value)) this.#reduce(value, value[REDUCE]());
    else if (types.isNativeError(value) || value instanceof Error) this.#reduce(value, exceptionFor(value));
    else if (value instanceof PythonComplex) {
      const args = [new PythonFloat(value.real), new PythonFloat(value.imag)];
      this.#reduce(value, { module: 'builtins', name: 'complex', args });
    } else if (value instanceof PythonGlobal) this.#global(value);
    else if (isPlain(value)) this.#dict(value, Object.entries(value), isKey);
    else this.#refuse(`a ${value.constructor?.name || 'class instance'}`);
  }

  #list(items: readonly unknown[]): void {
    this.#out.u8(OP.EMPTY_LIST);
    this.#memo.set(items, this.#remember());
    if (items.length === 0) return;
    this.#out.u8(OP.MARK);
    for (let at = 0; at < items.length; at++) this.#part(`[${at}]`, items[at], false);
    this.#out.u8(OP.APPENDS);
  }

  #part(step: string, value: unknown, isKey: boolean): void {
    this.#path.push(step);
    this.#value(value, isKey);
    this.#path.pop();
  }

  #tuple(items: readonly unknown[], isKey: boolean): void {
    if (items.length === 0) {
      this.#out.u8(OP.EMPTY_TUPLE);
      return;
    }
    if (isKey && this.#open.has(items)) this.#refuse('an array that contains itself', CYCLE);
    this.#open.add(items);
    this.#out.u8(OP.MARK);
    for (let at = 0; at < items.length; at++) this.#part(`[${at}]`, items[at], isKey);
    this.#open.delete(items);
    const known = isTuple(items) ? this.#memo.get(items) : undefined;
    if (known !== undefined) {
      // It contains itself by way of a list or dict, and was written in there.
      this.#out.u8(OP.POP_MARK);
      this.#recall(known);
      return;
    }
    this.#out.u8(OP.TUPLE);
    const place = this.#remember();
    // An array that is a tuple only here may be a list elsewhere.
    if (isTuple(items)) this.#memo.set(items, place);
  }

  #frozenset(items: ReadonlySet<unknown>): void {
    if (this.#open.has(items)) this.#refuse('a set that contains itself', CYCLE);
    this.#open.add(items);
    this.#out.u8(OP.MARK);
    for (const item of items) this.#part('.values()', item, true);
    this.#open.delete(items);
    this.#out.u8(OP.FROZENSET);
    const place = this.#remember();
    if (isFrozenset(items)) this.#memo.set(items, place);
  }

  #set(items: ReadonlySet<unknown>): void {
    this.#out.u8(OP.EMPTY_SET);
    this.#memo.set(items, this.#remember());
    if (items.size === 0) return;
    this.#open.add(items);
    this.#out.u8(OP.MARK);
    for (const item of items) this.#part('.values()', item, true);
    this.#out.u8(OP.ADDITEMS);
    this.#open.delete(items);
  }

  #dict(of: object, entries: Iterable<readonly [unknown, unknown]>, isKey: boolean): void {
    if (isKey) this.#refuse('an object or map that is a key, or a part of a set,', 'A dict cannot be one.');
    this.#out.u8(OP.EMPTY_DICT);
    this.#memo.set(of, this.#remember());
    let isFirst = true;
    for (const [key, value] of entries) {
      if (isFirst) this.#out.u8(OP.MARK);
      isFirst = false;
      this.#part('.keys()', key, true);
      this.#part(typeof key === 'string' ? `.${key}` : '.values()', value, false);
    }
    if (!isFirst) this.#out.u8(OP.SETITEMS);
  }

  #reduce(of: object, { module, name, args, state, isNew = false }: Reduction): void {
    if (this.#open.has(of)) this.#refuse('a value that contains itself', 'Python could not make it.');
    this.#open.add(of);
    this.#global(new PythonGlobal(module, name));
    this.#out.u8(OP.MARK);
    for (let at = 0; at < args.length; at++) this.#part(`.args[${at}]`, args[at], false);
    this.#out.u8(OP.TUPLE);
    this.#out.u8(isNew ? OP.NEWOBJ : OP.REDUCE);
    this.#memo.set(of, this.#remember());
    this.#open.delete(of);
    if (state === undefined) return;
    this.#value(state, false);
    this.#out.u8(OP.BUILD);
  }

  #global({ module, name }: PythonGlobal): void {
    this.#text(module);
    this.#text(name);
    this.#out.u8(OP.STACK_GLOBAL);
  }
}

/** What Python does not take as a key, and so must be written once more as something that it does. */
function canChange(value: object): boolean {
  return (Array.isArray(value) && !isTuple(value)) || (value instanceof Set && !isFrozenset(value));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // One of another realm.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

/** The shortest two's complement, least byte first, as CPython's `encode_long`. */
function twosComplement(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const magnitude = value < 0n ? ~value : value;
  const bytes = Math.floor(bitLength(magnitude) / 8) + 1;
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0');
  return Buffer.from(hex, 'hex').reverse();
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] as string, 16)));
}
