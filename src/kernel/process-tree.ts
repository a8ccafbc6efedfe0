import { readdirSync, readFileSync } from 'node:fs';

/** A process that is not mistaken for a later one of the same id. */
export interface MarkedProcess {
  readonly pid: number;
  /** Field 22 of its `stat`; see proc(5). */
  readonly startedAt: string;
}

/** All processes that `pid` has started and that still run, and all that those have started. */
export function markDescendants(pid: number): MarkedProcess[] {
  return childrenOf(pid).flatMap((child) => {
    const startedAt = startOf(child);
    return startedAt === '' ? [] : [{ pid: child, startedAt }, ...markDescendants(child)];
  });
}

/** Signals those of `processes` that still run. */
export function signalMarked(processes: readonly MarkedProcess[], signal: NodeJS.Signals): void {
  for (const { pid, startedAt } of processes) {
    if (startOf(pid) !== startedAt) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended this instant, or is another user's.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It is gone, or this kernel was built without CONFIG_PROC_CHILDREN.
    return [];
  }
}

function startOf(pid: number): string {
  return fieldsOf(pid)[19] ?? '';
}

/** One letter for what the main thread of `pid` is doing, such as `R`, `S`, or `T` when stopped; empty when it is gone. */
export function stateOf(pid: number): string {
  return fieldsOf(pid)[0] ?? '';
}

/** The fields of a process's `stat` from its state on. */
function fieldsOf(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Memory of `pid` that it shares with no other process, in bytes; 0 when it is gone. */
export function ownMemoryOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const kibOf = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
    return (kibOf('Private_Dirty') + kibOf('Private_Clean')) * 1024;
  } catch {
    return 0;
  }
}
