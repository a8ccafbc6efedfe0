import { constants } from 'node:os';
import { closeDescriptor, waitReadable } from './descriptor.js';
import { callFailed, checked, ECHILD, EINTR } from './errno.js';
import { lastErrno, native, syscallNumbers } from './library.js';

const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const CLD_EXITED = 1;
/** Offsets in `siginfo_t` of a SIGCHLD, in 32-bit words (x64 and arm64 alike). */
const SI_CODE = 2;
const SI_PID = 4;
const SI_STATUS = 6;

const info = new Int32Array(32);

/** How a child ended, as Python says it: 0 and up for an exit code, `-N` for signal N. */
export type ExitCode = number;

/**
 * Looks whether the child `pid` has ended and leaves it a zombie, so that its pid cannot be given to anyone else while
 * its owner clears up after it (waitid(2), WNOWAIT).
 *
 * @returns The exit code, `null` while it runs, `undefined` when there is no such child.
 */
export function lookAtChild(pid: number): ExitCode | null | undefined {
  return wait(pid, WEXITED | WNOWAIT | WNOHANG);
}

/** Takes the ended child `pid` off the system's list; call it after everything that goes by its pid is cleared up. */
export function reapChild(pid: number): ExitCode | null | undefined {
  return wait(pid, WEXITED | WNOHANG);
}

/** Blocks until the child `pid` has ended, leaves it a zombie, and answers its exit code. */
export function awaitChild(pid: number): ExitCode | undefined {
  return wait(pid, WEXITED | WNOWAIT) ?? undefined;
}

function wait(pid: number, options: number): ExitCode | null | undefined {
  info.fill(0);
  while (native().waitid(P_PID, pid, info, options) === -1) {
    if (lastErrno() === ECHILD) return undefined;
    if (lastErrno() !== EINTR) throw callFailed('waitid', `pid ${pid}`);
  }
  if (info[SI_PID] === 0) return null;
  const status = info[SI_STATUS] as number;
  return info[SI_CODE] === CLD_EXITED ? status : -status;
}

const SIGNAL_NAMES: ReadonlyMap<number, NodeJS.Signals> = new Map(
  // Some numbers have two names, of which Node uses the first: SIGABRT, not SIGIOT.
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** Name of the signal behind a negative exit code, else `null`. */
export function signalOfExitCode(exitCode: ExitCode): NodeJS.Signals | null {
  return exitCode < 0 ? (SIGNAL_NAMES.get(-exitCode) ?? null) : null;
}

/** A descriptor that becomes readable when the process ends (pidfd_open(2)); -1 when there is no such process. */
export function openProcessDescriptor(pid: number): number {
  return native().syscall(syscallNumbers().pidfdOpen, pid, 0, 0, 0, 0, 0);
}

/** Tells whether any process of this id is gone, or a zombie that nobody has reaped yet. */
export function hasEnded(pid: number): boolean {
  const pidfd = openProcessDescriptor(pid);
  if (pidfd === -1) return true;
  const isOver = waitReadable(pidfd, 0);
  closeDescriptor(pidfd);
  return isOver;
}

/**
 * Duplicates a descriptor of another process (pidfd_getfd(2)): what has no path, such as a socket, can be had in no other way.
 *
 * @returns The new descriptor, or -1 where kernel or security settings (yama, seccomp) forbid it.
 */
export function duplicateFrom(pid: number, fd: number): number {
  const pidfd = openProcessDescriptor(pid);
  if (pidfd === -1) return -1;
  const duplicate = native().syscall(syscallNumbers().pidfdGetfd, pidfd, fd, 0, 0, 0, 0);
  closeDescriptor(pidfd);
  return duplicate;
}

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** `struct epoll_event` is packed to 12 bytes on x64 and padded to 16 elsewhere. */
const EVENT_WORDS = process.arch === 'x64' ? 3 : 4;
const EVENT_DATA = process.arch === 'x64' ? 1 : 2;
const MAX_EVENTS = 64;

/** A set of descriptors one thread can block on without an event loop (epoll(7)). */
export class DescriptorSet {
  readonly fd: number;
  readonly #events = new Int32Array(EVENT_WORDS * MAX_EVENTS);
  readonly #added = new Int32Array(EVENT_WORDS);

  constructor() {
    this.fd = checked('epoll_create1', native().epoll_create1(EPOLL_CLOEXEC));
  }

  /** Watches `fd` for input or hang-up until it is closed; `wait` names it by `tag`. */
  add(fd: number, tag: number): void {
    this.#added[0] = EPOLLIN;
    this.#added[EVENT_DATA] = tag;
    checked('epoll_ctl', native().epoll_ctl(this.fd, EPOLL_CTL_ADD, fd, this.#added));
  }

  /**
   * Watches `fd` no longer. To be called before it is closed: closing alone does not end the watch while a forked child
   * has a copy of the descriptor.
   */
  delete(fd: number): void {
    native().epoll_ctl(this.fd, EPOLL_CTL_DEL, fd, this.#added);
  }

  /** Blocks up to `timeoutMs` and answers the tags that are ready; none after a signal or when time is up. */
  wait(timeoutMs: number): number[] {
    const count = native().epoll_wait(this.fd, this.#events, MAX_EVENTS, timeoutMs);
    const tags: number[] = [];
    for (let i = 0; i < count; i++) tags.push(this.#events[i * EVENT_WORDS + EVENT_DATA] as number);
    return tags;
  }
}
