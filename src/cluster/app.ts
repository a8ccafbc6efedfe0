import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { glob } from 'tinyglobby';
import { digestOf } from './sealing.js';

/** What a build is made of. */
const MODULES = ['**/*.{js,mjs,cjs,ts,mts,cts,json,wasm,node}'];

/** The folder of a program's modules, by which callers and workers name functions to each other. */
export class App {
  readonly root: string;
  #build: Promise<string> | undefined;
  readonly #hashes = new Map<string, string>();

  /** @param root - Absolute, without links. */
  constructor(root: string) {
    this.root = root;
  }

  /** The path below the root of a module; `undefined` if it is not below it. */
  pathOf(url: string): string | undefined {
    if (!url.startsWith('file:')) return undefined;
    let path: string;
    try {
      path = relative(this.root, realpathSync(fileURLToPath(url)));
    } catch {
      return undefined;
    }
    return path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
      ? undefined
      : path.split(sep).join('/');
  }

  /** The module at a path below the root; `undefined` if there is none, or the path leads elsewhere. */
  urlOf(path: string): string | undefined {
    const url = pathToFileURL(join(this.root, path)).href;
    return this.pathOf(url) === undefined ? undefined : url;
  }

  /** What stands in a module. A module that was loaded stays what it is, whatever becomes of its file. */
  hashOf(path: string): string {
    let hash = this.#hashes.get(path);
    if (hash === undefined) {
      hash = digestOf(readFileSync(join(this.root, path)));
      this.#hashes.set(path, hash);
    }
    return hash;
  }

  /** What stands in all of its modules, by name: two builds of the same text are the same. Installed packages do not count. */
  build(): Promise<string> {
    this.#build ??= buildOf(this.root);
    return this.#build;
  }
}

async function buildOf(root: string): Promise<string> {
  const paths = await glob(MODULES, { cwd: root, ignore: ['**/node_modules/**'] });
  const hash = createHash('sha256');
  for (const path of paths.sort())
    hash
      .update(`${path}\0`)
      .update(await readFile(join(root, path)))
      .update('\0');
  return hash.digest('hex');
}
