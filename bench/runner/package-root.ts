import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Folder of furca's package.json. The compiled bench runs from `dist/bench`, its Python scripts and results
 * stay in `bench/`.
 */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name }: { name?: string } = JSON.parse(readFileSync(manifest, 'utf8'));
      if (name === 'furca') return folder;
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json of furca above the bench.');
    folder = parent;
  }
}
