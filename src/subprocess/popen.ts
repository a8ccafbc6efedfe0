import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { SystemCallError } from '../base/errors.js';
import { closeDescriptor, waitReadable } from '../kernel/descriptor.js';
import { assertSupported } from '../kernel/library.js';
import { awaitChild, lookAtChild, openProcessDescriptor } from '../kernel/reaping.js';
import type { CommandInput } from './command-input.js';
import { type CommandLine, readCommand } from './command-line.js';
import type { CommandOutput } from './command-output.js';
import { Communication, type Output } from './communication.js';
import { badOption, inputTwice, inputWithoutPipe, waitTooLong } from './failures.js';
import { launch } from './launch.js';
import type { Command, IfPiped, Input, PopenOptions, TextOf } from './options.js';
import { killTree, type Mark, newMark, withMark } from './process-tree.js';
import { checkedInput, readSettings, readSignal, readTimeout, type Settings } from './settings.js';
import { openStdio, planStdio, type Stdio } from './stdio.js';
import { waitFor } from './waiting.js';

/** How long a killed command may take to go. */
const DYING_MS = 5000;

/** How long to wait, and until what. */
export interface CommandWaitOptions {
  /** Longest wait in milliseconds; the command goes on. `0` only looks. Default `Infinity`. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it ends the wait; the command goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** What `communicate` gives: stdout and stderr, each `null` unless it is a pipe. */
export type Communicated<O> = [
  stdout: IfPiped<O, 'stdout', TextOf<O>>,
  stderr: IfPiped<O, 'stderr', TextOf<O>>,
];

/**
 * A command that runs: Python's `subprocess.Popen`.
 *
 * It runs from the constructor on; nothing waits for that. Its pipes hold what it writes until it is read, also when it has ended.
 *
 * @example
 * const p = new Popen(['tr', 'a-z', 'A-Z'], { stdin: PIPE, stdout: PIPE, text: true });
 * const [output] = await p.communicate('hello, kel');
 * output; // => 'HELLO, KEL'
 * p.returnCode; // => 0
 */
export class Popen<const O extends PopenOptions = object> implements AsyncDisposable {
  /** The command as it was given. */
  readonly args: string | readonly string[];
  readonly pid: number;
  /** Writes to the command, where `stdin` is `PIPE`. */
  readonly stdin: IfPiped<O, 'stdin', CommandInput>;
  /** Reads what the command writes, where `stdout` is `PIPE`. */
  readonly stdout: IfPiped<O, 'stdout', CommandOutput>;
  /** Reads what the command writes to its error output, where `stderr` is `PIPE`. */
  readonly stderr: IfPiped<O, 'stderr', CommandOutput>;

  readonly #child: ChildProcess;
  readonly #stdio: Stdio;
  readonly #settings: Settings;
  readonly #mark: Mark | undefined;
  readonly #ended: Promise<number>;
  #returnCode: number | null = null;
  #isReaped = false;
  #communication: Communication | undefined;
  #communicating = 0;

  /**
   * Starts a command.
   *
   * @param args - A program with its arguments; as a string the name of a program alone, or with `shell: true` a line for the shell.
   * @param options - See {@link PopenOptions}. A stream of another Popen that is handed over as `stdin` or `stdout` is closed here: when
   * this command ends, the other one notices (SIGPIPE).
   * @throws {@link CommandStartError} `ERR_FURCA_COMMAND_NOT_FOUND`, `ERR_FURCA_COMMAND_NOT_EXECUTABLE`, `ERR_FURCA_BAD_CWD`;
   * `ERR_FURCA_START_FAILED`: the system refuses.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; `ERR_FURCA_INVALID_STATE`: a stream that is handed over is in use here.
   * `ERR_FURCA_UNSUPPORTED_RUNTIME`. In every case no process and no descriptor is left.
   */
  constructor(args: Command, options?: O) {
    assertSupported();
    const given: PopenOptions = options ?? {};
    const settings = readSettings(given);
    const line = readCommand(args, given.shell === true, given.executable);
    const signal = readSignal(given);
    const mark = (given.trackTree ?? signal !== undefined) ? newMark() : undefined;
    const { stdio, child, pid } = start(line, settings, given, mark);
    this.args = line.given;
    this.pid = pid;
    this.stdin = stdio.stdin as typeof this.stdin;
    this.stdout = stdio.stdout as typeof this.stdout;
    this.stderr = stdio.stderr as typeof this.stderr;
    this.#child = child;
    this.#stdio = stdio;
    this.#settings = settings;
    this.#mark = mark;
    this.#ended = this.#watch(child, signal);
  }

