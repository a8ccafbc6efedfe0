import { NotSendableError } from '../base/errors.js';
import { commonJsUnit, type ReferenceUnit, referenceUnit, type Unit } from '../wire/closures/descriptor.js';
import { decode, encode } from '../wire/codec.js';
import { decodeFromFamily, Outbox, pack } from '../wire/family-message.js';
import { type AnyFunction, exportOf, functionOf } from '../wire/functions.js';
import { carriedBy } from '../wire/handles.js';
import type { App } from './app.js';
import { needsKey, outsideApp } from './failures.js';

const REFERENCE = 'reference';
const VALUE = 'value';
/** Stands in a description for the root of the app. */
const APP_URL = 'furca-app:';

/** Why a worker does not take a piece of code. */
export interface CodeFault {
  readonly reason: 'build' | 'unsigned' | 'malformed' | 'function';
  readonly text: string;
}

/** A function of a worker, or why there is none. */
export type FoundCode =
  | { readonly fn: AnyFunction; readonly fault: undefined }
  | { readonly fn: undefined; readonly fault: CodeFault };

/**
 * Describes a function for a worker: by its name in the app, or else, where there is a key, by its code and what it captures.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`; {@link UsageError} `ERR_FURCA_REFUSED`: it would travel by value, without a
 * key; or its module lies elsewhere.
 */
export function describeCode(fn: AnyFunction, app: App, hasKey: boolean): Uint8Array {
  const unit = exportOf(fn);
  const path = unit === null ? undefined : app.pathOf(unit.url);
  if (unit !== null && path !== undefined) return encode([REFERENCE, ...namesOf(unit, path, app)]);
  const packed = pack(fn, 'task');
  if (!hasKey) throw unit === null ? needsKey(fn.name) : outsideApp(unit.url, app.root);
  if (carriedBy(packed.bytes).length > 0) throw holdsHandles(fn.name);
  return encode([VALUE, packed.units.map((one) => portable(one, app)), packed.bytes.slice()]);
}

function namesOf(unit: ReferenceUnit, path: string, app: App): readonly unknown[] {
  return [path, app.hashOf(path), unit.exportName, unit.member, unit.isCommonJs];
}

function holdsHandles(name: string): NotSendableError {
  return new NotSendableError(
    `Cannot send the function ${name} to another machine: it captures an object of shared memory, which only processes of this family have. Send data instead.`,
    'task',
  );
}

/** Addresses below the root become relative to it. */
function portable(unit: Unit, app: App): Unit {
  const moved = (url: string): string => {
    const path = app.pathOf(url);
    return path === undefined ? url : APP_URL + path;
  };
  return translated(unit, moved);
}

function translated(unit: Unit, moved: (url: string) => string): Unit {
  if (unit.kind === 'reference') {
    const url = moved(unit.url);
    return unit.isCommonJs
      ? commonJsUnit(url, unit.member)
      : referenceUnit(url, unit.exportName, unit.member);
  }
  const imports = unit.imports.map((one) => ({ ...one, specifier: moved(one.specifier) }));
  return { ...unit, url: unit.url === null ? null : moved(unit.url), imports };
}

/**
 * Finds the function that a caller described. The text of a function is compiled only if it was signed.
 *
 * @param isSigned - Whoever wrote this has the key.
 */
export async function findCode(bytes: Uint8Array, app: App, isSigned: boolean): Promise<FoundCode> {
  let description: unknown;
  try {
    description = decode(bytes);
  } catch {
    return fault('malformed', 'its function is damaged');
  }
  if (!Array.isArray(description)) return fault('malformed', 'its function is damaged');
  const [kind, ...parts] = description as readonly unknown[];
  if (kind === REFERENCE) return findReference(parts, app);
  if (kind !== VALUE) return fault('malformed', 'its function is damaged');
  if (!isSigned) return fault('unsigned', 'it holds code that nobody signed');
  return await makeFunction(parts, app);
}

function findReference(parts: readonly unknown[], app: App): FoundCode {
  const [path, hash, exportName, member, isCommonJs] = parts;
  const isRight =
    typeof path === 'string' &&
    typeof hash === 'string' &&
    typeof exportName === 'string' &&
    Array.isArray(member) &&
    member.every((key) => typeof key === 'string') &&
    typeof isCommonJs === 'boolean';
  if (!isRight) return fault('malformed', 'its function is damaged');
  const way = member as readonly string[];
  // Only own properties are followed; these two could all the same lead to the maker of functions, and so to code that nobody signed.
  if (way.some((key) => key === 'constructor' || key === '__proto__'))
    return fault('function', `${[exportName, ...way].join('.')} is no name of a task`);
  const url = app.urlOf(path);
  if (url === undefined) return fault('build', `its build of the app has no module ${path}`);
  if (app.hashOf(path) !== hash)
    return fault(
      'build',
      `its build has another ${path}: ${app.hashOf(path).slice(0, 12)} instead of ${hash.slice(0, 12)}`,
    );
  const unit = isCommonJs ? commonJsUnit(url, way) : referenceUnit(url, exportName, way);
  return { fn: functionOf(unit, way.at(-1) ?? exportName), fault: undefined };
}

async function makeFunction([units, bytes]: readonly unknown[], app: App): Promise<FoundCode> {
  if (!Array.isArray(units) || !(bytes instanceof Uint8Array))
    return fault('malformed', 'its function is damaged');
  const moved = (url: string): string =>
    url.startsWith(APP_URL) ? (app.urlOf(url.slice(APP_URL.length)) ?? url) : url;
  try {
    const local = (units as readonly Unit[]).map((unit) => translated(unit, moved));
    const fn = await decodeFromFamily(new Outbox().seal({ bytes, units: local, isConstant: true }));
    if (typeof fn === 'function') return { fn: fn as AnyFunction, fault: undefined };
    return fault('malformed', 'its function is none');
  } catch (error) {
    return fault('function', `its function cannot be made: ${(error as Error).message}`);
  }
}

function fault(reason: CodeFault['reason'], text: string): FoundCode {
  return { fn: undefined, fault: { reason, text } };
}
