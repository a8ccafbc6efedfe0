import { leaveFamilyAfterFork } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import { SystemCallError, TimeoutError, UsageError } from '../base/errors.js';
import { closeDescriptor, createPipe, readDescriptor, waitReadable } from '../kernel/descriptor.js';
import { ring } from '../kernel/doorbell.js';
import { becomeForkedChild, exitNow } from '../kernel/forked-child.js';
import { awaitChild, lookAtChild, reapChild, signalOfExitCode } from '../kernel/reaping.js';
import { watchForEnd } from './child.js';
import { leaveLifeline } from './family.js';
import { reportFatal } from './fatal.js';
import { forgetSelf } from './process.js';
import { forgetChildren } from './registry.js';
import { forgetForkedChildren, ownForker } from './start/fork.js';
import { forgetZygotes } from './start/forkserver.js';

/** What to do around a fork; see {@link registerAtFork}. */
export interface AtFork {
  /** Runs before the fork; the last registered first. */
  readonly before?: () => void;
  /** Runs in the parent after the fork; the first registered first. */
  readonly afterInParent?: () => void;
  /** Runs in the child after the fork; the first registered first. */
  readonly afterInChild?: () => void;
}

/** How a child ended. */
export interface WaitResult {
  readonly pid: number;
  /** Exit code, or `-N` for signal N. */
  readonly exitCode: number;
  /** Name of that signal, or `null`. */
  readonly signal: NodeJS.Signals | null;
}

const hooks: AtFork[] = [];
/** Children of {@link fork} that were not waited for yet. */
const children = new Set<number>();
/** Forks tried until one child lives to its first instruction. */
const MAX_ATTEMPTS = 3;
/** A check besides SIGCHLD, whose event may have come before somebody listened. */
const LOOK_MS = 250;

/**
 * Registers functions to run around every {@link fork}, as Python's `os.register_at_fork`.
 *
 * @example
 * registerAtFork({ afterInChild: () => server.close() });
 */
export function registerAtFork(hook: AtFork): void {
  hooks.push(hook);
}

/**
 * Copies this process: returns twice, the child's pid in the parent and 0 in the child (fork(2)).
 *
 * The child has everything the parent had: heap, stack, open files, and a copy of the event loop with its timers, sockets
 * and pending promises. It ends when its event loop runs dry. It is no member of the parent's family of processes: it lives on
 * when its parent ends, and what it starts is its own.
 *
 * @throws {@link UsageError} `ERR_FURCA_NOT_FORK_READY`: this process was not started so that it can fork.
 * @throws {@link UsageError} `ERR_FURCA_LOOP_BUSY`: a thread of this process does not come to rest.
 * @throws {@link SystemCallError} `ERR_FURCA_SYSTEM_CALL`: the system gave no process.
 *
 * @example
 * const pid = fork();
 * if (pid === 0) console.log(`child ${getpid()} of ${getppid()}`);
 * else await waitpid(pid);
 */
export function fork(): number {
  const engine = ownForker();
  for (const { before } of hooks.toReversed()) before?.();
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const mark = createPipe(true);
    const pid = engine.fork();
    if (pid === 0) {
      ring(mark.writeFd);
      closeDescriptor(mark.readFd);
      closeDescriptor(mark.writeFd);
      becomeCopy();
      return 0;
    }
    closeDescriptor(mark.writeFd);
    const isAlive = livedToMark(mark.readFd);
    closeDescriptor(mark.readFd);
    if (isAlive) {
      children.add(pid);
      for (const { afterInParent } of hooks) afterInParent?.();
      return pid;
    }
    awaitChild(pid);
    reapChild(pid);
  }
  throw new SystemCallError('fork', 0, 'SIGSEGV', 'the child died before its first instruction');
}

/** The child writes a byte as its first act; a pipe that only hangs up was never written to. */
function livedToMark(readFd: number): boolean {
  waitReadable(readFd, -1);
  return readDescriptor(readFd, new Uint8Array(1)) === 1;
}

function becomeCopy(): void {
  becomeForkedChild(reportFatal);
  children.clear();
  forgetForkedChildren();
  forgetChildren();
  forgetZygotes();
  forgetSelf();
  leaveFamilyAfterFork();
  leaveLifeline();
  for (const { afterInChild } of hooks) afterInChild?.();
  watchForEnd();
}

/**
 * Resolves once the child `pid` has ended, and takes it off the system's list.
 *
 * @param pid - What {@link fork} returned.
 * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
 * @param options.signal - Aborting it ends the wait.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no child of {@link fork}, or waited for before.
 * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
 */
export function waitpid(pid: number, options: WaitOptions = {}): Promise<WaitResult> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      const result = tryWaitpid(pid);
      if (result === undefined) return false;
      settle(() => resolve(result));
      return true;
    };
    const settle = (finish: () => void): void => {
      process.off('SIGCHLD', look);
      clearInterval(interval);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    let interval: NodeJS.Timeout | undefined;
    let timer: NodeJS.Timeout | undefined;
    if (signal?.aborted) return onAbort();
    if (look()) return;
    process.on('SIGCHLD', look);
    interval = setInterval(look, LOOK_MS);
    if (Number.isFinite(timeoutMs)) {
      timer = setTimeout(() => settle(() => reject(tooLate(pid, timeoutMs))), timeoutMs);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** As {@link waitpid}, but answers at once: `undefined` while the child runs. */
export function tryWaitpid(pid: number): WaitResult | undefined {
  if (!children.has(pid)) throw noChild(pid);
  const exitCode = lookAtChild(pid);
  return exitCode === null ? undefined : finished(pid, exitCode);
}

/** As {@link waitpid}, but blocks this thread until the child has ended. */
export function waitpidSync(pid: number): WaitResult {
  if (!children.has(pid)) throw noChild(pid);
  return finished(pid, awaitChild(pid));
}

function finished(pid: number, exitCode: number | undefined): WaitResult {
  children.delete(pid);
  if (exitCode === undefined) throw noChild(pid);
  reapChild(pid);
  return { pid, exitCode, signal: signalOfExitCode(exitCode) };
}

function noChild(pid: number): UsageError {
  return new UsageError(`Waiting for ${pid} failed: it is no child of fork(), or was waited for before.`);
}

function tooLate(pid: number, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Waiting for ${pid} failed: it did not end within ${timeoutMs} ms.`, timeoutMs);
}

/**
 * Ends this process at once with `code`: no `exit` event, nothing is flushed (_exit(2)).
 *
 * @param code - 0 to 255. Default 0.
 */
export function _exit(code: number = 0): never {
  return exitNow(code);
}

/** This process's id; after a fork the child's own. */
export function getpid(): number {
  return process.pid;
}

/** The parent's process id. */
export function getppid(): number {
  return process.ppid;
}
