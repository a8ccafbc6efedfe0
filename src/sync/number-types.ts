import { UsageError } from '../base/errors.js';

/** The numbers, and the characters, that shared memory can hold, by the name of their type. */
export interface NumberTypes {
  readonly char: { readonly element: string; readonly array: Uint8Array };
  readonly int8: { readonly element: number; readonly array: Int8Array };
  readonly uint8: { readonly element: number; readonly array: Uint8Array };
  readonly int16: { readonly element: number; readonly array: Int16Array };
  readonly uint16: { readonly element: number; readonly array: Uint16Array };
  readonly int32: { readonly element: number; readonly array: Int32Array };
  readonly uint32: { readonly element: number; readonly array: Uint32Array };
  readonly float32: { readonly element: number; readonly array: Float32Array };
  readonly float64: { readonly element: number; readonly array: Float64Array };
  readonly bigint64: { readonly element: bigint; readonly array: BigInt64Array };
  readonly biguint64: { readonly element: bigint; readonly array: BigUint64Array };
}

/** Name of a type of numbers. Python's codes in brackets: char (c; one character from U+0000 to U+00FF), int8 (b), uint8 (B), int16 (h), uint16 (H), int32 (i), uint32 (I), float32 (f), float64 (d), bigint64 (q, l), biguint64 (Q, L). */
export type NumberType = keyof NumberTypes;

/** What an element of the type is in JavaScript. */
export type Element<T extends NumberType> = NumberTypes[T]['element'];

/** The typed array of the type. */
export type ArrayOf<T extends NumberType> = NumberTypes[T]['array'];

/** What can be added to an element of the type; characters have no sum. */
export type Summand<T extends NumberType> = Exclude<Element<T>, string>;

type AnyArray = ArrayOf<NumberType>;

interface TypeFacts {
  readonly make: new (buffer: ArrayBuffer, byteOffset: number, length: number) => AnyArray;
  readonly bytes: number;
  readonly element: 'number' | 'bigint' | 'char';
  /** For what `Atomics` does not know: integers of the same size. */
  readonly bits: 'uint8' | 'int32' | 'bigint64' | null;
}

const TYPES: { readonly [T in NumberType]: TypeFacts } = {
  char: { make: Uint8Array, bytes: 1, element: 'char', bits: 'uint8' },
  int8: { make: Int8Array, bytes: 1, element: 'number', bits: null },
  uint8: { make: Uint8Array, bytes: 1, element: 'number', bits: null },
  int16: { make: Int16Array, bytes: 2, element: 'number', bits: null },
  uint16: { make: Uint16Array, bytes: 2, element: 'number', bits: null },
  int32: { make: Int32Array, bytes: 4, element: 'number', bits: null },
  uint32: { make: Uint32Array, bytes: 4, element: 'number', bits: null },
  float32: { make: Float32Array, bytes: 4, element: 'number', bits: 'int32' },
  float64: { make: Float64Array, bytes: 8, element: 'number', bits: 'bigint64' },
  bigint64: { make: BigInt64Array, bytes: 8, element: 'bigint', bits: null },
  biguint64: { make: BigUint64Array, bytes: 8, element: 'bigint', bits: null },
};

/**
 * Passes the name of a type through.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: there is no such type.
 */
export function checkedType<T extends NumberType>(type: T, doing: string): T {
  if (Object.hasOwn(TYPES, type)) return type;
  throw new UsageError(
    `${doing} failed: there is no type '${String(type)}'. Use one of: ${Object.keys(TYPES).join(', ')}.`,
  );
}

export function bytesOf(type: NumberType): number {
  return TYPES[type].bytes;
}

/** The typed array of `type` over part of a buffer. */
export function arrayOver<T extends NumberType>(
  type: T,
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
): ArrayOf<T> {
  return new TYPES[type].make(buffer, byteOffset, length) as ArrayOf<T>;
}

/** Refuses what is no element of `type`; integers beyond the type's range wrap round, as they do in C and in Python. */
export function checkElement(type: NumberType, value: unknown, doing: string): void {
  const { element } = TYPES[type];
  if (element === 'char' ? isChar(value) : typeof value === element) return;
  const wanted = element === 'char' ? 'one character up to U+00FF' : `a ${element}`;
  const given = element === 'char' && typeof value === 'string' ? JSON.stringify(value) : `a ${typeof value}`;
  throw new UsageError(`${doing} failed: an element of type ${type} is ${wanted}, not ${given}.`);
}

