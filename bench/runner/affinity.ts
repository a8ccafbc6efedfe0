import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPUs this process may run on, such as `0-1`; less than all of them when the bench itself is pinned. */
export function allowedCpus(): string {
  const found = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found?.[1] ?? 'unknown';
}

export function firstCpu(): string {
  return /^\d+/.exec(allowedCpus())?.[0] ?? '0';
}

/** Whether `taskset` is there, which the pinned rows need. */
export function canPin(): boolean {
  return spawnSync('taskset', ['--version'], { timeout: 10_000 }).status === 0;
}
