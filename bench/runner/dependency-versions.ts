import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from './package-root.js';

const RIVALS = ['piscina', 'tinypool', 'workerpool'];

/** The installed version of every rival that comes from npm. */
export function dependencyVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const name of RIVALS) {
    const manifest = readFileSync(join(packageRoot(), 'node_modules', name, 'package.json'), 'utf8');
    const { version }: { version: string } = JSON.parse(manifest);
    versions[name] = version;
  }
  return versions;
}