  /** Exit code, `-N` when signal N ended it, `null` while it runs. */
  get returnCode(): number | null {
    return this.#returnCode;
  }

  /** Looks whether the command has ended: its code, or `null` while it runs. Never waits. */
  poll(): number | null {
    if (this.#returnCode === null) this.#returnCode = lookAtChild(this.pid) ?? null;
    return this.#returnCode;
  }

  /**
   * Resolves with the exit code once the command has ended. A command whose pipe is full waits to be read: use `communicate()` with pipes.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; the command goes on. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @throws {@link TimeoutExpired} `ERR_FURCA_TIMEOUT`.
   */
  async wait(options: CommandWaitOptions = {}): Promise<number> {
    const timeoutMs = readTimeout(options.timeoutMs);
    const signal = readSignal(options);
    // The system may know by now what the event loop has not been told yet.
    if (this.poll() !== null) return this.#ended;
    return waitFor(this.#ended, { timeoutMs, signal }, () => this.#late(timeoutMs, [null, null]));
  }

  /**
   * Blocks this thread until the command has ended, and answers its exit code. The event loop stands still meanwhile: nobody reads
   * the command's pipes.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @throws {@link TimeoutExpired} `ERR_FURCA_TIMEOUT`.
   */
  waitSync(options: { readonly timeoutMs?: number | undefined } = {}): number {
    const timeoutMs = readTimeout(options.timeoutMs);
    const known = this.poll();
    if (known !== null) return known;
    if (timeoutMs === Number.POSITIVE_INFINITY) this.#returnCode = awaitChild(this.pid) ?? null;
    else this.#awaitFor(timeoutMs);
    const code = this.poll();
    if (code === null) throw waitTooLong(this.args, timeoutMs, [null, null]);
    return code;
  }

  /**
   * Sends `input` and then the end of input, reads all output, and waits for the end of the command.
   *
   * When the wait is given up nothing is lost: call it again, without input, to go on. A command that reads only a part of its
   * input is no failure.
   *
   * @param input - A string in text mode, else bytes; `stdin` must be `PIPE`.
   * @param options.timeoutMs - Longest wait in milliseconds; the command goes on. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @returns `[stdout, stderr]`, each `null` unless it is a pipe.
   * @throws {@link TimeoutExpired} `ERR_FURCA_TIMEOUT`; it holds the output so far.
   * @throws {@link UnicodeDecodeError} `ERR_FURCA_NOT_DECODABLE`: output is no text in the encoding.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: input at a second call, or without a pipe for it.
   *
   * @example
   * const p = new Popen('echo out; echo err >&2', { shell: true, stdout: PIPE, stderr: PIPE, text: true });
   * await p.communicate(); // => ['out\n', 'err\n']
   */
  async communicate(input?: Input<O> | null, options: CommandWaitOptions = {}): Promise<Communicated<O>> {
    const timeoutMs = readTimeout(options.timeoutMs);
    const signal = readSignal(options);
    const communication = this.#communicate(input);
    if (this.#communicating++ === 0) communication.setPaused(false);
    try {
      await waitFor(communication.over, { timeoutMs, signal }, () =>
        this.#late(timeoutMs, communication.soFar(), true),
      );
      return [...communication.whole()] as Communicated<O>;
    } finally {
      if (--this.#communicating === 0) communication.setPaused(true);
    }
  }

  /**
   * Sends a signal. Does nothing once the command has ended.
   *
   * @param signal - Its name or number.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: there is no such signal.
   * @throws {@link SystemCallError} `ERR_FURCA_SYSTEM_CALL`: the command belongs to another user by now (`EPERM`).
   */
  sendSignal(signal: NodeJS.Signals | number): void {
    const numbers: Readonly<Record<string, number>> = constants.signals;
    const number = typeof signal === 'number' ? signal : numbers[signal];
    if (number === undefined || !Number.isInteger(number) || number < 0 || number > 64)
      throw badOption('signal', `the name or number of a signal, not ${String(signal)}`);
    // While it is not reaped, its pid is nobody else's.
    if (this.poll() === null) this.#send(number);
  }

  /** Asks the command to end (SIGTERM). Does nothing once it has ended. */
  terminate(): void {
    this.sendSignal('SIGTERM');
  }

  /** Ends the command at once (SIGKILL); what it has started goes on. Does nothing once it has ended. */
  kill(): void {
    this.sendSignal('SIGKILL');
  }

  /**
   * Ends the command and all it has started, at once (SIGKILL): its descendants, the members of its session where it leads one, and with
   * `trackTree` also descendants whose parents are gone.
   */
  killTree(): void {
    this.#killTree();
  }

  /** Closes this side of the pipes; the command goes on, and may notice. May be called twice. */
  close(): void {
    this.#stdio.closeOurs();
  }

  /** Closes stdout and stderr, ends stdin, and waits for the end of the command, as Python's `with` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stdin, stdout, stderr } = this.#stdio;
    stdout?.destroy();
    stderr?.destroy();
    stdin?.on('error', () => {}).end();
    await this.#ended;
    stdin?.destroy();
  }

  /** Lets the program end although the command runs. */
  unref(): void {
    this.#setReferenced(false);
  }

  /** Takes `unref()` back. */
  ref(): void {
    this.#setReferenced(true);
  }

  /**
   * Kills the whole tree, waits for the command itself, and takes what is left in its pipes: what `run` does when time is up.
   *
   * A command that cannot be killed, or is caught in the kernel, is not waited for: nobody would know until when.
   *
   * @internal
   */
  async end(): Promise<{ readonly isDead: boolean; readonly output: Output }> {
    const isDead = this.#killTree() && (await this.#endsWithin(DYING_MS));
    if (!isDead) this.unref();
    const communication = this.#communication;
    communication?.drain();
    if (communication === undefined) this.close();
    return { isDead, output: communication?.soFar() ?? [null, null] };
  }

  #send(signal: number): void {
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      const { errno = 0, code = 'EPERM' } = error as NodeJS.ErrnoException;
      throw new SystemCallError('kill', -errno, code, `pid ${this.pid}`);
    }
  }

  #killTree(): boolean {
    return killTree({
      rootPid: this.#isReaped ? undefined : this.pid,
      groupId: this.#settings.isLeader ? this.pid : undefined,
      mark: this.#mark,
    });
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const ended = this.#ended.then(() => true);
    return Promise.race([ended, late]).finally(() => clearTimeout(timer));
  }

  #communicate(input: unknown): Communication {
    const isInput = input !== undefined && input !== null;
    const checked = isInput ? checkedInput(input, this.#settings.text) : undefined;
    if (this.#communication !== undefined) {
      if (isInput) throw inputTwice();
      return this.#communication;
    }
    if (isInput && this.#stdio.stdin === null) throw inputWithoutPipe();
    this.#communication = new Communication(this.#stdio, checked, this.#ended);
    return this.#communication;
  }

  /** The error of a wait without success; none when the command has just ended and that is all there is to wait for. */
  #late(timeoutMs: number, output: Output, isOutputAwaited: boolean = false): Error | undefined {
    if (!isOutputAwaited && this.poll() !== null) return undefined;
    return waitTooLong(this.args, timeoutMs, output);
  }

  #awaitFor(timeoutMs: number): void {
    const pidfd = openProcessDescriptor(this.pid);
    if (pidfd === -1) return;
    waitReadable(pidfd, Math.min(Math.ceil(timeoutMs), 0x7fff_ffff));
    closeDescriptor(pidfd);
  }

