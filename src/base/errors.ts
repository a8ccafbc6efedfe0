/**
 * The error family of furca. Each class differs from its neighbour by who must act:
 * the caller (`UsageError`, `ClosedError`, `NotSendableError`), the machine or the other side
 * (`BrokenError`, `WorkerLostError`, `StartError`), a bound that was set (`TimeoutError`, `LimitError`),
 * or us (`InternalError`). Callers match `code`, never the text.
 */

/** Every code furca can raise; a code is never renamed. docs/errors.md has one row for each. */
export type FurcaErrorCode =
  | 'ERR_FURCA_BAD_CWD'
  | 'ERR_FURCA_BARRIER_BROKEN'
  | 'ERR_FURCA_AUTHENTICATION'
  | 'ERR_FURCA_BOOTSTRAPPING'
  | 'ERR_FURCA_BROKEN'
  | 'ERR_FURCA_BUFFER_TOO_SHORT'
  | 'ERR_FURCA_CANCELLED'
  | 'ERR_FURCA_CLOSED'
  | 'ERR_FURCA_COMMAND_FAILED'
  | 'ERR_FURCA_COMMAND_NOT_EXECUTABLE'
  | 'ERR_FURCA_COMMAND_NOT_FOUND'
  | 'ERR_FURCA_COMMAND_TIMEOUT'
  | 'ERR_FURCA_DAEMONIC_CHILD'
  | 'ERR_FURCA_DEADLINE'
  | 'ERR_FURCA_INTERNAL'
  | 'ERR_FURCA_INVALID_ARGUMENT'
  | 'ERR_FURCA_INVALID_STATE'
  | 'ERR_FURCA_LIMIT'
  | 'ERR_FURCA_LOOP_BUSY'
  | 'ERR_FURCA_MISSING_PACKAGE'
  | 'ERR_FURCA_NAME_TAKEN'
  | 'ERR_FURCA_NAME_UNKNOWN'
  | 'ERR_FURCA_NOT_DECODABLE'
  | 'ERR_FURCA_NOT_FORK_READY'
  | 'ERR_FURCA_NOT_SENDABLE'
  | 'ERR_FURCA_POISONED'
  | 'ERR_FURCA_QUEUE_TIMEOUT'
  | 'ERR_FURCA_REFUSED'
  | 'ERR_FURCA_REMOTE'
  | 'ERR_FURCA_START_FAILED'
  | 'ERR_FURCA_STARVATION'
  | 'ERR_FURCA_SYSTEM_CALL'
  | 'ERR_FURCA_TASK_TIMEOUT'
  | 'ERR_FURCA_TERMINATED'
  | 'ERR_FURCA_TIMEOUT'
  | 'ERR_FURCA_UNSUPPORTED_RUNTIME'
  | 'ERR_FURCA_WORKER_LOST';

const BRAND = Symbol.for('furca:error');

/** Base of all errors furca raises itself. What a user's function threw is never wrapped in one. */
export abstract class FurcaError extends Error {
  /** Stable identifier of the failure. */
  readonly code: FurcaErrorCode;

  constructor(code: FurcaErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /**
   * Tells whether `value` is an error raised by furca, also one that came from another realm, another copy of
   * the package or another process.
   *
   * @example
   * FurcaError.is(new RangeError('x')); // => false
   */
  static is(value: unknown): value is FurcaError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

Object.defineProperty(FurcaError.prototype, BRAND, { value: true });

function named(
  target: typeof FurcaError | (abstract new (...args: never[]) => FurcaError),
  name: string,
): void {
  Object.defineProperty(target.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** The caller's mistake, thrown before anything happened. */
export class UsageError extends FurcaError {
  constructor(
    message: string,
    code: FurcaErrorCode = 'ERR_FURCA_INVALID_ARGUMENT',
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
  }
}

/** The object was closed by this program. */
export class ClosedError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_FURCA_CLOSED', message, options);
  }
}

/** The object's work was ended by `terminate()`, or by an abort of the whole pool. */
export class TerminatedError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_FURCA_TERMINATED', message, options);
  }
}

/** A fault of furca itself; please report it. */
export class InternalError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_FURCA_INTERNAL', `${message} This is a fault of furca, please report it.`, options);
  }
}

/** The other side, or the memory between the two, failed. */
export class BrokenError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }, code: FurcaErrorCode = 'ERR_FURCA_BROKEN') {
    super(code, message, options);
  }
}

/**
 * Why a worker ended: V8's heap limit, the kernel's out-of-memory killer, another signal, an exit by itself, or the pool, because the
 * task ran longer than allowed or was given up.
 */
export type LossReason = 'heap' | 'oom' | 'signal' | 'exit' | 'timeout';
/** A barrier cannot be passed: a party has died, given up or called `abort()`, or it was reset meanwhile. */
export class BrokenBarrierError extends BrokenError {
  /** Process id of the party that died; `null` if it broke for another reason. */
  readonly deadPid: number | null;

  constructor(message: string, deadPid: number | null) {
    super(message, undefined, 'ERR_FURCA_BARRIER_BROKEN');
    this.deadPid = deadPid;
  }
}

