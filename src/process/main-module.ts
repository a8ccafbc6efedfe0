import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../base/errors.js';
import { ownIdentity } from './identity.js';
import { setPreloads } from './start/zygote-place.js';

/**
 * Tells whether the module is the program that was started, and this is the first process: what Python's
 * `if __name__ == '__main__'` asks. Functions of the entry file travel by value, so no program needs it.
 *
 * @param meta - The module's `import.meta`.
 *
 * @example
 * if (isMain(import.meta)) await main();
 */
export function isMain(meta: { readonly url: string }): boolean {
  const script = process.argv[1];
  if (script === undefined || ownIdentity().parent !== null) return false;
  try {
    return pathToFileURL(realpathSync(script)).href === meta.url;
  } catch {
    return false;
  }
}

/**
 * Names modules that the forkserver loads before its first child, so that all children share them. Takes effect when it
 * starts, that is with the first process.
 *
 * @param modules - Paths (relative ones from the working directory), `file:` URLs or package names.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no list of strings, or a module that is not there.
 *
 * @example
 * setForkserverPreload(['./dist/tasks.js', 'acorn']);
 */
export function setForkserverPreload(modules: readonly string[]): void {
  if (!Array.isArray(modules) || !modules.every((name) => typeof name === 'string')) {
    throw new UsageError('Setting the preload failed: it must be an array of strings.');
  }
  setPreloads(modules.map(moduleUrl));
}

function moduleUrl(name: string): string {
  if (name.startsWith('file:') || name.startsWith('node:')) return name;
  try {
    if (isAbsolute(name) || name.startsWith('.')) return pathToFileURL(realpathSync(resolve(name))).href;
    return pathToFileURL(createRequire(join(process.cwd(), 'furca.js')).resolve(name)).href;
  } catch (cause) {
    throw new UsageError(`Setting the preload failed: there is no module '${name}'.`, undefined, { cause });
  }
}
