import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { fstatSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import type { CommandOutput } from '../base/command-errors.js';
import { closeDescriptor } from '../kernel/descriptor.js';
import { assertSupported } from '../kernel/library.js';
import { createMemoryFile } from '../kernel/memory.js';
import { type CommandLine, readCommand } from './command-line.js';
import { CompletedProcess } from './completed-process.js';
import { commandFailed, commandTooLong } from './failures.js';
import { spawnOptions, withUmask } from './launch.js';
import {
  type CallSyncOptions,
  type CheckOutputSyncOptions,
  type Command,
  type GetOutputSyncOptions,
  PIPE,
  type RunSyncOptions,
  STDOUT,
  type TextOf,
} from './options.js';
import { killTree, newMark, withMark } from './process-tree.js';
import {
  type Completed,
  checkOutputOptions,
  getOutputOptions,
  refusePipes,
  splitRunOptions,
  type WithInput,
  withoutNewline,
} from './run.js';
import { readSettings, readTimeout, type Settings } from './settings.js';
import { explainFailure } from './start-failure.js';
import { type Plan, planStdio, type Slot } from './stdio.js';
import { encodeText, TextDecoding } from './text.js';

/** Node takes no timer longer than this, and 0 for none. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/**
 * Runs a command to its end and blocks this thread meanwhile: {@link run}, without `signal`.
 *
 * Differs in what Node's blocking form offers: captured streams are sockets instead of pipes, so the command cannot open
 * `/dev/stdout` anew; with `stderr: STDOUT` captured output is a file in memory, and what somebody writes after the command's end is lost.
 *
 * @param args - As for {@link run}.
 * @param options - As for {@link run}.
 * @throws as {@link run}.
 *
 * @example
 * runSync(['cat'], { input: Buffer.from('abc'), captureOutput: true }).stdout; // => Buffer.from('abc')
 */
export function runSync<const O extends RunSyncOptions = object>(
  args: Command,
  options?: WithInput<O>,
): Completed<O> {
  assertSupported();
  const given: RunSyncOptions = options ?? {};
  const { popen, input } = splitRunOptions(given);
  const settings = readSettings(popen);
  const line = readCommand(args, popen.shell === true, popen.executable);
  const timeoutMs = readTimeout(given.timeoutMs);
  const bytes =
    typeof input === 'string' && settings.text !== null ? encodeText(input, settings.text) : input;
  const ended = block(line, settings, planStdio(popen), timeoutMs, bytes as Uint8Array | undefined);
  if (ended.isLate) {
    const output = [soFar(settings, ended.stdout), soFar(settings, ended.stderr)] as const;
    throw commandTooLong(line.given, timeoutMs, output, true);
  }
  const completed = new CompletedProcess<CommandOutput, CommandOutput>(
    line.given,
    ended.returnCode,
    whole(settings, ended.stdout),
    whole(settings, ended.stderr),
  );
  if (given.check === true) completed.checkReturnCode();
  return completed as Completed<O>;
}

interface Ended {
  readonly returnCode: number;
  readonly isLate: boolean;
  readonly stdout: Buffer | null;
  readonly stderr: Buffer | null;
}

function block(
  line: CommandLine,
  settings: Settings,
  { plans, handed }: ReturnType<typeof planStdio>,
  timeoutMs: number,
  input: Uint8Array | undefined,
): Ended {
  const isTimed = Number.isFinite(timeoutMs);
  const mark = isTimed ? newMark() : undefined;
  const env = mark === undefined ? settings.env : withMark(settings.env, mark);
  const merged = plans[1] === PIPE && plans[2] === STDOUT ? createMemoryFile('furca-output', 0) : undefined;
  try {
    const slots = slotsFor(plans, merged, settings.passFds);
    const done = withUmask(settings.umask, () =>
      spawnSync(line.file, line.words.slice(1), {
        ...spawnOptions(line, { ...settings, env }, slots),
        ...(input === undefined ? {} : { input }),
        ...(isTimed
          ? { timeout: Math.min(Math.max(1, Math.ceil(timeoutMs)), LONGEST_TIMER_MS), killSignal: 'SIGKILL' }
          : {}),
        maxBuffer: Number.POSITIVE_INFINITY,
      }),
    );
    const isLate = assertStarted(done, line, settings);
    for (const stream of handed) stream.destroy();
    if (isLate) {
      // Node has ended and reaped the command itself; whoever is left of its tree goes by group and mark.
      killTree({ rootPid: undefined, groupId: settings.isLeader ? done.pid : undefined, mark });
    }
    return {
      returnCode: done.status ?? -constants.signals[done.signal ?? 'SIGKILL'],
      isLate,
      stdout: merged === undefined ? captured(done, plans, 1) : readAll(merged),
      stderr: captured(done, plans, 2),
    };
  } finally {
    if (merged !== undefined) closeDescriptor(merged);
  }
}

function slotsFor(plans: readonly Plan[], merged: number | undefined, passFds: readonly number[]): Slot[] {
  const slots = plans.map((plan, at): Slot => {
    if (merged !== undefined && at > 0) return merged;
    return plan === STDOUT ? (plans[1] as Slot) : plan;
  });
  for (const fd of passFds) {
    while (slots.length < fd) slots.push('ignore');
    slots[fd] = fd;
  }
  return slots;
}

/** Tells whether the command was ended for want of time. */
function assertStarted(
  done: SpawnSyncReturns<Buffer | string>,
  line: CommandLine,
  settings: Settings,
): boolean {
  if (done.error === undefined) return false;
  const { code } = done.error as NodeJS.ErrnoException;
  if (code === 'ETIMEDOUT') return true;
  throw explainFailure(line.file, settings, code, done.error);
}

function captured(
  done: SpawnSyncReturns<Buffer | string>,
  plans: readonly Plan[],
  at: number,
): Buffer | null {
  return plans[at] === PIPE ? ((done.output?.[at] as Buffer | null | undefined) ?? Buffer.alloc(0)) : null;
}

function readAll(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, at);
    if (count === 0) break;
    at += count;
  }
  return bytes;
}

