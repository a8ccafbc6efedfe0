import { existsSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Mistake } from './mistake.js';

/** The function that the inputs are given to, as far as it can be known without loading its module. */
export interface Target {
  readonly url: string;
  /** `null`: the default export, else the only function the module exports. */
  readonly exportName: string | null;
  /** The module as the caller wrote it. */
  readonly shown: string;
}

const ENDINGS = ['.ts', '.js', '.mts', '.mjs', '.cts', '.cjs'];

/**
 * Finds the module that `module[#export]` names: a path, a `file:` URL, a built-in module, or a package installed for the
 * current folder.
 *
 * @throws {@link Mistake} there is no such module.
 */
export function findTarget(specifier: string): Target {
  const { module, exportName } = splitSpecifier(specifier);
  return { url: urlOf(module), exportName, shown: module };
}

/** A `#` may be part of a file's name: a file that exists is taken whole. */
function splitSpecifier(specifier: string): { readonly module: string; readonly exportName: string | null } {
  const at = specifier.lastIndexOf('#');
  if (at === -1 || existsSync(specifier)) return { module: specifier, exportName: null };
  const exportName = specifier.slice(at + 1);
  if (exportName === '' || at === 0) {
    throw new Mistake(`'${specifier}' names no function: write <module>#<export>, such as ./tasks.js#resize`);
  }
  return { module: specifier.slice(0, at), exportName };
}

function urlOf(module: string): string {
  if (module.startsWith('file:')) return urlOfFile(fileURLToPath(module), module);
  if (isBuiltin(module)) return module.startsWith('node:') ? module : `node:${module}`;
  if (existsSync(module)) return urlOfFile(resolve(module), module);
  if (/^\.{0,2}\//.test(module)) throw missing(module);
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'x.js')).resolve(module)).href;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw missing(module);
    throw new Mistake(
      `package '${module}' can only be imported: name its file, such as ./node_modules/${module}/index.js`,
    );
  }
}

function urlOfFile(path: string, shown: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw missing(shown);
  if (stats.isDirectory()) throw new Mistake(`'${shown}' is a folder: name a module in it`);
  return pathToFileURL(path).href;
}

function missing(module: string): Mistake {
  const ending = ENDINGS.find((one) => existsSync(module + one));
  const hint = ending === undefined ? '' : `; did you mean ${module}${ending}?`;
  return new Mistake(`there is no module '${module}'${hint}`);
}
