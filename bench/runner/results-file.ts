import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { dependencyVersions } from './dependency-versions.js';
import type { Machine } from './machine.js';
import type { BenchOptions } from './options.js';
import { packageRoot } from './package-root.js';
import type { RowResult } from './rounds.js';

export interface ResultsFile {
  readonly shape: string;
  readonly command: string;
  readonly rounds: number;
  readonly machine: Machine;
  readonly rivals: Readonly<Record<string, string>>;
  readonly targets: readonly string[];
  readonly rows: readonly unknown[];
}

/** Failures quote stacks; what they say of this machine's folders is nobody's business. */
function withoutPaths(text: string): string {
  return text.replaceAll(`file://${packageRoot()}`, '.').replaceAll(packageRoot(), '.');
}

/** Six significant digits are more than any clock here gives; a list of numbers stays on one line. */
function toText(content: ResultsFile): string {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value;
  const text = JSON.stringify(content, rounded, 1);
  return text.replace(/\[[\d\s.,e+-]+\]/g, (list) => list.replace(/\s+/g, ' '));
}

/**
 * Writes raw values and circumstances to `bench/results/<shape>-<node major>.json`, whole or not at all.
 *
 * @returns the file's path below the package.
 */
export function saveResults(
  options: BenchOptions,
  machine: Machine,
  results: readonly RowResult[],
  targets: readonly string[],
): string {
  const root = packageRoot();
  const content: ResultsFile = {
    shape: options.shape,
    command: `npm run bench -- ${options.shape} --rounds ${options.rounds}`,
    rounds: options.rounds,
    machine,
    rivals: dependencyVersions(),
    targets,
    rows: results.map(({ row, observations, failures, skipped }) => ({
      id: row.id,
      label: row.label,
      settings: row.settings,
      observations,
      failures: failures.map(withoutPaths),
      skipped,
    })),
  };
  const folder = join(root, 'bench', 'results');
  const path = join(folder, `${options.shape}-${process.versions.node.split('.')[0]}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.tmp`, `${toText(content)}\n`);
  renameSync(`${path}.tmp`, path);
  return relative(root, path);
}