/** As {@link checkElement}, and refuses characters. */
export function checkSummand(type: NumberType, value: unknown, doing: string): void {
  if (TYPES[type].element !== 'char') checkElement(type, value, doing);
  else throw new UsageError(`${doing} failed: characters have no sum. Use exchange or compareExchange.`);
}

function isChar(value: unknown): boolean {
  return typeof value === 'string' && value.length === 1 && value.charCodeAt(0) <= 0xff;
}

/** Atomic operations on the elements of shared memory, of whatever type. */
export class Cells<T extends NumberType> {
  readonly #array: ArrayOf<T>;
  readonly #bits: Uint8Array | Int32Array | BigInt64Array | null;
  readonly #float: Float32Array | Float64Array | null;
  readonly #floatBits: Int32Array | BigInt64Array | null;

  constructor(type: T, buffer: ArrayBuffer, byteOffset: number, length: number) {
    const { bits, bytes, element } = TYPES[type];
    this.#array = arrayOver(type, buffer, byteOffset, length);
    this.#bits = bits === null ? null : arrayOver(bits, buffer, byteOffset, length);
    const isFloat = bits !== null && element === 'number';
    const scratch = new ArrayBuffer(8);
    this.#float = isFloat ? (arrayOver(type, scratch, 0, 8 / bytes) as Float32Array | Float64Array) : null;
    this.#floatBits = isFloat ? (arrayOver(bits, scratch, 0, 8 / bytes) as Int32Array) : null;
  }

  load(index: number): Element<T> {
    if (this.#bits === null) return Atomics.load(this.#array as Int32Array, index) as Element<T>;
    return this.#decode(Atomics.load(this.#bits as Int32Array, index));
  }

  store(index: number, value: Element<T>): void {
    if (this.#bits === null) Atomics.store(this.#array as Int32Array, index, value as number);
    else Atomics.store(this.#bits as Int32Array, index, this.#encode(value));
  }

  /** Replaces an element by what `next` makes of it, as one step for all others; answers the former one. */
  update(index: number, next: (value: Element<T>) => Element<T>): Element<T> {
    for (;;) {
      const seen = this.load(index);
      if (this.#swap(index, seen, next(seen))) return seen;
    }
  }

  add(index: number, by: Summand<T>): Element<T> {
    if (this.#bits === null) return Atomics.add(this.#array as Int32Array, index, by as number) as Element<T>;
    return this.update(index, (value) => ((value as number) + (by as number)) as Element<T>);
  }

  sub(index: number, by: Summand<T>): Element<T> {
    if (this.#bits === null) return Atomics.sub(this.#array as Int32Array, index, by as number) as Element<T>;
    return this.update(index, (value) => ((value as number) - (by as number)) as Element<T>);
  }

  exchange(index: number, value: Element<T>): Element<T> {
    if (this.#bits === null)
      return Atomics.exchange(this.#array as Int32Array, index, value as number) as Element<T>;
    return this.#decode(Atomics.exchange(this.#bits as Int32Array, index, this.#encode(value)));
  }

  compareExchange(index: number, expected: Element<T>, value: Element<T>): Element<T> {
    if (this.#bits === null) {
      return Atomics.compareExchange(
        this.#array as Int32Array,
        index,
        expected as number,
        value as number,
      ) as Element<T>;
    }
    return this.#decode(
      Atomics.compareExchange(this.#bits as Int32Array, index, this.#encode(expected), this.#encode(value)),
    );
  }

  #swap(index: number, seen: Element<T>, value: Element<T>): boolean {
    return Object.is(this.compareExchange(index, seen, value), seen);
  }

  /** Scratch memory: one member of the family at a time works here, for each thread has its own. */
  #encode(value: Element<T>): number {
    if (this.#float === null) return (value as string).charCodeAt(0);
    (this.#float as Float64Array)[0] = value as number;
    return (this.#floatBits as Int32Array)[0] as number;
  }

  #decode(bits: number): Element<T> {
    if (this.#float === null) return String.fromCharCode(bits) as Element<T>;
    (this.#floatBits as Int32Array)[0] = bits;
    return (this.#float as Float64Array)[0] as Element<T>;
  }
}
