import type { CommandOutput as OutputText } from '../base/command-errors.js';
import { UsageError } from '../base/errors.js';
import { CompletedProcess } from './completed-process.js';
import { bothGiven, commandFailed, commandTooLong, notToBeGiven } from './failures.js';
import {
  type CallOptions,
  type Captured,
  type CheckOutputOptions,
  type Command,
  type GetOutputOptions,
  type Input,
  PIPE,
  type PopenOptions,
  type RunOptions,
  STDOUT,
  type TextOf,
} from './options.js';
import { Popen } from './popen.js';
import { checkedInput, readSettings, readSignal, readTimeout } from './settings.js';

/** What `run` gives: output is `string` in text mode, else `Buffer`, and `null` where it was not captured. */
export type Completed<O> = CompletedProcess<Captured<O, 'stdout'>, Captured<O, 'stderr'>>;

/** Options with the input that goes with their text mode. */
export type WithInput<O> = O & { readonly input?: Input<O> | null | undefined };

/**
 * Runs a command to its end: Python's `subprocess.run`.
 *
 * Sends `input`, reads what is captured, and waits until the command has ended and its captured output is closed, also by those
 * it has started. A `timeoutMs` or an aborted `signal` ends the command and all it has started (SIGKILL), and then waits for nobody else.
 * The call owns the command, so its `timeoutMs` ends not only the wait, as elsewhere in furca, but the command too.
 *
 * @param args - A program with its arguments; as a string the name of a program alone, or with `shell: true` a line for the shell.
 * @param options.input - What the command reads: a string in text mode, else bytes. Not together with `stdin`.
 * @param options.captureOutput - Captures stdout and stderr. Default `false`.
 * @param options.timeoutMs - Longest time for the command in milliseconds. Default `Infinity`.
 * @param options.signal - Aborting it kills the command; the promise rejects with its reason.
 * @param options.check - Rejects if the command ends with another code than 0. Default `false`.
 * @throws {@link TimeoutExpired} `ERR_FURCA_COMMAND_TIMEOUT`: the command was killed; the error holds its output so far, decoded.
 * @throws {@link CalledProcessError} `ERR_FURCA_COMMAND_FAILED`: with `check`.
 * @throws {@link CommandStartError} `ERR_FURCA_COMMAND_NOT_FOUND`, `ERR_FURCA_COMMAND_NOT_EXECUTABLE`, `ERR_FURCA_BAD_CWD`,
 * `ERR_FURCA_START_FAILED`.
 * @throws {@link UnicodeDecodeError} `ERR_FURCA_NOT_DECODABLE`: output is no text in the encoding.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`, `ERR_FURCA_INVALID_STATE`, `ERR_FURCA_UNSUPPORTED_RUNTIME`.
 *
 * @example
 * const done = await run(['sort'], { input: 'b\na\n', captureOutput: true, text: true });
 * done.stdout; // => 'a\nb\n'
 * done.returnCode; // => 0
 */
export async function run<const O extends RunOptions = object>(
  args: Command,
  options?: WithInput<O>,
): Promise<Completed<O>> {
  const given: RunOptions = options ?? {};
  const { popen: popenOptions, input } = splitRunOptions(given);
  const timeoutMs = readTimeout(given.timeoutMs);
  const signal = readSignal(given);
  const popen = new Popen<PopenOptions>(args, {
    ...popenOptions,
    trackTree: signal !== undefined || Number.isFinite(timeoutMs),
  });
  const [stdout, stderr] = await whole(popen, timeoutMs, signal, () =>
    popen.communicate(input, { timeoutMs, signal }),
  );
  const completed = new CompletedProcess<OutputText, OutputText>(
    popen.args,
    popen.returnCode as number,
    stdout,
    stderr,
  );
  if (given.check === true) completed.checkReturnCode();
  return completed as Completed<O>;
}

/** Waits for a command that this call owns; when the wait is given up, the command goes with it. */
async function whole<T>(
  popen: Popen<PopenOptions>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  wait: () => Promise<T>,
): Promise<T> {
  try {
    return await wait();
  } catch (error) {
    if (popen.returnCode !== null && !isGivenUp(error, signal)) throw error;
    const { isDead, output } = await popen.end();
    if (signal?.aborted && error === signal.reason) throw error;
    throw isGivenUp(error, signal) ? commandTooLong(popen.args, timeoutMs, output, isDead) : error;
  }
}

function isGivenUp(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted && error === signal.reason) return true;
  return error instanceof Error && 'code' in error && error.code === 'ERR_FURCA_TIMEOUT';
}

