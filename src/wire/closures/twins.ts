import { AsyncLocalStorage } from 'node:async_hooks';
import type { AnyFunction, CodeUnit, ImportRecord } from './descriptor.js';
import { nextId } from './identities.js';
import { InspectorUnavailable, inspecting, viewFunction } from './inspector.js';
import { fileUrlOf, isEntryFile } from './references.js';
import { scriptOf } from './script-analysis.js';

/**
 * An `AsyncLocalStorage` cannot travel: what it holds belongs to calls of this process. But each process may have one that stands for the
 * same thing, its twin. Where a module that the program imports holds it, the twin is what the same module holds there.
 */
interface Twin {
  readonly id: string;
  /** A function that gives what the module holds; `null` as long as no module is known. */
  home: CodeUnit | null;
}

const twins = new WeakMap<object, Twin>();
const byId = new Map<string, AsyncLocalStorage<unknown>>();

/** Lets `storage` travel as its twin. */
export function allowTwin(storage: AsyncLocalStorage<unknown>): void {
  if (!twins.has(storage)) twins.set(storage, { id: nextId(), home: null });
}

/** How an object travels as its twin; `undefined` for any other. */
export function twinOf(object: object): Twin | undefined {
  return twins.get(object);
}

/** Looks whether the module that `fn` was written in imports, or exports, one of the storages. */
export function findHomes(fn: AnyFunction, storages: readonly AsyncLocalStorage<unknown>[]): void {
  const homeless = storages.filter((storage) => twins.get(storage)?.home === null);
  if (homeless.length === 0) return;
  try {
    inspecting(() => lookForHomes(fn, homeless));
  } catch (error) {
    // Then the twins are those of functions that travel by value.
    if (!(error instanceof InspectorUnavailable)) throw error;
  }
}

function lookForHomes(fn: AnyFunction, storages: readonly AsyncLocalStorage<unknown>[]): void {
  const { site, scopes } = viewFunction(fn);
  const scope = scopes.find(({ kind }) => kind === 'Module')?.object;
  const script = site === null || scope === undefined ? null : scriptOf(site.scriptId, true);
  const url = script === null ? null : fileUrlOf(script.url);
  if (script === null || url === null || scope === undefined) return;
  for (const name of Object.keys(scope)) {
    const storage = storages.find((one) => valueIn(scope, name) === one);
    const twin = storage === undefined ? undefined : twins.get(storage);
    if (twin === undefined) continue;
    const source = script.scopes.topLevel.get(name)?.source;
    const exported = script.exports.find(({ local }) => local === name);
    if (source != null) twin.home = importing({ name, ...source, via: 'import' }, url);
    else if (exported !== undefined && !isEntryFile(url) && !script.isTest) {
      twin.home = importing({ name, specifier: url, exportName: exported.exportName, via: 'import' }, url);
    }
  }
}

function valueIn(scope: object, name: string): unknown {
  try {
    return (scope as Record<string, unknown>)[name];
  } catch {
    // Not initialised yet.
    return undefined;
  }
}

function importing(record: ImportRecord, url: string): CodeUnit {
  return {
    kind: 'code',
    id: nextId(),
    source: `() => ${record.name}`,
    names: [],
    imports: [record],
    strict: true,
    isClass: false,
    url,
    line: 0,
    column: 0,
  };
}

/** The twin here; `home` gives what the module holds that has it, if there is one. */
export function twinHere(id: string, home: (() => unknown) | null): AsyncLocalStorage<unknown> {
  let twin = byId.get(id);
  if (twin === undefined) {
    const held = home?.();
    twin = held instanceof AsyncLocalStorage ? held : new AsyncLocalStorage<unknown>();
    byId.set(id, twin);
    // So that it goes on to others, and back, as the same.
    twins.set(twin, { id, home: null });
  }
  return twin;
}
