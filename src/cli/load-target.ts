import { spawnSync } from 'node:child_process';
import { errorLine, placeOf, shortPath } from './error-line.js';
import { Mistake } from './mistake.js';
import type { Target } from './target.js';

export type InputFunction = (input: string) => unknown;

type Exports = Readonly<Record<string, unknown>>;

const TYPESCRIPT = /\.[cm]?tsx?$/;
/** Longest time that a second look at a module with a syntax error may take. */
const LOOK_WITHIN_MS = 10_000;

/**
 * Imports the module and picks the function.
 *
 * @throws {@link Mistake} the module does not load, or has no such function.
 */
export async function loadTarget(target: Target): Promise<InputFunction> {
  let module: Exports;
  try {
    module = (await import(target.url)) as Exports;
  } catch (error) {
    throw new Mistake(whyNotLoaded(target, error));
  }
  return pickFunction(module, target);
}

/** Picks the named function, else the default export, else the only function there is. */
export function pickFunction(module: Exports, { exportName, shown }: Target): InputFunction {
  const found = allExports(module);
  const callable = [...found.keys()].filter((name) => isCallable(found.get(name)));
  const name =
    exportName ??
    (isCallable(found.get('default')) ? 'default' : callable.length === 1 ? callable[0] : undefined);
  if (name === undefined) {
    if (callable.length === 0) throw new Mistake(`${shown} exports no function`);
    throw new Mistake(
      `${shown} exports several functions: say which, such as ${shown}#${callable[0]} (there are ${listed(callable)})`,
    );
  }
  const value = found.get(name);
  if (isCallable(value)) return value as InputFunction;
  if (found.has(name)) throw new Mistake(`${shown}#${name} is ${kindOf(value)}, not a function`);
  const others = callable.length === 0 ? 'it exports no function' : `it exports ${listed(callable)}`;
  throw new Mistake(`${shown} has no export '${name}': ${others}`);
}

/** With what stands on a default export that is an object: Node does not see all names of a CommonJS module from outside. */
function allExports(module: Exports): Map<string, unknown> {
  const found = new Map(Object.entries(module).filter(([name]) => name !== 'module.exports'));
  const whole = module['default'];
  if (typeof whole === 'object' && whole !== null) {
    for (const [name, value] of Object.entries(whole)) if (!found.has(name)) found.set(name, value);
  }
  return found;
}

function isCallable(value: unknown): boolean {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a class';
  if (value === null || value === undefined) return String(value);
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');
}

function whyNotLoaded({ url, shown }: Target, error: unknown): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  const isTypeScript = TYPESCRIPT.test(url) || /\.[cm]?tsx?\b/.test((error as Error | null)?.message ?? '');
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && isTypeScript) return needsTypeScript(shown);
  const failed = `${shown} does not load: ${errorLine(error)}`;
  // V8 keeps the place of a syntax error to itself until somebody prints it.
  const place = error instanceof SyntaxError && placeOf(error) === null ? placeOfSyntaxError(url) : null;
  return place === null ? failed : `${failed} (${place})`;
}

/** What to do where Node cannot read TypeScript. */
export function needsTypeScript(shown: string): string {
  return `${shown}: Node ${process.versions.node} does not run TypeScript; use Node 22.18 or later, or NODE_OPTIONS='--import tsx' with tsx installed, or compile it first`;
}

/** Lets another process fail at the same module: what dies of a syntax error prints its place first. */
function placeOfSyntaxError(url: string): string | null {
  const program = `await import(${JSON.stringify(url)})`;
  const args = [...process.execArgv, '--input-type=module', '--eval', program];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: LOOK_WITHIN_MS });
  const [, file, line] = /^((?:file:\/\/)?\/.*):(\d+)$/m.exec(stderr ?? '') ?? [];
  return file === undefined ? null : `${shortPath(file)}:${line}`;
}
