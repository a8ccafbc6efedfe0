import { readFileSync } from 'node:fs';
import type { LossReason, WorkerLoss } from '../../base/errors.js';
import { signalOfExitCode } from '../../kernel/reaping.js';
import type { Task } from '../jobs/task.js';
import type { WorkerLink } from './worker-link.js';

/** What V8 says before it aborts a process whose heap is full. */
const HEAP_FAILURE = /FATAL ERROR:.*heap|heap out of memory/i;

/** Tells deaths by the kernel's out-of-memory killer from other ones by SIGKILL. */
export class OomWatch {
  readonly #path: string | undefined = oomCounterPath();
  #seen: number = this.#read();

  /** Whether the kernel has killed a process of this control group for want of memory since the last look. */
  look(): boolean {
    const now = this.#read();
    const has = now > this.#seen;
    this.#seen = now;
    return has;
  }

  #read(): number {
    return this.#path === undefined ? 0 : oomKills(this.#path);
  }
}

function oomKills(path: string): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The file of this process's control group that counts such deaths (cgroups(7)): version 2, then 1. */
function oomCounterPath(): string | undefined {
  let groups: string;
  try {
    groups = readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return undefined;
  }
  const v2 = /^0::(.*)$/m.exec(groups)?.[1];
  const v1 = /^\d+:[^:]*\bmemory\b[^:]*:(.*)$/m.exec(groups)?.[1];
  const candidates = [
    ...(v2 === undefined ? [] : [`/sys/fs/cgroup${v2}/memory.events`, '/sys/fs/cgroup/memory.events']),
    ...(v1 === undefined ? [] : [`/sys/fs/cgroup/memory${v1}/memory.oom_control`]),
    '/sys/fs/cgroup/memory/memory.oom_control',
  ];
  return candidates.find((path) => {
    try {
      return /^oom_kill /m.test(readFileSync(path, 'utf8'));
    } catch {
      return false;
    }
  });
}

/** Why a worker ended, as far as can be known. */
export function reasonOf(link: WorkerLink, exitCode: number, stderrTail: string, oom: OomWatch): LossReason {
  const known = link.body?.knownReason;
  if (known !== undefined) return known;
  if (link.stopping !== undefined) return 'timeout';
  const signal = signalOfExitCode(exitCode);
  // A shell in between, or Node's own handler, makes 128 + 6 of the signal.
  if ((signal === 'SIGABRT' || signal === 'SIGTRAP' || exitCode === 134) && HEAP_FAILURE.test(stderrTail))
    return 'heap';
  if (signal === 'SIGKILL' && oom.look()) return 'oom';
  return signal === null ? 'exit' : 'signal';
}

/** What is known of the loss of `link` to the one whose task it ran. */
export function lossOf(
  link: WorkerLink,
  task: Task,
  item: number,
  end: WorkerEnd,
  attempts: number,
  startMethod: string,
): WorkerLoss {
  return {
    pid: link.body?.pid ?? 0,
    threadId: link.body?.threadId ?? 0,
    exitCode: end.exitCode,
    signal: signalOfExitCode(end.exitCode),
    reason: end.reason,
    stderrTail: end.stderrTail,
    startMethod,
    taskId: task.job.id,
    index: task.first + item,
    attempts,
  };
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly exitCode: number;
  readonly reason: LossReason;
  readonly stderrTail: string;
}
