import {
  CalledProcessError,
  type CommandOutput,
  CommandStartError,
  type CommandText,
  TimeoutExpired,
  UnicodeDecodeError,
} from '../base/command-errors.js';
import { UsageError } from '../base/errors.js';
import { signalOfExitCode } from '../kernel/reaping.js';

const LONGEST_TEXT = 200;

/** A command as a reader of a message wants to see it. */
function show(cmd: CommandText): string {
  const text = typeof cmd === 'string' ? cmd : cmd.map(quoted).join(' ');
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text;
}

/** A word as a shell would take it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

export function badOption(name: string, wanted: string): UsageError {
  return new UsageError(`Starting a command failed: ${name} must be ${wanted}.`);
}

export function badEncoding(name: string): UsageError {
  return badOption('encoding', `utf-8, utf-16, utf-32 (also with -le or -be), latin-1 or ascii, not ${name}`);
}

export function bothGiven(one: string, other: string, advice: string): UsageError {
  return new UsageError(`Starting a command failed: ${one} and ${other} cannot be given together. ${advice}`);
}

export function notToBeGiven(name: string, what: string, advice: string): UsageError {
  return new UsageError(`Starting a command failed: ${name} cannot be given to ${what}. ${advice}`);
}

export function noDescriptor(name: string): UsageError {
  return new UsageError(
    `Starting a command failed: ${name} is a stream without an open descriptor. Open it first, or pass PIPE and pipe() the streams.`,
  );
}

export function alreadyRead(name: string): UsageError {
  return new UsageError(
    `Starting a command failed: ${name} is a stream that is in use, or closed, here. Hand it over before anything else is done with it.`,
    'ERR_FURCA_INVALID_STATE',
  );
}

export function inputTwice(): UsageError {
  return new UsageError(
    'Communicating failed: input cannot be sent after communicating has begun. Call communicate() without input to go on.',
    'ERR_FURCA_INVALID_STATE',
  );
}

export function inputWithoutPipe(): UsageError {
  return new UsageError(
    'Communicating failed: there is input, but stdin is no pipe. Make the Popen with stdin: PIPE.',
    'ERR_FURCA_INVALID_STATE',
  );
}

function exceptional(returnCode: number): string {
  if (returnCode >= 0) return `ended with code ${returnCode}`;
  return `was ended by ${signalOfExitCode(returnCode) ?? `signal ${-returnCode}`}`;
}

export function commandFailed(
  cmd: CommandText,
  returnCode: number,
  stdout: CommandOutput,
  stderr: CommandOutput,
): CalledProcessError {
  return new CalledProcessError(
    `Command '${show(cmd)}' failed: it ${exceptional(returnCode)}. Its output is in stdout and stderr where it was captured.`,
    { cmd, returnCode, signal: signalOfExitCode(returnCode), stdout, stderr },
  );
}

export function commandTooLong(
  cmd: CommandText,
  timeoutMs: number,
  [stdout, stderr]: readonly [stdout: CommandOutput, stderr: CommandOutput],
  isDead: boolean,
): TimeoutExpired {
  const fate = isDead
    ? 'and was killed with all it had started'
    : 'and could not be killed: it belongs to another user, or is caught in the system';
  return new TimeoutExpired(
    `Command '${show(cmd)}' failed: it did not end within ${timeoutMs} ms, ${fate}.`,
    'ERR_FURCA_COMMAND_TIMEOUT',
    { cmd, timeoutMs, stdout, stderr },
  );
}

export function waitTooLong(
  cmd: CommandText,
  timeoutMs: number,
  [stdout, stderr]: readonly [stdout: CommandOutput, stderr: CommandOutput],
): TimeoutExpired {
  return new TimeoutExpired(
    `Waiting for command '${show(cmd)}' failed: it did not end within ${timeoutMs} ms. It goes on; wait again, or kill it.`,
    'ERR_FURCA_TIMEOUT',
    { cmd, timeoutMs, stdout, stderr },
  );
}

export function badCwd(path: string, errnoCode: string): CommandStartError {
  const why =
    errnoCode === 'ENOENT'
      ? 'does not exist'
      : errnoCode === 'ENOTDIR'
        ? 'is no directory'
        : `cannot be entered (${errnoCode})`;
  return new CommandStartError(`Starting a command failed: its cwd '${path}' ${why}.`, 'ERR_FURCA_BAD_CWD', {
    errnoCode,
    path,
  });
}

export function noProgram(path: string, hint: string): CommandStartError {
  return new CommandStartError(
    `Starting a command failed: there is no program '${path}'. ${hint}`,
    'ERR_FURCA_COMMAND_NOT_FOUND',
    { errnoCode: 'ENOENT', path },
  );
}

export function notExecutable(path: string, errnoCode: string): CommandStartError {
  return new CommandStartError(
    `Starting a command failed: '${path}' may not be executed (${errnoCode}).`,
    'ERR_FURCA_COMMAND_NOT_EXECUTABLE',
    { errnoCode, path },
  );
}

export function refusedBySystem(path: string, errnoCode: string, cause?: unknown): CommandStartError {
  return new CommandStartError(
    `Starting a command failed: the system does not start '${path}' (${errnoCode}). Look at the limits of processes, descriptors and arguments.`,
    'ERR_FURCA_START_FAILED',
    { errnoCode, path },
    { cause },
  );
}

export function notDecodable(encoding: string, bytes: Buffer, start: number): UnicodeDecodeError {
  const byte = `0x${(bytes[start] as number).toString(16).padStart(2, '0')}`;
  return new UnicodeDecodeError(
    `Decoding output failed: byte ${byte} at ${start} is no ${encoding} text. Leave out text for buffers, or pass { errors: 'replace' }.`,
    { encoding, bytes, start },
  );
}

export function notEncodable(encoding: string, codePoint: number): UsageError {
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  return new UsageError(`Encoding input failed: ${encoding} has no place for ${name}.`);
}
