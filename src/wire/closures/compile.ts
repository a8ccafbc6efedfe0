import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction, constants, Script } from 'node:vm';
import { cannotLoad } from '../failures.js';
import { type AnyFunction, type CodeUnit, META_NAME, SUPER_NAME } from './descriptor.js';

/** One making of a unit: its variables, and the function that sees them. */
export interface Instance {
  readonly set: (values: readonly unknown[], superclass?: unknown) => void;
  readonly setOne: (index: number, value: unknown) => void;
  readonly get: () => readonly unknown[];
  readonly make: () => AnyFunction;
}

/** Makes instances of a unit, given what its imports gave. */
export type Factory = (imports: readonly unknown[]) => Instance;

/** A function this far to the right is not moved there again: its stack traces are wrong, and nobody could read the line. */
const MAX_COLUMN = 2000;

/**
 * Compiles a unit. Its variables are declared around it and filled after the function is made, so that functions may refer to each
 * other and to themselves.
 *
 * @throws NotSendableError when its text does not compile here.
 */
export function compileUnit(unit: CodeUnit): Factory {
  const { source, url, line, column } = unit;
  const usesMeta = source.includes(META_NAME);
  const text = wrapped(unit);
  try {
    const hasImport = /\bimport\b/.test(source);
    if (hasImport) takeWarning();
    // Not `Script`: V8 keeps the texts of scripts for a while, which adds up where each function has a text of its own.
    const make = compileFunction(text, [], {
      filename: url ?? 'furca:function',
      // The function stands on the second line, so that stack traces show the place where it was written.
      lineOffset: line - 1,
      ...(hasImport ? MAIN_LOADER : {}),
    })() as (imports: readonly unknown[], meta: unknown) => Instance;
    return (imports) => make(imports, usesMeta && url !== null ? importMeta(url) : undefined);
  } catch (error) {
    throw cannotLoad('a function', `its text does not compile (column ${column} of line ${line})`, error);
  }
}

function wrapped({ source, names, imports, strict, isClass, column }: CodeUnit): string {
  const imported = imports.length === 0 ? '' : `let [${imports.map(({ name }) => name).join()}]=furca$i;`;
  const captured = names.length === 0 ? '' : `let ${names.join()};`;
  const cases = names.map((name, index) => `case ${index}:${name}=furca$v;break;`).join('');
  return (
    `${strict || isClass ? "'use strict';" : ''}return(function(furca$i,${META_NAME}){let ${SUPER_NAME};${imported}${captured}return{` +
    `set(furca$v,furca$s){[${names.join()}]=furca$v;${SUPER_NAME}=furca$s},` +
    `setOne(furca$n,furca$v){switch(furca$n){${cases}}},` +
    `get(){return[${names.join()}]},` +
    `make(){return(\n${' '.repeat(Math.min(column, MAX_COLUMN))}${source}\n)}}})`
  );
}

/** What `import.meta` was where a function was written, as far as that holds elsewhere. */
function importMeta(url: string): object {
  const meta = { url, resolve: (specifier: string): string => resolveFrom(url, specifier) };
  if (!url.startsWith('file:')) return meta;
  const filename = fileURLToPath(url);
  return { ...meta, filename, dirname: dirname(filename), main: false };
}

function resolveFrom(url: string, specifier: string): string {
  if (/^(\.|\/)/.test(specifier)) return new URL(specifier, url).href;
  if (URL.canParse(specifier)) return specifier;
  return pathToFileURL(createRequire(url).resolve(specifier)).href;
}

/** Lets `import()` inside of a text work as in the file it came from: its specifiers, this process's loaders. */
const MAIN_LOADER = { importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER } as const;

let isWarningTaken = false;

/**
 * Has Node warn, unheard, that `USE_MAIN_CONTEXT_DEFAULT_LOADER` is an experiment, which it does at the first `import()`
 * of a process: the user has not asked for it and can do nothing about it. The same since Node 21.7.
 */
function takeWarning(): void {
  if (isWarningTaken) return;
  isWarningTaken = true;
  // The callback that warns runs before `import()` returns.
  unwarned(() => new Script("import('node:vm')", MAIN_LOADER).runInThisContext());
}

/** Does what Node calls an experiment of the user, who knows nothing of it. */
export function unwarned<T>(act: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = ((warning: unknown, ...rest: unknown[]) => {
    const [kind] = rest;
    const type = typeof kind === 'object' ? (kind as { type?: unknown } | null)?.type : kind;
    if (type !== 'ExperimentalWarning') (emitWarning as (...args: unknown[]) => void)(warning, ...rest);
  }) as typeof emitWarning;
  try {
    return act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Imports a module as a file would that stands at `from`. */
export function importFrom(specifier: string, from: string | null): Promise<unknown> {
  if (from === null || /^(node|file|data):/.test(specifier)) return import(specifier) as Promise<unknown>;
  takeWarning();
  const script = new Script('(specifier)=>import(specifier)', { filename: from, ...MAIN_LOADER });
  return (script.runInThisContext() as (specifier: string) => Promise<unknown>)(specifier);
}
