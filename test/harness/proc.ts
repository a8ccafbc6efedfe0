import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One line of the process table. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** `R`, `S`, `D`, `T`, `Z` ...; see proc_pid_stat(5). */
  readonly state: string;
  readonly command: string;
}

/** Reads a file under /proc; empty when its process is gone or keeps it to itself. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The entry of one process, `undefined` when it is gone. */
export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  const [state = '?', parentPid = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return { pid, parentPid: Number(parentPid), state, command };
}

/** All processes of the machine that may be seen. */
export function processTable(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processEntry(Number(name)) ?? []);
}

/** All living and dead descendants of a process. */
export function descendants(pid: number): ProcessEntry[] {
  const table = processTable();
  const found: ProcessEntry[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const entry of table) {
      if (entry.parentPid !== parent) continue;
      found.push(entry);
      queue.push(entry.pid);
    }
  }
  return found;
}

/** Tells whether an entry is a zygote waiting for requests: the one child a family may keep. */
export function isZygote({ command, state }: ProcessEntry): boolean {
  return state !== 'Z' && /entry\/zygote\.js/.test(command);
}

/** The zygote of a family; `undefined` while it has none. Forked children carry its command line, so the oldest is meant. */
export function zygoteOf(pid: number): ProcessEntry | undefined {
  return descendants(pid).find((entry) => entry.parentPid === pid && isZygote(entry));
}

/** Where each open descriptor of a process leads. */
export function descriptors(pid: number | 'self' = 'self'): string[] {
  const found: string[] = [];
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      found.push(`${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);
    } catch {
      // It was the descriptor of the listing itself.
    }
  }
  return found;
}

/** Memory that would come back if the process ended, in KiB. */
export function privateKiB(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0);
}

/** What every descendant of this process is doing, thread by thread: the text a watchdog prints. */
export function describeFamily(pid: number = process.pid): string {
  const lines = descendants(pid).map((entry) => {
    const threads = listThreads(entry.pid).map((thread) => {
      const of = `/proc/${entry.pid}/task/${thread}`;
      const call = read(`${of}/syscall`).trim() || 'unknown';
      return `    ${thread} ${read(`${of}/comm`).trim()} in ${read(`${of}/wchan`) || '?'}, system call ${call}`;
    });
    return [`  ${entry.pid} (child of ${entry.parentPid}) ${entry.state} ${entry.command}`, ...threads].join(
      '\n',
    );
  });
  return lines.length === 0 ? '  no process' : lines.join('\n');
}

function listThreads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
