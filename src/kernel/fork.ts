import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UsageError } from '../base/errors.js';
import { checked } from './errno.js';
import { Gate } from './gate.js';
import { assertSupported, native } from './library.js';
import { awaitChild, reapChild } from './reaping.js';
import { SIGKILL } from './signals.js';

const MADV_DOFORK = 11;
const O_RDONLY_CLOEXEC = 0o2000000;
/** Readings of the memory map that may differ before furca gives up; two or three are the rule. */
const MAX_READINGS = 32;
/** Longest wait for the other threads of this process to fall asleep. */
const QUIET_WITHIN_MS = 2000;
/** And fewest looks before one of them counts as busy: time alone may have passed while none of this process had a CPU. */
const QUIET_LOOKS = 500;
/** Children that may be given up because a page was mapped too late; one in a thousand is. */
const MAX_FORKS = 16;

const FLAGS = ['--single-threaded', '--v8-pool-size=1'] as const;

/** The flags a process must be started with to fork itself; see the README here for the reason of each. */
export function forkReadyFlags(): readonly string[] {
  return FLAGS;
}

/** Tells whether this process was started with the flags that forking needs. */
export function isForkReady(): boolean {
  const inherited = (process.env['NODE_OPTIONS'] ?? '').split(/\s+/);
  const given = [...process.execArgv, ...inherited].map((flag) => flag.replaceAll('_', '-'));
  return FLAGS.every((flag) => given.includes(flag));
}

/** System calls in which a sleeping thread may be caught: futex, epoll, poll, select, read; by architecture. */
const SLEEPING_CALLS: ReadonlySet<string> = new Set(
  process.arch === 'x64'
    ? ['202', '232', '281', '441', '7', '271', '270', '0']
    : ['98', '22', '441', '73', '72', '63'],
);

type CollectGarbage = (options: { type: 'minor' }) => void;

/**
 * Makes copies of this process by fork(2).
 *
 * Everything between the last reading of the memory map and the call of fork works on memory that exists already: a page
 * that V8 maps in between would be missing in the child, which then dies of SIGSEGV, sooner or later. Hence the reused
 * buffers, the parsing in place and the minor collection that empties the young generation beforehand.
 *
 * None of that is a proof: V8 may compile a function, or open a page of its old generation, at any time. So the child waits behind
 * a gate until its parent has read its own map once more: if that has changed, the child is killed there, and another one is made.
 */
export class Forker {
  readonly #collect: CollectGarbage;
  #reading: Buffer = Buffer.allocUnsafeSlow(1 << 20);
  #former: Buffer = Buffer.allocUnsafeSlow(1 << 20);
  #readBytes = 0;
  #gate: Gate | undefined;
  readonly #state = Buffer.allocUnsafeSlow(256);

  constructor() {
    assertSupported();
    if (!isForkReady()) throw notForkReady();
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as CollectGarbage;
    setFlagsFromString('--no-expose-gc');
  }

  /**
   * Forks; returns the child's pid in the parent and 0 in the child, whose first act must be to mark itself alive.
   *
   * @throws {@link UsageError} `ERR_FURCA_LOOP_BUSY`: a thread of this process does not come to rest.
   * @throws {@link SystemCallError} `ERR_FURCA_SYSTEM_CALL`: fork itself failed, as at a process limit.
   */
  fork(): number {
    if (this.#gate?.isMine !== true) this.#gate = new Gate();
    for (let attempt = 0; attempt < MAX_FORKS; attempt++) {
      const ticket = this.#gate.takeTicket();
      const pid = this.#forkOnce();
      if (pid === 0) {
        this.#gate.waitFor(ticket);
        return 0;
      }
      if (this.#isMapUnchanged()) {
        this.#gate.open(ticket);
        return pid;
      }
      native().kill(pid, SIGKILL);
      awaitChild(pid);
      reapChild(pid);
    }
    throw restlessMap();
  }

  #forkOnce(): number {
    this.#collect({ type: 'minor' });
    // After the collection, which wakes V8's worker on Node 20 and 26: forked while that holds its queue's lock, the child
    // would wait for the lock at its own next collection.
    this.#awaitQuietThreads();
    this.#markInheritable();
    return checked('fork', native().fork());
  }

