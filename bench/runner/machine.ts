import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

import { allowedCpus } from './affinity.js';
import { packageRoot } from './package-root.js';
import { pythonVersion } from './python.js';

/** The circumstances of a run, kept beside its figures. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** CPUs the bench was allowed to use, such as `0-1`. */
  readonly allowedCpus: string;
  readonly memoryMb: number;
  readonly os: string;
  readonly node: string;
  readonly python: string | null;
  readonly commit: string;
  /** Load of the last minute before the run; anything near `cores` spoils it. */
  readonly loadBefore: number;
  readonly date: string;
}

function distribution(): string {
  if (!existsSync('/etc/os-release')) return '';
  const found = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'));
  return found?.[1] ?? '';
}

function git(...args: string[]): string | null {
  const answer = spawnSync('git', args, { cwd: packageRoot(), encoding: 'utf8', timeout: 10_000 });
  return answer.status === 0 ? answer.stdout.trim() : null;
}

function commit(): string {
  const head = git('rev-parse', '--short', 'HEAD');
  if (head === null) return 'unknown';
  return git('status', '--porcelain', '--', 'src', 'bench', ':!bench/results') === ''
    ? head
    : `${head} and uncommitted changes`;
}

/** Version `x.y` of the kernel; the rest of its name says nothing about speed. */
function kernel(): string {
  return /^\d+\.\d+/.exec(release())?.[0] ?? release();
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    allowedCpus: allowedCpus(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    os: [distribution(), `${type()} ${kernel()}`, process.arch].filter((part) => part !== '').join(', '),
    node: process.version,
    python: pythonVersion(),
    commit: commit(),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    date: new Date().toISOString(),
  };
}
