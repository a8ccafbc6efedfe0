import * as f from '../codec/format.js';
import { Malformed } from '../codec/message-cursor.js';
import type { CodeReading, Reader } from '../codec/reader.js';
import { cannotLoad } from '../failures.js';
import type { Instance } from './compile.js';
import { type AnyFunction, type CodeUnit, SUPER_NAME } from './descriptor.js';
import { globalAt } from './globals.js';
import { classOf, registerClass } from './identities.js';
import type { LoadedUnit } from './loaded-units.js';
import { rememberReceived } from './received.js';
import { twinHere } from './twins.js';

/** Stands where something could not be made; `failure` says why. */
export class Broken {
  readonly failure: Error;
  constructor(failure: Error) {
    this.failure = failure;
  }
}

/** Captured variables, to be set when the class they hold is made. */
interface Later {
  readonly number: number;
  readonly set: (type: unknown) => void;
}

/** Reads functions, classes, their instances and symbols out of messages; one for each reader. */
export class CodeReceiver implements CodeReading {
  /** The units of the message, ready to be used or failed. */
  units: readonly LoadedUnit[] = [];
  /** What could not be made of the message. */
  failure: Error | null = null;

  private later: Later[] = [];

  begin(units: readonly LoadedUnit[]): void {
    this.units = units;
    this.failure = null;
    if (this.later.length > 0) this.later = [];
  }

  read(reader: Reader, tag: number): unknown {
    switch (tag) {
      case f.FUNCTION:
        return this.closure(reader);
      case f.CLASS:
        return this.class(reader);
      case f.HOME_CLASS:
        return this.homeClass(reader);
      case f.REFERENCE: {
        const unit = this.unit(reader);
        return reader.opened(this.attempt(() => unit.value()));
      }
      case f.GLOBAL: {
        const path = reader.readString();
        return reader.opened(this.attempt(() => globalFunction(path)));
      }
      case f.BOUND:
        return this.bound(reader);
      case f.TWIN: {
        const id = reader.readString();
        const home = reader.readByte() === 1 ? this.unit(reader) : null;
        return reader.opened(this.attempt(() => twinHere(id, home && (() => home.instantiate().make()()))));
      }
      case f.METHOD:
        return this.method(reader);
      case f.SYMBOL:
        return this.symbol(reader);
      case f.INSTANCE:
        return this.instance(reader);
      default:
        reader.read();
        return reader.read();
    }
  }

  private unit(reader: Reader): LoadedUnit {
    const unit = this.units[reader.readCount()];
    if (unit === undefined) throw new Malformed('it names code that it does not have');
    return unit;
  }

  private code(reader: Reader): { readonly loaded: LoadedUnit; readonly unit: CodeUnit } {
    const loaded = this.unit(reader);
    if (loaded.unit.kind !== 'code') throw new Malformed('it has a function without a text');
    return { loaded, unit: loaded.unit };
  }

  /** Does what may fail because of the user's code, and notes the first failure. */
  private attempt<T>(make: () => T): T | Broken {
    try {
      return make();
    } catch (error) {
      const failure = error instanceof Error ? error : cannotLoad('code', 'it threw', error);
      this.failure ??= failure;
      return new Broken(failure);
    }
  }

  private closure(reader: Reader): unknown {
    const { loaded, unit } = this.code(reader);
    // Its number comes before those of its parts; id and name are texts, which have none.
    const slot = reader.reserve();
    const id = reader.readString();
    const name = reader.readString();
    const known = id === '' ? undefined : classOf(id);
    const made = this.attempt(() => loaded.instantiate());
    const fn = made instanceof Broken ? made : (known ?? this.attempt(() => made.make()));
    reader.fill(slot, fn);
    const values: unknown[] = [];
    for (let i = 0; i < unit.names.length; i += 1) this.cell(reader, made, values);
    const isNew = !(made instanceof Broken) && typeof fn === 'function' && known === undefined;
    if (isNew) made.set(values);
    this.properties(reader, isNew ? fn : null);
    this.properties(reader, isNew ? ((fn as AnyFunction).prototype as object | undefined) : null);
    if (isNew) {
      setName(fn as AnyFunction, name);
      rememberReceived(fn as AnyFunction, { unit, values: () => made.get() });
      if (id !== '') registerClass(fn as AnyFunction, id);
    }
    return fn;
  }

  /** Reads a captured value, which may be a class that is still being made. */
  private cell(reader: Reader, made: Instance | Broken, values: unknown[]): void {
    const index = values.length;
    const number = reader.peekRef();
    if (number === undefined || reader.isMade(number) || made instanceof Broken) {
      values.push(reader.read());
      return;
    }
    reader.skipRef();
    values.push(undefined);
    const set = (type: unknown): void => {
      values[index] = type;
      made.setOne(index, type);
    };
    this.later.push({ number, set });
  }

  private class(reader: Reader): unknown {
    const slot = reader.reserve();
    const id = reader.readString();
    const { loaded, unit } = this.code(reader);
    const name = reader.readString();
    const early = reader.readCount();
    const superclass = unit.source.includes(SUPER_NAME) ? reader.read() : undefined;
    const made = this.attempt(() => loaded.instantiate());
    const values: unknown[] = [];
    for (let i = 0; i < early; i += 1) this.cell(reader, made, values);
    const known = classOf(id);
    const fn =
      made instanceof Broken
        ? made
        : (known ??
          this.attempt(() => {
            made.set(values, superclass);
            return made.make();
          }));
    reader.fill(slot, fn);
    for (const { number, set } of this.later) if (number === slot) set(fn);
    for (let i = early; i < unit.names.length; i += 1) this.cell(reader, made, values);
    const isNew = !(made instanceof Broken) && typeof fn === 'function' && known === undefined;
    if (isNew) made.set(values, superclass);
    this.properties(reader, isNew ? fn : null);
    this.properties(reader, isNew ? ((fn as AnyFunction).prototype as object) : null);
    if (isNew) {
      nameClass(fn as AnyFunction, name);
      rememberReceived(fn as AnyFunction, { unit, values: () => made.get() });
      registerClass(fn as AnyFunction, id);
    }
    return fn;
  }

