import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

/** The folder of the package: tests run from dist/test/meta. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

export interface Source {
  /** Such as `pool/task.ts`, below src/. */
  readonly path: string;
  readonly text: string;
  /** The text without comments, strings kept. */
  readonly code: string;
}

/** All files of src/. */
export const sources: readonly Source[] = globSync(['**/*.ts'], { cwd: `${root}src` })
  .sort()
  .map((path) => {
    const text = readFileSync(`${root}src/${path}`, 'utf8');
    return { path, text, code: withoutComments(text) };
  });

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$|(?<=[;{},)\]\s])\/\/ .*$/gm, '');
}

/** The folder of a file below src/, `''` for a door. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

export interface Import {
  readonly from: string;
  /** A path below src/, or the name of a package. */
  readonly to: string;
  readonly names: string;
}

/** Every import and re-export of src/, of types too. */
export const imports: readonly Import[] = sources.flatMap(({ path, code }) =>
  [
    ...code.matchAll(/^(?:import|export)\s+(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm),
    ...code.matchAll(/\bimport\((()'([^']+)')\)/g),
  ].map((found): Import => {
    const to = (found[3] ?? found[2]) as string;
    const isOwn = to.startsWith('.');
    return {
      from: path,
      to: isOwn ? new URL(to, `file:///${path}`).pathname.slice(1).replace(/\.js$/, '.ts') : to,
      names: found[1] ?? '',
    };
  }),
);
