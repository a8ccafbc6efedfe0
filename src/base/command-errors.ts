import { FurcaError, StartError, TimeoutError } from './errors.js';

/**
 * What `furca/subprocess` raises besides the common family. The classes live here, not in their folder, so that they
 * come back as themselves from a task that ran a command.
 */

/** A program and its arguments, or a line for the shell, as they were given. */
export type CommandText = string | readonly string[];

/** What a command has written; `null` where its output was not captured. */
export type CommandOutput = string | Buffer | null;

/** A command could not be started: the program or the working directory is missing or forbidden, or the system refuses. */
export class CommandStartError extends StartError {
  /** Symbolic errno such as `ENOENT`. */
  readonly errnoCode: string;
  /** The program, or the working directory where that is at fault. */
  readonly path: string;

  constructor(
    message: string,
    code:
      | 'ERR_FURCA_BAD_CWD'
      | 'ERR_FURCA_COMMAND_NOT_EXECUTABLE'
      | 'ERR_FURCA_COMMAND_NOT_FOUND'
      | 'ERR_FURCA_START_FAILED',
    facts: { readonly errnoCode: string; readonly path: string },
    options?: { cause?: unknown },
  ) {
    super(message, options, code);
    this.errnoCode = facts.errnoCode;
    this.path = facts.path;
  }
}

/** A command that was to be checked ended with another code than 0. */
export class CalledProcessError extends FurcaError {
  /** The command as it was given. */
  readonly cmd: CommandText;
  /** Exit code, or `-N` for signal N. */
  readonly returnCode: number;
  /** Name of the signal that ended it, or `null`. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput;

  constructor(
    message: string,
    facts: Pick<CalledProcessError, 'cmd' | 'returnCode' | 'signal' | 'stdout' | 'stderr'>,
  ) {
    super('ERR_FURCA_COMMAND_FAILED', message);
    this.cmd = facts.cmd;
    this.returnCode = facts.returnCode;
    this.signal = facts.signal;
    this.stdout = facts.stdout;
    this.stderr = facts.stderr;
  }

  /** The same as `stdout`, Python's other name for it. */
  get output(): CommandOutput {
    return this.stdout;
  }
}

/**
 * A command did not end in time. With `ERR_FURCA_COMMAND_TIMEOUT` it was killed with all it had started; with
 * `ERR_FURCA_TIMEOUT` only the wait is over and it goes on.
 */
export class TimeoutExpired extends TimeoutError {
  /** The command as it was given. */
  readonly cmd: CommandText;
  /** What it had written by then, decoded in text mode; `null` where its output was not captured. */
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput;

  constructor(
    message: string,
    code: 'ERR_FURCA_COMMAND_TIMEOUT' | 'ERR_FURCA_TIMEOUT',
    facts: Pick<TimeoutExpired, 'cmd' | 'timeoutMs' | 'stdout' | 'stderr'>,
  ) {
    super(message, facts.timeoutMs, code);
    this.cmd = facts.cmd;
    this.stdout = facts.stdout;
    this.stderr = facts.stderr;
  }

  /** The same as `stdout`, Python's other name for it. */
  get output(): CommandOutput {
    return this.stdout;
  }
}

/** Bytes that are no text in the encoding that was asked for; see the option `errors`. */
export class UnicodeDecodeError extends FurcaError {
  readonly encoding: string;
  /** All that was to be decoded. */
  readonly bytes: Buffer;
  /** Position of the first byte that does not fit. */
  readonly start: number;

  constructor(message: string, facts: Pick<UnicodeDecodeError, 'encoding' | 'bytes' | 'start'>) {
    super('ERR_FURCA_NOT_DECODABLE', message);
    this.encoding = facts.encoding;
    this.bytes = facts.bytes;
    this.start = facts.start;
  }
}

for (const [target, name] of [
  [CommandStartError, 'CommandStartError'],
  [CalledProcessError, 'CalledProcessError'],
  [TimeoutExpired, 'TimeoutExpired'],
  [UnicodeDecodeError, 'UnicodeDecodeError'],
] as const) {
  Object.defineProperty(target.prototype, 'name', { value: name, configurable: true, writable: true });
}
