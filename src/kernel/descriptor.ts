import { fstatSync } from 'node:fs';
import { callFailed, checked, EAGAIN, EINTR } from './errno.js';
import { lastErrno, native } from './library.js';

const O_WRONLY = 1;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const POLLIN = 1;

/** A pipe: what is written to one end is read at the other (pipe2(2)). */
export interface PipeEnds {
  readonly readFd: number;
  readonly writeFd: number;
}

/** Makes a pipe whose ends are closed by exec; `isNonBlocking` applies to both ends. */
export function createPipe(isNonBlocking: boolean): PipeEnds {
  const fds = new Int32Array(2);
  checked('pipe2', native().pipe2(fds, O_CLOEXEC | (isNonBlocking ? O_NONBLOCK : 0)));
  return { readFd: fds[0] as number, writeFd: fds[1] as number };
}

/** Sets how much a pipe holds, rounded up to a power of two pages; the system's own measure is 64 KiB (F_SETPIPE_SZ). */
export function setPipeBytes(fd: number, sizeBytes: number): void {
  checked('fcntl', native().fcntl(fd, F_SETPIPE_SZ, sizeBytes), `a pipe of ${sizeBytes} bytes`);
}

/** How much the pipe behind `fd` can hold. */
export function pipeBytes(fd: number): number {
  return checked('fcntl', native().fcntl(fd, F_GETPIPE_SZ, 0), `descriptor ${fd}`);
}

/** Opens `path`; the descriptor is closed by exec. */
export function openPath(path: string, flags: number): number {
  return checked('open', native().open(path, flags | O_CLOEXEC, 0), path);
}

/**
 * Opens for writing the pipe that another process of this user has open as `fd`, by way of proc(5).
 *
 * @returns The new descriptor, or -1 when that process or its descriptor is gone, or when there is something else by now: pids and
 * descriptors come round again, and a ring must not end up in somebody's file.
 */
export function openPipeOf(pid: number, fd: number): number {
  const opened = native().open(`/proc/${pid}/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
  // As bigint: Node 20 decides by the last plain stat, whosever that was, whether a path it resolves goes through a pipe, and
  // after one of a pipe would leave symbolic links in the addresses of modules (realpathSync in its lib/fs.js).
  if (opened < 0 || fstatSync(opened, { bigint: true }).isFIFO()) return opened;
  closeDescriptor(opened);
  return -1;
}

/** Closes a descriptor; one that is not open is left alone. */
export function closeDescriptor(fd: number): void {
  native().close(fd);
}

/** Says whether exec closes the descriptor. */
export function setCloseOnExec(fd: number, isOn: boolean): void {
  checked('fcntl', native().fcntl(fd, F_SETFD, isOn ? FD_CLOEXEC : 0));
}

/** Lets reads and writes wait again on a descriptor that was opened without waiting; it appends as before. */
export function makeBlocking(fd: number): void {
  const flags = checked('fcntl', native().fcntl(fd, F_GETFL, 0));
  checked('fcntl', native().fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

/** Makes `to` refer to what `from` refers to (dup2(2)). */
export function duplicateOnto(from: number, to: number): void {
  checked('dup2', native().dup2(from, to), `${from} onto ${to}`);
}

/** Reads up to `buffer.byteLength` bytes; 0 means end of file, -1 nothing there yet (non-blocking descriptors). */
export function readDescriptor(fd: number, buffer: Uint8Array): number {
  for (;;) {
    const count = native().read(fd, buffer, buffer.byteLength);
    if (count >= 0) return count;
    if (lastErrno() === EAGAIN) return -1;
    if (lastErrno() !== EINTR) throw callFailed('read', `descriptor ${fd}`);
  }
}

const pollRecord = new Int32Array(2);

/** Blocks up to `timeoutMs`, -1 for ever, until `fd` can be read or its other end is gone; tells whether it can. */
export function waitReadable(fd: number, timeoutMs: number): boolean {
  const deadline = performance.now() + timeoutMs;
  let leftMs = timeoutMs;
  for (;;) {
    pollRecord[0] = fd;
    pollRecord[1] = POLLIN;
    const ready = native().poll(pollRecord, 1, leftMs);
    if (ready >= 0) return ready > 0;
    // A signal ends poll(2) early whatever its handler asked for; it says nothing about the descriptor.
    if (lastErrno() !== EINTR) throw callFailed('poll', `descriptor ${fd}`);
    if (timeoutMs >= 0) leftMs = Math.max(0, Math.ceil(deadline - performance.now()));
  }
}
