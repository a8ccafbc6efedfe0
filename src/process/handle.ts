import type { Member } from '../arena/member.js';
import { closeBellsOfTheDead, type WaitOptions } from '../arena/parking.js';
import { ALIVE, EXITED, FAILED, FORKED, type ProcessRecord, READY } from '../arena/process-record.js';
import type { OwnerId } from '../arena/slots.js';
import { StartError, TimeoutError } from '../base/errors.js';
import { errnoName } from '../kernel/errno.js';
import type { ExitCode } from '../kernel/reaping.js';
import { runSignalHandlers } from '../kernel/signals.js';
import type { Started } from './start/contract.js';

/** Reason word of a zygote that cannot fork because a thread came with its start-up modules. */
export const UNFIT = -1;

/** A child as its parent sees it, started by whichever method. */
export class ChildHandle {
  readonly #member: Member;
  readonly #record: ProcessRecord;
  readonly #watchers: (() => void)[] = [];
  #pid = 0;
  #exitCode: ExitCode | null = null;
  #failure: StartError | undefined;
  #isUnfit = false;
  #isOver = false;
  #keepsLoopAlive = false;
  #onReady: (() => void) | undefined;
  readonly #started: Started;
  readonly #owner: OwnerId;
  /** State from which on the pid stands: a zygote forks a child that dies before its first instruction again. */
  readonly #knownFrom: number;

  constructor(member: Member, started: Started, onReady?: () => void) {
    this.#member = member;
    this.#record = started.record;
    this.#started = started;
    this.#owner = started.record.child;
    this.#knownFrom = started.record.zygote === 0 ? FORKED : ALIVE;
    this.#onReady = onReady;
    // Whether it keeps the event loop alive the registry says, which knows of the other children.
    member.parking.poll(this.#poller, false);
  }

  readonly #poller = (): boolean => {
    const before = this.#pid;
    this.look();
    return this.#isOver || before !== this.#pid;
  };

  /** Takes note of what happened to the child since the last look. */
  look(): void {
    if (this.#isOver) return;
    const { state } = this.#record;
    if (state >= this.#knownFrom) this.#pid = this.#record.pid;
    if (state >= READY) {
      this.#onReady?.();
      this.#onReady = undefined;
    }
    if (state === FAILED) this.#fail(this.#record.errno);
    else if (state === EXITED) this.#exitCode = this.#record.exitCode;
    else return;
    this.#isOver = true;
    this.#member.parking.stopPolling(this.#poller);
    this.#record.drop(this.#member.owner);
    closeBellsOfTheDead(this.#member.arena);
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  #fail(errno: number): void {
    this.#isUnfit = errno === UNFIT;
    const reason = errno > 0 ? errnoName(errno) : 'the process that should have forked it did not come up';
    this.#failure = startFailed(reason);
  }

  /** Says whether this process's event loop lives as long as the child does. */
  setKeepsLoopAlive(keepsLoopAlive: boolean): void {
    if (this.#isOver || keepsLoopAlive === this.#keepsLoopAlive) return;
    this.#keepsLoopAlive = keepsLoopAlive;
    this.#member.parking.stopPolling(this.#poller);
    this.#member.parking.poll(this.#poller, keepsLoopAlive);
  }

  /** Looks after what nobody may ever tell; see {@link Started.probe}. */
  probe(): void {
    if (!this.#isOver) this.#started.probe();
  }

  /** Its id in the family. */
  get owner(): OwnerId {
    return this.#owner;
  }

  /** Process id; 0 until it is known. */
  get pid(): number {
    return this.#pid;
  }

  /** Exit code once it has ended, `-N` for signal N; `null` before. */
  get exitCode(): ExitCode | null {
    this.look();
    return this.#exitCode;
  }

  get isAlive(): boolean {
    this.look();
    return !this.#isOver;
  }

  /** Tells whether the start failed because the zygote has threads; another method may do. */
  get isUnfit(): boolean {
    return this.#isUnfit;
  }

  /** Calls `watcher` in the event loop once the child has ended, or failed to start. */
  onOver(watcher: () => void): void {
    if (this.#isOver) queueMicrotask(watcher);
    else this.#watchers.push(watcher);
  }

  /**
   * Resolves once the child has a pid.
   *
   * @throws {@link StartError} `ERR_FURCA_START_FAILED`: it will never have one.
   */
  async started(): Promise<void> {
    await this.#member.parking.waitUntil(() => {
      this.look();
      return this.#isOver || this.#pid !== 0;
    }, 'Starting the process');
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves once the child has ended and what it held is swept. */
  ended(what: string, options: WaitOptions): Promise<void> {
    return this.#member.parking.waitUntil(() => !this.isAlive, what, options);
  }

  /**
   * Blocks this thread until the child has ended.
   *
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  endedSync(what: string, timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    while (this.isAlive) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new TimeoutError(`${what} failed: not within ${timeoutMs} ms.`, timeoutMs);
      // While this thread is blocked its event loop sees nobody's end.
      this.probe();
      this.#member.parking.blockUntil(() => !this.isAlive, Math.min(leftMs, this.#started.probeMs));
      runSignalHandlers();
    }
  }

  /** Sends a signal to the child if it still runs; tells whether it did. */
  signal(signal: NodeJS.Signals): boolean {
    // Until the record says so the child is at most a zombie, so that its pid is nobody else's.
    if (!this.isAlive || this.#pid === 0) return false;
    try {
      return process.kill(this.#pid, signal);
    } catch {
      return false;
    }
  }
}

/** The error for a child that never came up. */
export function startFailed(reason: string, cause?: unknown): StartError {
  return new StartError(
    `Starting the process failed: ${reason}. ${ADVICE[reason] ?? 'Look at stderr for more.'}`,
    { cause },
  );
}

/** What to do about the failures that are the machine's. */
const ADVICE: Readonly<Record<string, string>> = {
  EAGAIN: 'The limit of processes is reached (`ulimit -u`, pids.max): end some, or raise it.',
  ENOMEM: 'Memory is used up: end some processes, or start fewer.',
  EMFILE: 'The limit of open files is reached (`ulimit -n`): close some, or raise it.',
};