  #watch(child: ChildProcess, signal: AbortSignal | undefined): Promise<number> {
    const onAbort = (): void => this.killTree();
    signal?.addEventListener('abort', onAbort, { once: true });
    return new Promise((resolve) => {
      child.once('exit', (code, name) => {
        signal?.removeEventListener('abort', onAbort);
        this.#isReaped = true;
        this.#returnCode ??= code ?? -(name === null ? 0 : constants.signals[name]);
        resolve(this.#returnCode);
      });
    });
  }

  #setReferenced(isReferenced: boolean): void {
    if (isReferenced) this.#child.ref();
    else this.#child.unref();
    const { stdin, stdout, stderr } = this.#stdio;
    for (const stream of [stdin, stdout, stderr]) stream?.setReferenced(isReferenced);
  }
}

/** Opens the pipes, starts the program, and closes here what is the command's. */
function start(
  line: CommandLine,
  settings: Settings,
  options: PopenOptions,
  mark: Mark | undefined,
): { readonly stdio: Stdio; readonly child: ChildProcess; readonly pid: number } {
  const plan = planStdio(options);
  const stdio = openStdio(plan, settings);
  const env = mark === undefined ? settings.env : withMark(settings.env, mark);
  try {
    const { child, pid } = launch(line, { ...settings, env }, stdio.slots);
    for (const stream of plan.handed) stream.destroy();
    return { stdio, child, pid };
  } catch (error) {
    stdio.closeOurs();
    throw error;
  } finally {
    stdio.closeTheirs();
  }
}
