import { types } from 'node:util';
import * as f from '../codec/format.js';
import { step } from '../codec/trail.js';
import type { Writer } from '../codec/writer.js';
import { type Refusal, Refused } from '../failures.js';
import type { AnyFunction } from './descriptor.js';
import { NODES_OWN, planOf } from './plan.js';

/** Classes of JavaScript whose instances the writer knows by themselves. */
export const INTRINSIC: ReadonlySet<object | null> = new Set<object | null>([
  null,
  ...[Map, Set, Date, RegExp, Number, String, Boolean, BigInt, ArrayBuffer, DataView, Buffer, Uint8Array].map(
    (Class) => Class.prototype as object,
  ),
  ...[Float64Array, Float32Array, Int32Array, Uint32Array, Int16Array, Uint16Array, Int8Array].map(
    (Class) => Class.prototype as object,
  ),
]);

/** Writes what an instance has as an array, map, set or date. */
export function writeContents(writer: Writer, value: object, kind: number): void {
  if (kind === f.OF_ARRAY) writer.value([...(value as readonly unknown[])]);
  else if (kind === f.OF_MAP) writer.value(new Map(value as Map<unknown, unknown>));
  else if (kind === f.OF_SET) writer.value(new Set(value as Set<unknown>));
  else if (kind === f.OF_DATE) writer.value(Date.prototype.getTime.call(value));
}

/** Writes the properties of an instance. */
export function writeOwnProperties(writer: Writer, value: object, isArray: boolean): void {
  const keys = isArray ? Object.keys(value).filter((key) => !/^\d+$/.test(key)) : Object.keys(value);
  const isShaped = keys.length > 0 && !keys.some((key) => key.includes('\0'));
  writer.amount(isShaped ? 1 : 0);
  if (isShaped) writer.shape(keys);
  for (const key of isShaped ? keys : []) {
    writer.within(key, () => writer.value((value as Record<string, unknown>)[key]));
  }
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
  writer.amount(symbols.length);
  for (const symbol of symbols) {
    writer.value(symbol);
    writer.within(
      step(() => String(symbol)),
      () => writer.value((value as Record<symbol, unknown>)[symbol]),
    );
  }
}

/** Instances of what Node has classes for live in this process, however plain they look. */
export function whyNodesOwn(value: object, proto: object): Refusal | null {
  for (
    let level: object | null = proto;
    level !== null && !INTRINSIC.has(level);
    level = Object.getPrototypeOf(level) as object | null
  ) {
    const maker: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker !== 'function' || maker === Object || maker === Array) continue;
    if (!isNodesOwn(maker as AnyFunction)) continue;
    const { name } = value.constructor;
    const article = /^[aeiou]/i.test(name) ? 'an' : 'a';
    return {
      what: `${article} ${name}`,
      hint: 'It lives in this process. Send plain data that describes it.',
    };
  }
  return null;
}

function isNodesOwn(type: AnyFunction): boolean {
  try {
    const plan = planOf(type);
    return plan.kind === 'global' || (plan.kind === 'reference' && plan.unit.url.startsWith('node:'));
  } catch (error) {
    if (error instanceof Refused && error.refusal.fact === NODES_OWN) return true;
    throw error;
  }
}

/** What the class of an instance extends. */
export function kindOf(value: object): number {
  if (Array.isArray(value)) return f.OF_ARRAY;
  if (types.isMap(value)) return f.OF_MAP;
  if (types.isSet(value)) return f.OF_SET;
  if (types.isDate(value)) return f.OF_DATE;
  return f.PLAIN;
}