  /** After a fork: tells whether the child has every page of this process. */
  #isMapUnchanged(): boolean {
    const expected = this.#readBytes;
    this.#swapBuffers();
    return this.#readMap() === expected && native().memcmp(this.#reading, this.#former, expected) === 0;
  }

  /** A thread that holds a lock at the moment of the fork would hold it for ever in the child. */
  #awaitQuietThreads(): void {
    const own = String(native().gettid());
    const deadline = Date.now() + QUIET_WITHIN_MS;
    const others = readdirSync('/proc/self/task').filter((thread) => thread !== own);
    for (const thread of others) {
      for (let looks = 1; !this.#sleeps(thread); looks++) {
        if (looks >= QUIET_LOOKS && Date.now() > deadline) throw threadBusy(thread);
        native().poll(null, 0, 1);
      }
    }
  }

  #sleeps(thread: string): boolean {
    const fd = native().open(`/proc/self/task/${thread}/syscall`, O_RDONLY_CLOEXEC, 0);
    if (fd === -1) return true;
    const length = Math.max(0, native().read(fd, this.#state, this.#state.byteLength));
    native().close(fd);
    const [call = ''] = this.#state.toString('latin1', 0, length).split(' ');
    return SLEEPING_CALLS.has(call) || call.trim() === '';
  }

  /** V8 keeps its heap out of children (MADV_DONTFORK); takes that back until a reading brings nothing new. */
  #markInheritable(): void {
    let formerLength = -1;
    for (let round = 0; round < MAX_READINGS; round++) {
      const length = this.#readMap();
      this.#readBytes = length;
      if (length === formerLength && native().memcmp(this.#reading, this.#former, length) === 0) return;
      adviseEach(this.#reading, length);
      this.#swapBuffers();
      formerLength = length;
    }
    throw restlessMap();
  }

  #swapBuffers(): void {
    const spare = this.#former;
    this.#former = this.#reading;
    this.#reading = spare;
  }

  #readMap(): number {
    const fd = checked('open', native().open('/proc/self/maps', O_RDONLY_CLOEXEC, 0), '/proc/self/maps');
    let length = 0;
    for (;;) {
      if (length === this.#reading.byteLength) this.#growBuffers(length);
      // `subarray` makes a small object; the young generation was emptied a moment ago and has room for it.
      const count = native().read(fd, this.#reading.subarray(length), this.#reading.byteLength - length);
      if (count <= 0) break;
      length += count;
    }
    native().close(fd);
    return length;
  }

  #growBuffers(length: number): void {
    const larger = Buffer.allocUnsafeSlow(length * 2);
    this.#reading.copy(larger);
    this.#reading = larger;
    this.#former = Buffer.allocUnsafeSlow(length * 2);
  }
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const PRIVATE = 0x70;
const ZERO = 0x30;

/**
 * Walks lines such as `7f12a000-7f12b000 rw-p 00000000 00:00 0   [heap]` and asks that private anonymous ones be inherited.
 * Kernel pages ([vdso] and the like) refuse, which is right.
 */
function adviseEach(text: Buffer, length: number): void {
  const madvise = native().madvise;
  let at = 0;
  while (at < length) {
    let start = 0;
    let end = 0;
    for (; text[at] !== 0x2d; at++) start = start * 16 + hexDigit(text[at] as number);
    for (at++; text[at] !== SPACE; at++) end = end * 16 + hexDigit(text[at] as number);
    const isPrivate = text[at + 4] === PRIVATE;
    // Skip permissions, offset and device to the inode: `0` alone means no file behind it.
    at += 6;
    for (let field = 0; field < 2; at++) if (text[at] === SPACE) field++;
    const isAnonymous = text[at] === ZERO && (text[at + 1] === NEWLINE || text[at + 1] === SPACE);
    if (isPrivate && isAnonymous && end <= Number.MAX_SAFE_INTEGER) madvise(start, end - start, MADV_DOFORK);
    while (at < length && text[at] !== NEWLINE) at++;
    at++;
  }
}

function hexDigit(byte: number): number {
  return byte <= 0x39 ? byte - ZERO : byte - 0x57;
}

function restlessMap(): UsageError {
  return new UsageError(
    'fork() failed: the memory map of this process does not come to rest. End worker threads first.',
    'ERR_FURCA_LOOP_BUSY',
  );
}

function threadBusy(thread: string): UsageError {
  return new UsageError(
    `fork() failed: thread ${thread} of this process did not come to rest within ${QUIET_WITHIN_MS} ms. Wait for running file, DNS, crypto or compression requests, and end worker threads first.`,
    'ERR_FURCA_LOOP_BUSY',
  );
}

/** The error for a process that was not started so that it can fork. */
export function notForkReady(): UsageError {
  return new UsageError(
    `fork() failed: this process was not started fork-ready. Run it by \`furca run script.ts\`, or by \`node ${FLAGS.join(' ')} script.js\`, or make \`import 'furca/fork-ready'\` its first line.`,
    'ERR_FURCA_NOT_FORK_READY',
  );
}
