import { statSync } from 'node:fs';
import { glob } from 'tinyglobby';

/** A file and its size. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
}

/** All JavaScript files under a folder, the largest first: none of them is left for the end, when other workers have nothing to do. */
export async function findFiles(folder: string): Promise<SourceFile[]> {
  const found = await glob('**/*.{js,cjs,mjs}', {
    cwd: folder,
    absolute: true,
    dot: true,
    followSymbolicLinks: false,
  });
  const sized = found.map((path) => ({ path, bytes: statSync(path).size }));
  return sized.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
}
