import { readdirSync, readFileSync } from 'node:fs';

/** Environment variable that holds the marks of all commands, of this program and of those around it, that a process descends from. */
const MARKS = 'FURCA_SUBPROCESS';
/** Looks that find somebody new; each stops more of those who could start others. */
const MAX_LOOKS = 100;

/** Clock ticks in a second, as proc(5) counts them on every Linux. */
const TICKS_PER_SECOND = 100;

let marks = 0;

/** By what the descendants of a command are found. */
export interface Mark {
  readonly name: string;
  /** No descendant began before this, in clock ticks since boot. */
  readonly sinceTicks: number;
}

/** A mark no other command on this machine has: pids come round, the moment at which a program began does not. */
export function newMark(): Mark {
  const name = `${process.pid}.${performance.timeOrigin}.${++marks}`;
  // Where the system shows another clock here it is a container's, which counts from later, so that nobody is overlooked.
  const uptime = Number.parseFloat(read('/proc/uptime'));
  return { name, sinceTicks: Number.isNaN(uptime) ? 0 : Math.floor(uptime * TICKS_PER_SECOND) - 1 };
}

/** The environment with a mark added to those that this program itself, or the caller, has put there. */
export function withMark(env: Readonly<Record<string, string>>, { name }: Mark): Record<string, string> {
  const outer = env[MARKS] ?? process.env[MARKS];
  return { ...env, [MARKS]: outer === undefined ? name : `${outer} ${name}` };
}

/** What is known of the processes that are to end. */
export interface Tree {
  /** The command itself, `undefined` once it was reaped: its pid may be anyone's by then. */
  readonly rootPid: number | undefined;
  /** Group and session that it led; the number is not given to anyone else while a member is left. */
  readonly groupId: number | undefined;
  readonly mark: Mark | undefined;
}

interface Entry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** In clock ticks since boot: tells a process from a later one with the same pid. */
  readonly startTicks: string;
}

/**
 * Kills a command and all it has started: its descendants, the members of its group and session, and those that carry
 * its mark although their parents are gone.
 *
 * Who is found is stopped first, and then looked for again until nobody new is found: a process that is stopped starts no other. A
 * descendant that cleared its environment and outlived its parent, in a session of its own, is not found.
 *
 * @returns Whether the command itself is dead, or will be; `false` when it belongs to another user by now, as a `sudo` may.
 */
export function killTree(tree: Tree): boolean {
  const seen = new Set<number>();
  const stopped: Entry[] = [];
  for (let look = 0; look < MAX_LOOKS; look++) {
    const found = members(tree, table()).filter(({ pid }) => !seen.has(pid));
    if (found.length === 0) break;
    for (const entry of found) {
      seen.add(entry.pid);
      if (stop(entry)) stopped.push(entry);
    }
  }
  for (const { pid, startTicks } of stopped) {
    if (readEntry(pid)?.startTicks === startTicks) send(pid, 'SIGKILL');
  }
  // Also where /proc shows nothing.
  return tree.rootPid === undefined || send(tree.rootPid, 'SIGKILL');
}

/** Stops a process if it is still the one that was seen. */
function stop({ pid, startTicks }: Entry): boolean {
  if (!send(pid, 'SIGSTOP')) return false;
  if (readEntry(pid)?.startTicks === startTicks) return true;
  send(pid, 'SIGCONT');
  return false;
}

/** False when the process is gone, or belongs to somebody else. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function table(): Entry[] {
  return processIds().flatMap((pid) => readEntry(pid) ?? []);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Reads proc_pid_stat(5); `undefined` for who is gone or a zombie. */
function readEntry(pid: number): Entry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, also parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function members({ rootPid, groupId, mark }: Tree, entries: readonly Entry[]): Entry[] {
  const chosen = new Set<number>();
  for (const entry of entries) {
    const isOfGroup = groupId !== undefined && (entry.groupId === groupId || entry.sessionId === groupId);
    if (entry.pid === rootPid || isOfGroup || isMarked(entry, mark)) chosen.add(entry.pid);
  }
  for (let before = -1; before < chosen.size; ) {
    before = chosen.size;
    for (const { pid, parentPid } of entries) if (chosen.has(parentPid)) chosen.add(pid);
  }
  chosen.delete(process.pid);
  return entries.filter(({ pid }) => chosen.has(pid));
}

function isMarked({ pid, startTicks }: Entry, mark: Mark | undefined): boolean {
  if (mark === undefined || Number(startTicks) < mark.sinceTicks) return false;
  const environment = read(`/proc/${pid}/environ`);
  return environment.split('\0').some((variable) => {
    return (
      variable.startsWith(`${MARKS}=`) &&
      variable
        .slice(MARKS.length + 1)
        .split(' ')
        .includes(mark.name)
    );
  });
}