  private homeClass(reader: Reader): unknown {
    const slot = reader.reserve();
    const id = reader.readString();
    const type = this.attempt(() => {
      const known = classOf(id);
      if (known === undefined) throw cannotLoad('a class', 'the class it came from is gone');
      return known;
    });
    return reader.fill(slot, type);
  }

  private bound(reader: Reader): unknown {
    const slot = reader.reserve();
    const target = reader.read();
    const self = reader.read();
    const args = reader.read();
    if (!Array.isArray(args)) throw new Malformed('it has a bound function without arguments');
    if (target instanceof Broken) return reader.fill(slot, target);
    if (typeof target !== 'function') throw new Malformed('it binds what is no function');
    return reader.fill(slot, Function.prototype.bind.call(target, self, ...(args as unknown[])) as unknown);
  }

  private method(reader: Reader): unknown {
    const slot = reader.reserve();
    const type = reader.read();
    const isStatic = reader.readByte() === 1;
    const name = reader.readString();
    if (type instanceof Broken) return reader.fill(slot, type);
    const owner: unknown = isStatic || typeof type !== 'function' ? type : type.prototype;
    const method =
      Object(owner) === owner ? Object.getOwnPropertyDescriptor(owner as object, name)?.value : null;
    if (typeof method !== 'function') throw new Malformed('it names a method that its class does not have');
    return reader.fill(slot, method as unknown);
  }

  private symbol(reader: Reader): symbol {
    const kind = reader.readByte();
    if (kind === f.REGISTERED) return Symbol.for(reader.readString());
    if (kind === f.WELL_KNOWN) {
      const symbol = (Symbol as unknown as Record<string, unknown>)[reader.readString()];
      if (typeof symbol !== 'symbol') throw new Malformed('it names no symbol');
      return symbol;
    }
    const slot = reader.reserve();
    const description = reader.read();
    if (typeof description !== 'string' && description !== undefined) {
      throw new Malformed('it has a symbol that is no symbol');
    }
    return reader.fill(slot, Symbol(description));
  }

  private instance(reader: Reader): unknown {
    const kind = reader.readByte();
    const value = reader.opened(emptyOf(kind));
    const type = reader.read();
    if (typeof type === 'function' && !(type instanceof Broken)) {
      const { prototype } = type as { readonly prototype?: unknown };
      if (typeof prototype !== 'object' || prototype === null)
        throw new Malformed('it has a class without prototype');
      Object.setPrototypeOf(value, prototype);
    }
    fillContents(value, kind, kind === f.PLAIN ? undefined : reader.read());
    if (reader.readByte() === 1) {
      for (const key of reader.readKeys()) define(value, key, reader.read());
    }
    for (let left = reader.readCount(); left > 0; left -= 1) {
      const symbol = reader.read();
      if (typeof symbol !== 'symbol') throw new Malformed('it names a property by no symbol');
      define(value, symbol, reader.read());
    }
    // Without its class it is not what was sent; inside of it, it may still be referred to.
    return type instanceof Broken ? type : value;
  }

  /** Reads properties; those of nothing are left out. */
  private properties(reader: Reader, owner: object | null | undefined): void {
    for (let left = reader.readCount(); left > 0; left -= 1) {
      const key = reader.readString();
      const value = reader.read();
      if (owner != null) define(owner, key, value);
    }
  }
}

function define(owner: object, key: string | symbol, value: unknown): void {
  Reflect.defineProperty(owner, key, { value, writable: true, enumerable: true, configurable: true });
}

function setName(fn: AnyFunction, name: string): void {
  if (fn.name !== name) Reflect.defineProperty(fn, 'name', { value: name, configurable: true });
}

/** A class without a name in its text has one from where it was put, unless it has a static member of that name. */
function nameClass(type: AnyFunction, name: string): void {
  const own = Object.getOwnPropertyDescriptor(type, 'name');
  if (own === undefined || (own.value === '' && own.writable === false)) setName(type, name);
}

function globalFunction(path: string): unknown {
  const found = globalAt(path);
  if (typeof found !== 'function') throw cannotLoad(path, 'it does not exist here');
  return found;
}

function emptyOf(kind: number): object {
  switch (kind) {
    case f.PLAIN:
      return {};
    case f.OF_ARRAY:
      return [];
    case f.OF_MAP:
      return new Map();
    case f.OF_SET:
      return new Set();
    case f.OF_DATE:
      return new Date(0);
    default:
      throw new Malformed('it has an unknown kind of instance');
  }
}

function fillContents(value: object, kind: number, contents: unknown): void {
  if (kind === f.OF_ARRAY && Array.isArray(contents)) {
    for (const [index, part] of contents.entries()) define(value, String(index), part);
    (value as unknown[]).length = contents.length;
  } else if (kind === f.OF_MAP && contents instanceof Map) {
    for (const [key, part] of contents) Map.prototype.set.call(value, key, part);
  } else if (kind === f.OF_SET && contents instanceof Set) {
    for (const part of contents) Set.prototype.add.call(value, part);
  } else if (kind === f.OF_DATE && typeof contents === 'number') {
    Date.prototype.setTime.call(value, contents);
  } else if (kind !== f.PLAIN) throw new Malformed('it has an instance without contents');
}
