import { type CallContext, pythonError, SharedObject } from './shared-object.js';

/** One value. */
export class SharedValue extends SharedObject {
  override readonly exposed: readonly string[] = ['get', 'set'];
  #value: unknown;

  constructor(_typecode: unknown, value: unknown) {
    super();
    this.#value = value;
  }

  get(_: CallContext): unknown {
    return this.#value;
  }

  set(_: CallContext, value?: unknown): void {
    this.#value = value;
  }

  override value(): unknown {
    return this.#value;
  }
}

/** What each typecode of Python's `array` holds. */
const ARRAYS: Readonly<Record<string, new (items: never) => ArrayLike<number | bigint>>> = {
  b: Int8Array,
  B: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  l: BigInt64Array,
  L: BigUint64Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
};

/** Numbers of one type. */
export class SharedNumbers extends SharedObject {
  override readonly exposed: readonly string[] = ['__getitem__', '__setitem__', '__len__'];
  readonly #items: { [index: number]: number | bigint; readonly length: number };

  constructor(typecode: unknown, items: unknown) {
    super();
    const type = ARRAYS[String(typecode)];
    if (type === undefined) throw pythonError('ValueError', `bad typecode '${String(typecode)}'`);
    this.#items = new type(items as never);
  }

  #at(index: unknown): number {
    const at = Number(index) < 0 ? this.#items.length + Number(index) : Number(index);
    if (Number.isInteger(at) && at >= 0 && at < this.#items.length) return at;
    throw pythonError('IndexError', 'array index out of range');
  }

  __getitem__(_: CallContext, index?: unknown): unknown {
    return this.#items[this.#at(index)];
  }

  __setitem__(_: CallContext, index?: unknown, value?: unknown): void {
    this.#items[this.#at(index)] = value as number;
  }

  __len__(_: CallContext): number {
    return this.#items.length;
  }

  override value(): unknown {
    return this.#items;
  }
}

/** An object whose properties are set and got. */
export class SharedNamespace extends SharedObject {
  override readonly exposed: readonly string[] = ['__getattribute__', '__setattr__', '__delattr__'];
  readonly #properties: Map<string, unknown>;

  constructor(properties: Readonly<Record<string, unknown>>) {
    super();
    this.#properties = new Map(Object.entries(properties));
  }

  __getattribute__(_: CallContext, name?: unknown): unknown {
    this.#assertHas(name);
    return this.#properties.get(String(name));
  }

  __setattr__(_: CallContext, name?: unknown, value?: unknown): void {
    this.#properties.set(String(name), value);
  }

  __delattr__(_: CallContext, name?: unknown): void {
    this.#assertHas(name);
    this.#properties.delete(String(name));
  }

  #assertHas(name: unknown): void {
    if (this.#properties.has(String(name))) return;
    throw pythonError('AttributeError', `'Namespace' object has no attribute '${String(name)}'`);
  }

  override value(): unknown {
    return Object.fromEntries(this.#properties);
  }

  override repr(): string {
    const shown = [...this.#properties]
      .filter(([name]) => !name.startsWith('_'))
      .map(([name, value]) => `${name}=${typeof value === 'string' ? `'${value}'` : String(value)}`);
    return `Namespace(${shown.sort().join(', ')})`;
  }
}
