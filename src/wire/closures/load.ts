import { constants, Script } from 'node:vm';
import { NotSendableError } from '../../base/errors.js';
import type { AnyFunction, FunctionDescriptor, FunctionValue } from './descriptor.js';
import { globalAt } from './globals.js';

/** Functions that were loaded, by what describes them; a program that makes texts without end starts it anew. */
const loaded = new Map<string, Promise<AnyFunction>>();
const MAX_LOADED = 2048;
const UNKNOWN_FORM = 'it is described in a way that is not known here';

/** See `loadFunction`. */
export async function loadDescribed(descriptor: FunctionDescriptor): Promise<AnyFunction> {
  // It comes from another process: the type is a hope.
  if (typeof descriptor !== 'object' || descriptor === null) throw notLoaded('it', UNKNOWN_FORM);
  const key = keyOf(descriptor);
  let promise = loaded.get(key);
  if (promise === undefined) {
    promise = load(descriptor);
    if (loaded.size >= MAX_LOADED) loaded.clear();
    loaded.set(key, promise);
    // A module may load the next time, say when a file it needs has been written.
    promise.catch(() => loaded.delete(key));
  }
  return promise;
}

function keyOf(descriptor: FunctionDescriptor): string {
  switch (descriptor.kind) {
    case 'reference':
      return `r${descriptor.exportName}\0${descriptor.url}`;
    case 'value':
      return `${descriptor.strict ? 's' : 'v'}${descriptor.name}\0${descriptor.url ?? ''}\0${descriptor.source}`;
    default:
      return `g${String((descriptor as { readonly path?: unknown }).path)}`;
  }
}

async function load(descriptor: FunctionDescriptor): Promise<AnyFunction> {
  switch (descriptor.kind) {
    case 'reference':
      return asFunction(await importExport(descriptor.url, descriptor.exportName), descriptor.exportName);
    case 'value':
      return compile(descriptor);
    case 'global':
      return asFunction(globalAt(descriptor.path), descriptor.path);
    default:
      throw notLoaded('it', UNKNOWN_FORM);
  }
}

function notLoaded(name: string, fact: string, cause?: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot load the function ${name}: ${fact}.`,
    name,
    'receive',
    cause === undefined ? {} : { cause },
  );
}

function asFunction(value: unknown, name: string): AnyFunction {
  if (typeof value !== 'function') throw notLoaded(name, 'what was found under this name is no function');
  return value as AnyFunction;
}

async function importExport(url: string, exportName: string): Promise<unknown> {
  let namespace: Readonly<Record<string, unknown>>;
  try {
    namespace = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw notLoaded(exportName, `importing ${url} failed`, error);
  }
  const direct = Object.hasOwn(namespace, exportName) ? namespace[exportName] : undefined;
  if (typeof direct === 'function') return direct;
  // CommonJS: `module.exports` is the default export, and its names are not always seen from outside.
  const whole = namespace['default'];
  if ((typeof whole !== 'object' && typeof whole !== 'function') || whole === null) return undefined;
  return Object.hasOwn(whole, exportName) ? (whole as Record<string, unknown>)[exportName] : undefined;
}

function compile({ source, name, url, strict }: FunctionValue): AnyFunction {
  let fn: unknown;
  try {
    const hasImport = /\bimport\b/.test(source);
    if (hasImport) takeWarning();
    const script = new Script(`${strict ? "'use strict';" : ''}(${source}\n)`, {
      filename: url ?? `furca:function/${encodeURIComponent(name)}`,
      ...(hasImport ? MAIN_LOADER : {}),
    });
    fn = script.runInThisContext();
  } catch (error) {
    throw notLoaded(name, 'its text does not compile', error);
  }
  const made = asFunction(fn, name);
  if (made.name !== name) Object.defineProperty(made, 'name', { value: name, configurable: true });
  return made;
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
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    // The callback that warns runs before `import()` returns.
    new Script("import('node:vm')", MAIN_LOADER).runInThisContext();
  } finally {
    process.emitWarning = emitWarning;
  }
}
