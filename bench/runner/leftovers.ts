import { readdirSync, readFileSync } from 'node:fs';

/** Variable that marks every process of one observation, grandchildren included. */
export const MARK = 'FURCA_BENCH_OBSERVATION';

function isAlive(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

function isMarked(pid: number, mark: string): boolean {
  return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${mark}`);
}

function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

/**
 * Pids of processes that carry `mark` in their environment or stand in process group `group`. Both are asked:
 * a pool may give its workers another environment, and a daemon may leave the group.
 */
export function leftovers(mark: string, group: number): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      if (isAlive(pid) && (groupOf(pid) === group || isMarked(pid, mark))) found.push(pid);
    } catch {
      // It ended between the two readings, or belongs to another user.
    }
  }
  return found;
}

/** Kills what an observation left behind, each by its pid. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}
