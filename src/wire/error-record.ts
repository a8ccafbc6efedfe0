import { types } from 'node:util';
import * as commandErrors from '../base/command-errors.js';
import * as furcaErrors from '../base/errors.js';

/** An error as plain data. */
export interface FullErrorRecord {
  readonly kind: 'error';
  /** The nearest class that both sides know. */
  readonly base: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** Own properties: name, packed value, whether enumerable. Each packed alone, so that one cannot spoil another. */
  readonly properties: readonly (readonly [string, Uint8Array, boolean])[];
  /** Names of own properties that could not be packed; in brackets `cause` or `errors` that went too deep. */
  readonly dropped: readonly string[];
  readonly cause: ErrorRecord | null;
  readonly errors: readonly ErrorRecord[] | null;
}

/** What was thrown and is no error, packed. */
export interface ThrownValueRecord {
  readonly kind: 'value';
  readonly bytes: Uint8Array;
}

/** What was thrown, as plain data that can always be packed. */
export type ErrorRecord = FullErrorRecord | ThrownValueRecord;

type Pack = (value: unknown, path: string) => Uint8Array;
type Unpack = (bytes: Uint8Array) => unknown;

/** Errors of one record, causes of causes included; what is beyond is dropped. */
const MAX_ERRORS = 64;

/** Key of the names that `FullErrorRecord.dropped` lists, on an error that was rebuilt. */
const DROPPED: unique symbol = Symbol.for('furca:dropped') as never;

const PROTOTYPES: ReadonlyMap<string, object> = new Map<string, object>([
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    (Class): [string, object] => [Class.name, Class.prototype as object],
  ),
  ...Object.values({ ...furcaErrors, ...commandErrors }).map((Class): [string, object] => [
    Class.name,
    Class.prototype,
  ]),
]);

/** Handled each in its own way, or by the class. */
const NOT_A_PROPERTY: ReadonlySet<string> = new Set(['message', 'stack', 'cause', 'errors']);

/** See `recordError`; the codec gives itself as `pack`, since it needs this file for errors inside of values. */
export function recordWith(thrown: unknown, pack: Pack): ErrorRecord {
  return new Recording(pack).record(thrown);
}

function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error || value instanceof DOMException;
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

class Recording {
  private readonly pack: Pack;
  private readonly seen = new Set<unknown>();

  constructor(pack: Pack) {
    this.pack = pack;
  }

  record(thrown: unknown): ErrorRecord {
    if (attempt(() => isError(thrown), false)) return this.error(thrown as Error);
    try {
      return { kind: 'value', bytes: this.packed(thrown, 'the thrown value') };
    } catch (error) {
      return this.error(error as Error);
    }
  }

  /** With memory of its own: views on one buffer would keep each other's bytes company. */
  private packed(value: unknown, path: string): Uint8Array {
    return this.pack(value, path).slice();
  }

  private error(error: Error): FullErrorRecord {
    this.seen.add(error);
    const dropped: string[] = [];
    const properties: [string, Uint8Array, boolean][] = [];
    for (const key of attempt(() => Object.getOwnPropertyNames(error), [])) {
      if (NOT_A_PROPERTY.has(key)) continue;
      try {
        const value = (error as unknown as Record<string, unknown>)[key];
        const isEnumerable = Object.prototype.propertyIsEnumerable.call(error, key);
        properties.push([key, this.packed(value, key), isEnumerable]);
      } catch {
        dropped.push(key);
      }
    }
    const stack = attempt<unknown>(() => error.stack, null);
    return {
      kind: 'error',
      base: attempt(() => baseOf(error), 'Error'),
      name: attempt(() => String(error.name), 'Error'),
      message: attempt(() => String(error.message), ''),
      stack: typeof stack === 'string' ? stack : null,
      properties,
      cause: this.cause(error, dropped),
      errors: this.errors(error, dropped),
      dropped,
    };
  }

  private cause(error: Error, dropped: string[]): ErrorRecord | null {
    if (!attempt(() => Object.hasOwn(error, 'cause'), false)) return null;
    return this.part(
      attempt(() => error.cause, undefined),
      '[cause]',
      dropped,
    );
  }

  private errors(error: Error, dropped: string[]): readonly ErrorRecord[] | null {
    const errors = attempt<unknown>(
      () => (Object.hasOwn(error, 'errors') ? (error as AggregateError).errors : null),
      null,
    );
    if (!attempt(() => Array.isArray(errors), false)) return null;
    const records: ErrorRecord[] = [];
    for (const part of attempt(() => [...(errors as unknown[])], [])) {
      const record = this.part(part, '[errors]', dropped);
      if (record !== null) records.push(record);
    }
    return records;
  }

  private part(part: unknown, name: string, dropped: string[]): ErrorRecord | null {
    if (this.seen.has(part) || this.seen.size >= MAX_ERRORS) {
      dropped.push(name);
      return null;
    }
    return this.record(part);
  }
}

/** The name of the nearest class above `error` that is known; by name, so that other realms and copies count. */
function baseOf(error: Error): string {
  if (error instanceof DOMException) return 'DOMException';
  for (
    let level = Object.getPrototypeOf(error) as object | null;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    const maker: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker === 'function' && PROTOTYPES.has(maker.name)) return maker.name;
  }
  return 'Error';
}

function hide(target: object, key: string | symbol, value: unknown, enumerable: boolean = false): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

/** See `rebuildError`. */
export function rebuildWith(record: unknown, unpack: Unpack): unknown {
  const known = record as ErrorRecord;
  return known.kind === 'value' ? unpack(known.bytes) : rebuildFull(known, unpack);
}

function rebuildFull(record: FullErrorRecord, unpack: Unpack): Error {
  const error = emptyError(record);
  hide(error, 'stack', record.stack ?? `${record.name}: ${record.message}`);
  for (const [key, bytes, isEnumerable] of record.properties) {
    hide(error, key, unpack(bytes), isEnumerable);
  }
  if (error.name !== record.name) hide(error, 'name', record.name);
  if (record.cause !== null) hide(error, 'cause', rebuildWith(record.cause, unpack));
  if (record.errors !== null) {
    hide(
      error,
      'errors',
      record.errors.map((part) => rebuildWith(part, unpack)),
    );
  }
  if (record.dropped.length > 0) hide(error, DROPPED, [...record.dropped]);
  return error;
}

function emptyError({ base, name, message }: FullErrorRecord): Error {
  // Its name and code sit in slots, which only its constructor fills.
  if (base === 'DOMException') return new DOMException(message, name);
  const limit = Error.stackTraceLimit;
  // The stack is replaced at once: collecting it would be most of the cost.
  Error.stackTraceLimit = 0;
  const error = message === '' ? new Error() : new Error(message);
  Error.stackTraceLimit = limit;
  // No constructor of ours runs: what it would compute stands in the record.
  const proto = PROTOTYPES.get(base);
  if (proto !== undefined && base !== 'Error') Object.setPrototypeOf(error, proto);
  return error;
}