/** What is known of a worker that ended while it had a task. */
export interface WorkerLoss {
  readonly pid: number;
  /** Node's number of the thread it was; 0 for a process. */
  readonly threadId: number;
  /** Exit code, or `-N` for signal N. */
  readonly exitCode: number;
  /** Name of the signal that ended it, or `null`. */
  readonly signal: NodeJS.Signals | null;
  readonly reason: LossReason;
  /** The last 4 KiB of what it wrote to stderr; empty where its stderr is not read. */
  readonly stderrTail: string;
  /** How it was started; `'thread'` in a {@link ThreadPool}. */
  readonly startMethod: string;
  /** Number of the pool's call; see `currentTask().id`. */
  readonly taskId: number;
  /** Index of the item within that call; 0 for a single call. */
  readonly index: number;
  /** How often the task had been started when it was given up. */
  readonly attempts: number;
}

/** A worker ended while it ran this task; exactly this task is rejected. */
export class WorkerLostError extends BrokenError implements WorkerLoss {
  readonly pid: number;
  readonly threadId: number;
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
  readonly reason: LossReason;
  readonly stderrTail: string;
  readonly startMethod: string;
  readonly taskId: number;
  readonly index: number;
  readonly attempts: number;

  constructor(
    message: string,
    loss: WorkerLoss,
    options?: { cause?: unknown },
    code: FurcaErrorCode = 'ERR_FURCA_WORKER_LOST',
  ) {
    super(message, options, code);
    this.pid = loss.pid;
    this.threadId = loss.threadId;
    this.exitCode = loss.exitCode;
    this.signal = loss.signal;
    this.reason = loss.reason;
    this.stderrTail = loss.stderrTail;
    this.startMethod = loss.startMethod;
    this.taskId = loss.taskId;
    this.index = loss.index;
    this.attempts = loss.attempts;
  }
}

/** A child process never came up. */
export class StartError extends FurcaError {
  constructor(
    message: string,
    options?: { cause?: unknown },
    code: FurcaErrorCode = 'ERR_FURCA_START_FAILED',
  ) {
    super(code, message, options);
  }
}

/** A wait ended before what was waited for happened; the thing waited for goes on. */
export class TimeoutError extends FurcaError {
  /** The bound that was hit, in milliseconds. */
  readonly timeoutMs: number;

  constructor(
    message: string,
    timeoutMs: number,
    code: FurcaErrorCode = 'ERR_FURCA_TIMEOUT',
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
    this.timeoutMs = timeoutMs;
  }
}

/** A bound of furca or of the system was reached. */
export class LimitError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_FURCA_LIMIT', message, options);
  }
}

/** A message is longer than the buffer it was to be received into. It was received all the same: here it is. */
export class BufferTooShortError extends FurcaError {
  /** The whole message. */
  readonly received: Uint8Array;

  constructor(message: string, received: Uint8Array) {
    super('ERR_FURCA_BUFFER_TOO_SHORT', message);
    this.received = received;
  }
}

/** A value or function that cannot leave, or enter, a process. */
export class NotSendableError extends FurcaError {
  /** Where the offending part sits, such as `args[0].socket`; names only, never values. */
  readonly path: string;
  readonly stage: 'send' | 'receive';

  constructor(
    message: string,
    path: string,
    stage: 'send' | 'receive' = 'send',
    options?: { cause?: unknown },
  ) {
    super('ERR_FURCA_NOT_SENDABLE', message, options);
    this.path = path;
    this.stage = stage;
  }
}

/** The two ends of a connection do not have the same key, or one of them has none. */
export class AuthenticationError extends FurcaError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_FURCA_AUTHENTICATION', message, options);
  }
}

/** A manager's server could not do what it was asked; what a shared object's method threw is no such error. */
export class RemoteError extends FurcaError {
  /** What the server says of it: its own trace. */
  readonly remoteTrace: string;

  constructor(message: string, remoteTrace: string) {
    super('ERR_FURCA_REMOTE', message);
    this.remoteTrace = remoteTrace;
  }
}

/** A system call failed; `syscall`, `errno` and `errnoCode` say which and how. */
export class SystemCallError extends FurcaError {
  readonly syscall: string;
  readonly errno: number;
  /** Symbolic errno such as `EACCES`. */
  readonly errnoCode: string;

  constructor(syscall: string, errno: number, errnoCode: string, detail: string) {
    super('ERR_FURCA_SYSTEM_CALL', `${syscall} failed: ${errnoCode}${detail === '' ? '' : ` (${detail})`}.`);
    this.syscall = syscall;
    this.errno = errno;
    this.errnoCode = errnoCode;
  }
}

for (const [target, name] of [
  [FurcaError, 'FurcaError'],
  [UsageError, 'UsageError'],
  [ClosedError, 'ClosedError'],
  [TerminatedError, 'TerminatedError'],
  [InternalError, 'InternalError'],
  [BrokenError, 'BrokenError'],
  [BrokenBarrierError, 'BrokenBarrierError'],
  [WorkerLostError, 'WorkerLostError'],
  [StartError, 'StartError'],
  [TimeoutError, 'TimeoutError'],
  [LimitError, 'LimitError'],
  [NotSendableError, 'NotSendableError'],
  [AuthenticationError, 'AuthenticationError'],
  [BufferTooShortError, 'BufferTooShortError'],
  [RemoteError, 'RemoteError'],
  [SystemCallError, 'SystemCallError'],
] as const) {
  named(target, name);
}
