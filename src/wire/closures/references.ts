import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MODULES } from '../../base/programs.js';
import { commonJsUnit, type ReferenceUnit, referenceUnit } from './descriptor.js';
import type { FunctionView } from './inspector.js';
import { offsetIn } from './module-exports.js';
import type { Script } from './script-analysis.js';

/** The file that this program was started with; `null` under `--eval` and in the REPL. */
function entryPath(): string | null {
  const [, given] = process.argv;
  if (given === undefined) return null;
  try {
    // `node app` means app.js too.
    return realpathSync(createRequire(pathToFileURL(`${process.cwd()}/`)).resolve(given));
  } catch {
    return null;
  }
}

/** Makes a file: URL of what V8 calls a script: a URL for a module, for CommonJS sometimes a path. */
export function fileUrlOf(scriptUrl: string): string | null {
  if (scriptUrl.startsWith('file://')) return scriptUrl;
  return scriptUrl.startsWith('/') ? pathToFileURL(scriptUrl).href : null;
}

/** What was found for the script that the program was started with; asked for with every new function. */
let asked: { readonly script: string | undefined; readonly files: Map<string, boolean> } | undefined;

/** Tells whether importing `url` would run the whole program again. */
export function isEntryFile(url: string): boolean {
  const [, script] = process.argv;
  if (asked === undefined || asked.script !== script) asked = { script, files: new Map() };
  let isEntry = asked.files.get(url);
  if (isEntry === undefined) {
    isEntry = looksLikeEntry(url);
    asked.files.set(url, isEntry);
  }
  return isEntry;
}

function looksLikeEntry(url: string): boolean {
  try {
    return realpathSync(fileURLToPath(url)) === entryPath();
  } catch {
    return false;
  }
}

/**
 * Finds the name under which an importable module has `fn`: an export, or one level below an export. Nothing is imported for it: an
 * import of the entry file from inside of itself would never end.
 */
export function findReference(fn: unknown, view: FunctionView, script: Script): ReferenceUnit | null {
  if (script.url.startsWith('node:')) return null;
  const url = fileUrlOf(script.url);
  if (url === null || script.isTest || isEntryFile(url)) return null;
  return findInCommonJs(fn, url) ?? findInModule(fn, view, script, url);
}

/** Finds a function of Node's own by identity. */
export function findInBuiltin(fn: { readonly name: string }, scriptUrl: string): ReferenceUnit | null {
  const { getBuiltinModule } = process as { readonly getBuiltinModule?: (id: string) => object | undefined };
  // An internal script such as node:internal/fs/utils belongs to the module of its first part.
  const [, module = ''] = /^node:(?:internal\/)?([a-z_]+)/.exec(scriptUrl) ?? [];
  for (const id of [scriptUrl, `node:${module}`, ...NATIVE_MODULES]) {
    const builtin = attempt(() => getBuiltinModule?.(id));
    if (typeof builtin !== 'object' && typeof builtin !== 'function') continue;
    const way = builtin === (fn as unknown) ? ['default'] : wayTo(builtin as object, fn);
    if (way !== null) return referenceUnit(id, way[0] as string, way.slice(1));
  }
  return null;
}

/** Modules whose functions are partly written in C++, which no script tells. */
const NATIVE_MODULES: readonly string[] = [
  'node:path',
  'node:fs',
  'node:util',
  'node:crypto',
  'node:os',
  'node:assert',
  'node:async_hooks',
];

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // An export that is not initialised yet, or a getter that throws.
    return undefined;
  }
}

/** The way to `fn` from what holds it: a property, or one below. */
function wayTo(holder: object, fn: unknown): readonly string[] | null {
  const keys = Object.keys(holder);
  const read = (object: object, key: string): unknown =>
    attempt(() => (object as Record<string, unknown>)[key]);
  const direct = keys.find((key) => read(holder, key) === fn);
  if (direct !== undefined) return [direct];
  for (const key of keys) {
    const below = memberOf(read(holder, key), fn);
    if (below !== null) return [key, ...below];
  }
  return null;
}

/** The way to a function from an object or class it belongs to. */
function memberOf(owner: unknown, fn: unknown): readonly string[] | null {
  if ((typeof owner !== 'object' && typeof owner !== 'function') || owner === null) return null;
  const name = keyIn(owner, fn);
  if (name !== null) return [name];
  const prototype: unknown = attempt(() => Object.getOwnPropertyDescriptor(owner, 'prototype')?.value);
  if (typeof prototype !== 'object' || prototype === null) return null;
  const method = keyIn(prototype, fn);
  return method === null || method === 'constructor' ? null : ['prototype', method];
}

function keyIn(owner: object, fn: unknown): string | null {
  const keys = attempt(() => Object.getOwnPropertyNames(owner)) ?? [];
  return (
    keys.find((key) => attempt(() => Object.getOwnPropertyDescriptor(owner, key)?.value as unknown) === fn) ??
    null
  );
}

function findInCommonJs(fn: unknown, url: string): ReferenceUnit | null {
  const loaded = createRequire(MODULES).cache[fileURLToPath(url)];
  if (loaded === undefined) return null;
  const exported: unknown = loaded.exports;
  if (exported === fn) return commonJsUnit(url, []);
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return null;
  const way = wayTo(exported, fn);
  if (way !== null) return commonJsUnit(url, way);
  const below = typeof exported === 'function' ? memberOf(exported, fn) : null;
  return below === null ? null : commonJsUnit(url, below);
}

function findInModule(
  fn: unknown,
  { site, scopes }: FunctionView,
  { source, exports }: Script,
  url: string,
): ReferenceUnit | null {
  const moduleScope = scopes.find(({ kind }) => kind === 'Module')?.object ?? {};
  const at = site === null ? -1 : offsetIn(source, site.line, site.column);
  const read = (name: string): unknown => attempt(() => (moduleScope as Record<string, unknown>)[name]);
  const direct = exports.find(({ local, functionAt }) =>
    // By position only what has no variable to compare with, such as an anonymous `export default`: a variable may
    // hold another function by now.
    local !== null && Object.hasOwn(moduleScope, local) ? read(local) === fn : at >= 0 && functionAt === at,
  );
  if (direct !== undefined) return referenceUnit(url, direct.exportName);
  for (const { local, exportName } of exports) {
    const below = local === null || !Object.hasOwn(moduleScope, local) ? null : memberOf(read(local), fn);
    if (below !== null) return referenceUnit(url, exportName, below);
  }
  return null;
}
