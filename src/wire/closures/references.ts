import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FunctionView, ScriptView } from './inspector.js';
import { exportsOf, offsetIn } from './module-exports.js';

/** What names a function in its module. */
export interface FoundReference {
  readonly url: string;
  readonly exportName: string;
}

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

/** Tells whether importing `url` would run the whole program again. */
export function isEntryFile(url: string): boolean {
  try {
    return realpathSync(fileURLToPath(url)) === entryPath();
  } catch {
    return false;
  }
}

/**
 * Finds the name under which an importable module exports `fn`, without importing anything: an import of the entry
 * file from inside of itself would never end.
 */
export function findReference(fn: unknown, view: FunctionView, script: ScriptView): FoundReference | null {
  if (script.url.startsWith('node:')) return findInBuiltin(fn, script.url);
  const url = fileUrlOf(script.url);
  if (url === null || isEntryFile(url)) return null;
  return findInCommonJs(fn, url) ?? findInModule(fn, view, script, url);
}

function findInBuiltin(fn: unknown, url: string): FoundReference | null {
  const { getBuiltinModule } = process as { readonly getBuiltinModule?: (id: string) => object | undefined };
  const builtin = getBuiltinModule?.(url);
  const exportName = builtin === undefined ? null : keyOf(builtin, fn);
  return exportName === null ? null : { url, exportName };
}

function keyOf(holder: object, fn: unknown): string | null {
  for (const key of Object.keys(holder)) {
    try {
      if ((holder as Record<string, unknown>)[key] === fn) return key;
    } catch {
      // An export that is not initialised yet, or a getter that warns by throwing: not this one.
    }
  }
  return null;
}

function findInCommonJs(fn: unknown, url: string): FoundReference | null {
  const loaded = createRequire(import.meta.url).cache[fileURLToPath(url)];
  if (loaded === undefined) return null;
  const exported: unknown = loaded.exports;
  if (exported === fn) return { url, exportName: 'default' };
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return null;
  const exportName = keyOf(exported, fn);
  return exportName === null ? null : { url, exportName };
}

function findInModule(
  fn: unknown,
  { site, scopes }: FunctionView,
  { source }: ScriptView,
  url: string,
): FoundReference | null {
  const moduleScope = scopes.find(({ kind }) => kind === 'Module')?.object ?? {};
  const at = site === null ? -1 : offsetIn(source, site.line, site.column);
  const found = exportsOf(source).find(({ local, functionAt }) =>
    // By position only what has no variable to compare with, such as an anonymous `export default`: a variable may
    // hold another function by now.
    local !== null && Object.hasOwn(moduleScope, local)
      ? isValueOf(moduleScope, local, fn)
      : at >= 0 && functionAt === at,
  );
  return found === undefined ? null : { url, exportName: found.exportName };
}

function isValueOf(scope: object, name: string, fn: unknown): boolean {
  try {
    return (scope as Record<string, unknown>)[name] === fn;
  } catch {
    // Not initialised yet.
    return false;
  }
}
