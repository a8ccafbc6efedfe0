import type { ChildHandle } from './handle.js';

/** How long daemons have to act on SIGTERM when their parent ends. */
const DAEMON_GRACE_MS = 1000;
/** How often the children are looked after besides what tells of their end. */
const LOOK_MS = 500;

/** A child that this process has to see to the end. */
export interface RegisteredChild {
  readonly handle: ChildHandle;
  readonly isDaemon: boolean;
  /** What `activeChildren` shows of it; internal children have none. */
  readonly shown: object | undefined;
}

const children = new Set<RegisteredChild>();
/** Those of them that are daemons which the program made itself. */
let daemonCount = 0;
let isHooked = false;
let looking: NodeJS.Timeout | undefined;

/** Remembers a child until it ends. When this process ends first, daemons are terminated and the others joined. */
export function registerChild(child: RegisteredChild): void {
  children.add(child);
  child.handle.onOver(() => forget(child));
  if (isOwnDaemon(child)) {
    daemonCount++;
    anchorChildren();
  } else if (!child.isDaemon) child.handle.setKeepsLoopAlive(daemonCount === 0);
  looking ??= setInterval(lookAfterChildren, LOOK_MS).unref();
  if (isHooked) return;
  isHooked = true;
  process.on('beforeExit', endDaemons);
  process.on('exit', endChildren);
}

/** What else tells of an end may itself have died, or have come too early to be heard. */
function lookAfterChildren(): void {
  for (const { handle } of children) handle.probe();
}

function forget(child: RegisteredChild): void {
  if (!children.delete(child)) return;
  if (isOwnDaemon(child)) {
    daemonCount--;
    anchorChildren();
  }
  if (children.size > 0) return;
  clearInterval(looking);
  looking = undefined;
}

/** The children that still run. */
export function registeredChildren(): readonly RegisteredChild[] {
  return [...children].filter(({ handle }) => handle.isAlive);
}

/** Called in a forked child: its parent's children are not its own. */
export function forgetChildren(): void {
  children.clear();
  daemonCount = 0;
  clearInterval(looking);
  looking = undefined;
  process.off('beforeExit', endDaemons);
  process.off('exit', endChildren);
  isHooked = false;
}

/** A daemon that the program made itself; a pool's workers may still be wanted by what waits for a child. */
function isOwnDaemon({ isDaemon, shown }: RegisteredChild): boolean {
  return isDaemon && shown !== undefined;
}

/**
 * Children that are no daemons keep the event loop alive, but not while there are daemons: those end with this program's own code, as
 * in Python, and when that has come to its end a dry event loop tells.
 */
function anchorChildren(): void {
  for (const { handle, isDaemon } of children) if (!isDaemon) handle.setKeepsLoopAlive(daemonCount === 0);
}

function endDaemons(): void {
  if (daemonCount === 0) return;
  for (const child of children) if (isOwnDaemon(child)) child.handle.signal('SIGTERM');
  // One that takes its time shall not be asked again and again.
  for (const { handle, isDaemon } of children) if (!isDaemon) handle.setKeepsLoopAlive(true);
}

/** What else this process waits for before it ends, as it does for its children. */
const alsoJoined = new Set<() => Promise<void>>();

/** Has this process wait for `join` before it ends by itself. */
export function joinAtEnd(join: () => Promise<void>): void {
  alsoJoined.add(join);
}

/** Waits for what else is to be waited for, ends the daemons, and resolves once every child that is no daemon has ended. */
export async function joinChildren(): Promise<void> {
  for (const join of alsoJoined) await join();
  endDaemons();
  for (const { handle, isDaemon } of registeredChildren()) {
    if (!isDaemon) await handle.ended('Joining a child', {});
  }
}

/** As Python does at exit: daemons get SIGTERM, all others are waited for. Blocks, because 'exit' handlers cannot wait. */
function endChildren(): void {
  const left = registeredChildren();
  for (const { handle, isDaemon } of left) if (isDaemon) handle.signal('SIGTERM');
  for (const { handle, isDaemon } of left) {
    if (!isDaemon) handle.endedSync('Joining a child', Number.POSITIVE_INFINITY);
  }
  const deadline = performance.now() + DAEMON_GRACE_MS;
  for (const { handle, isDaemon } of left) {
    if (!isDaemon || !handle.isAlive) continue;
    try {
      handle.endedSync('Joining a daemon', Math.max(0, deadline - performance.now()));
    } catch {
      handle.signal('SIGKILL');
    }
  }
}
