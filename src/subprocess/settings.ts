import { isMainThread } from 'node:worker_threads';
import { checkedWord } from './command-line.js';
import { TEXT_ERRORS } from './encodings.js';
import { badCwd, badOption } from './failures.js';
import type { CommandOptions, PopenOptions } from './options.js';
import { assertEncodable, type TextSettings, textSettings } from './text.js';

const LARGEST_ID = 0xffff_fffe;

/** Options of a command, checked and with their defaults. */
export interface Settings {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly text: TextSettings | null;
  /** Whether the command leads a session, and so a process group, of its own. */
  readonly isLeader: boolean;
  readonly umask: number | undefined;
  readonly user: number | undefined;
  readonly group: number | undefined;
  readonly passFds: readonly number[];
  readonly pipeSizeBytes: number | undefined;
}

/**
 * Checks the options that do not concern streams.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function readSettings(options: CommandOptions): Settings {
  if (typeof options !== 'object' || options === null) throw badOption('options', 'an object');
  for (const name of ['shell', 'text', 'startNewSession'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw badOption(name, 'true or false');
  }
  const { processGroup, umask, user, group, passFds = [], pipeSizeBytes } = options;
  if (processGroup !== undefined && processGroup !== 0)
    throw badOption('processGroup', '0, for a group of its own');
  if (umask !== undefined && !isWithin(umask, 0o777)) throw badOption('umask', 'from 0 to 0o777');
  if (umask !== undefined && !isMainThread) throw badOption('umask', 'left out of a worker thread');
  if (user !== undefined && !isWithin(user, LARGEST_ID)) throw badOption('user', 'a user id');
  if (group !== undefined && !isWithin(group, LARGEST_ID)) throw badOption('group', 'a group id');
  if (!Array.isArray(passFds) || !passFds.every((fd) => isWithin(fd, 0x7fff_ffff) && fd >= 3)) {
    throw badOption('passFds', 'a list of descriptors from 3');
  }
  if (pipeSizeBytes !== undefined && (!isWithin(pipeSizeBytes, 0x7fff_ffff) || pipeSizeBytes === 0))
    throw badOption('pipeSizeBytes', 'a number of bytes, at least 1');
  // Node takes an empty one for none.
  if (options.cwd === '') throw badCwd('', 'ENOENT');
  return {
    cwd: options.cwd === undefined ? undefined : checkedWord('cwd', options.cwd),
    env: readEnvironment(options.env),
    text: readText(options),
    isLeader: options.startNewSession === true || processGroup === 0,
    umask,
    user,
    group,
    passFds,
    pipeSizeBytes,
  };
}

function isWithin(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function readEnvironment(env: CommandOptions['env'] = process.env): Readonly<Record<string, string>> {
  if (typeof env !== 'object' || env === null) throw badOption('env', 'an object of strings');
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (name === '' || name.includes('=')) throw badOption('env', `made of names without '=', not '${name}'`);
    read[checkedWord('a name of env', name)] = checkedWord(`env.${name}`, value);
  }
  return read;
}

function readText({ text, encoding, errors }: CommandOptions): TextSettings | null {
  if (encoding !== undefined && typeof encoding !== 'string') throw badOption('encoding', 'a name');
  if (errors !== undefined && !TEXT_ERRORS.includes(errors))
    throw badOption('errors', `one of ${TEXT_ERRORS.join(', ')}`);
  return text === true || encoding !== undefined || errors !== undefined
    ? textSettings(encoding, errors)
    : null;
}

/** A `timeoutMs` that was given, or none. */
export function readTimeout(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs) || timeoutMs < 0) {
    throw badOption('timeoutMs', 'a number of milliseconds, at least 0');
  }
  return timeoutMs;
}

/** A `signal` that was given; throws its reason when it is aborted already. */
export function readSignal({ signal }: Pick<PopenOptions, 'signal'>): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw badOption('signal', 'an AbortSignal');
  signal?.throwIfAborted();
  return signal;
}

/**
 * Checks what a command is to read, before anything is started.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: text for a command that reads bytes, or the other way round, or text that the
 * encoding has no place for.
 */
export function checkedInput(input: unknown, text: TextSettings | null): string | Uint8Array {
  if (text === null) {
    if (!(input instanceof Uint8Array)) throw badOption('input', 'bytes; for a string pass text: true');
    return input;
  }
  if (typeof input !== 'string') throw badOption('input', 'a string in text mode');
  assertEncodable(input, text);
  return input;
}