function whole({ text }: Settings, bytes: Buffer | null): CommandOutput {
  return bytes === null || text === null ? bytes : new TextDecoding(text).end(bytes);
}

function soFar({ text }: Settings, bytes: Buffer | null): CommandOutput {
  return bytes === null || text === null ? bytes : new TextDecoding(text).preview(bytes);
}

/**
 * Runs a command, blocks this thread until it has ended, and answers its exit code: {@link call}, without `signal`.
 *
 * @throws as {@link call}.
 *
 * @example
 * callSync('exit 3', { shell: true }); // => 3
 */
export function callSync(args: Command, options: CallSyncOptions = {}): number {
  refusePipes(options, 'callSync');
  return runSync(args, options).returnCode;
}

/**
 * Runs a command as {@link callSync} does, and throws unless it ends with code 0.
 *
 * @throws as {@link checkCall}.
 *
 * @example
 * checkCallSync(['true']); // => 0
 */
export function checkCallSync(args: Command, options: CallSyncOptions = {}): 0 {
  const returnCode = callSync(args, options);
  if (returnCode !== 0) throw commandFailed(args as string | readonly string[], returnCode, null, null);
  return 0;
}

/**
 * Runs a command, blocks this thread until it has ended, and answers what it has written to stdout: {@link checkOutput}.
 *
 * @throws as {@link checkOutput}.
 *
 * @example
 * checkOutputSync(['echo', 'hello'], { text: true }); // => 'hello\n'
 */
export function checkOutputSync<const O extends CheckOutputSyncOptions = object>(
  args: Command,
  options?: WithInput<O>,
): TextOf<O> {
  return runSync(args, checkOutputOptions(options ?? {}) as RunSyncOptions).stdout as TextOf<O>;
}

/**
 * Runs a line of the shell and blocks this thread meanwhile: {@link getStatusOutput}.
 *
 * @throws as {@link getStatusOutput}.
 *
 * @example
 * getStatusOutputSync('echo hello; exit 3'); // => [3, 'hello']
 */
export function getStatusOutputSync(
  line: string,
  options: GetOutputSyncOptions = {},
): [returnCode: number, output: string] {
  const { returnCode, stdout } = runSync(line, getOutputOptions(options));
  return [returnCode, withoutNewline(stdout)];
}

/**
 * Runs a line of the shell and blocks this thread meanwhile: {@link getOutput}.
 *
 * @throws as {@link getOutput}.
 *
 * @example
 * getOutputSync('echo hello'); // => 'hello'
 */
export function getOutputSync(line: string, options: GetOutputSyncOptions = {}): string {
  return getStatusOutputSync(line, options)[1];
}