/** Tells what of the options of `run` is for the Popen, and what it reads. */
export function splitRunOptions(options: RunOptions): {
  readonly popen: PopenOptions;
  readonly input: string | Uint8Array | undefined;
} {
  const settings = readSettings(options);
  for (const name of ['captureOutput', 'check'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean')
      throw new UsageError(`Starting a command failed: ${name} must be true or false.`);
  }
  const { input, captureOutput, timeoutMs: _, signal: __, check: ___, ...popen } = options;
  const hasInput = input !== undefined && input !== null;
  if (hasInput && popen.stdin !== undefined && popen.stdin !== null)
    throw bothGiven('input', 'stdin', 'input makes stdin a pipe by itself.');
  if (captureOutput === true) {
    for (const name of ['stdout', 'stderr'] as const) {
      if (popen[name] !== undefined && popen[name] !== null)
        throw bothGiven('captureOutput', name, 'captureOutput makes stdout and stderr pipes by itself.');
    }
  }
  return {
    popen: {
      ...popen,
      ...(hasInput ? { stdin: PIPE } : {}),
      ...(captureOutput === true ? { stdout: PIPE, stderr: PIPE } : {}),
    },
    input: hasInput ? checkedInput(input, settings.text) : undefined,
  };
}

/**
 * Runs a command and resolves with its exit code; its streams are those of this program unless the options say otherwise.
 *
 * @param args - As for {@link run}.
 * @param options.timeoutMs - Longest time for the command in milliseconds; then it is killed. Default `Infinity`.
 * @throws as {@link run}, and {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT` for a `PIPE`: nobody would read or write it.
 *
 * @example
 * await call(['sh', '-c', 'exit 3']); // => 3
 */
export async function call(args: Command, options: CallOptions = {}): Promise<number> {
  refusePipes(options, 'call');
  const { timeoutMs: given, signal: _, ...popenOptions } = options;
  const timeoutMs = readTimeout(given);
  const signal = readSignal(options);
  const trackTree = signal !== undefined || Number.isFinite(timeoutMs);
  const popen = new Popen<PopenOptions>(args, { ...popenOptions, trackTree });
  return whole(popen, timeoutMs, signal, () => popen.wait({ timeoutMs, signal }));
}

/** A pipe of a call that only waits would fill, and stop the command. */
export function refusePipes(options: CallOptions, name: string): void {
  for (const stream of ['stdin', 'stdout', 'stderr'] as const) {
    if (options[stream] === PIPE)
      throw notToBeGiven(`${stream}: PIPE`, name, 'Nobody would serve it. Use run() or DEVNULL.');
  }
}

/**
 * Runs a command as {@link call} does and rejects unless it ends with code 0; resolves with 0.
 *
 * @throws as {@link call}, and {@link CalledProcessError} `ERR_FURCA_COMMAND_FAILED`.
 *
 * @example
 * await checkCall(['true']); // => 0
 */
export async function checkCall(args: Command, options: CallOptions = {}): Promise<0> {
  const returnCode = await call(args, options);
  if (returnCode !== 0) throw commandFailed(args as string | readonly string[], returnCode, null, null);
  return 0;
}

/**
 * Runs a command and resolves with what it writes to stdout; rejects unless it ends with code 0.
 *
 * @param args - As for {@link run}.
 * @param options - Those of {@link run} without `stdout`, `check` and `captureOutput`. `stderr: STDOUT` merges both. `input: null` is
 * an empty input.
 * @throws as {@link run}, and {@link CalledProcessError} `ERR_FURCA_COMMAND_FAILED`.
 *
 * @example
 * await checkOutput(['echo', 'hello'], { text: true }); // => 'hello\n'
 */
export async function checkOutput<const O extends CheckOutputOptions = object>(
  args: Command,
  options?: WithInput<O>,
): Promise<TextOf<O>> {
  const { stdout } = await run(args, checkOutputOptions(options ?? {}));
  return stdout as TextOf<O>;
}

/** The options of `run` that make it `checkOutput`. */
export function checkOutputOptions(options: CheckOutputOptions): RunOptions {
  for (const name of ['stdout', 'check', 'captureOutput'] as const) {
    if (name in options) throw notToBeGiven(name, 'checkOutput', 'It captures stdout and checks by itself.');
  }
  const isEmptyInput = options.input === null;
  return {
    ...options,
    ...(isEmptyInput ? { input: readSettings(options).text === null ? new Uint8Array() : '' } : {}),
    stdout: PIPE,
    check: true,
  };
}

/**
 * Runs a line of the shell and resolves with `[returnCode, output]`: stdout and stderr together as text, without one newline at the end.
 *
 * @throws as {@link run}; a line that fails is no error.
 *
 * @example
 * await getStatusOutput('echo hello; exit 3'); // => [3, 'hello']
 */
export async function getStatusOutput(
  line: string,
  options: GetOutputOptions = {},
): Promise<[returnCode: number, output: string]> {
  const { returnCode, stdout } = await run(line, getOutputOptions(options));
  return [returnCode, withoutNewline(stdout)];
}

/**
 * Runs a line of the shell and resolves with its output: stdout and stderr together as text, without one newline at the end.
 *
 * @throws as {@link run}; a line that fails is no error.
 *
 * @example
 * await getOutput('echo hello'); // => 'hello'
 */
export async function getOutput(line: string, options: GetOutputOptions = {}): Promise<string> {
  const [, output] = await getStatusOutput(line, options);
  return output;
}

/** The options of `run` behind `getOutput`. */
export function getOutputOptions<O extends GetOutputOptions>(
  options: O,
): O & { readonly shell: true; readonly text: true; readonly stdout: 'pipe'; readonly stderr: 'stdout' } {
  return { ...options, shell: true, text: true, stdout: PIPE, stderr: STDOUT };
}

/** Takes off one newline at the end. */
export function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
