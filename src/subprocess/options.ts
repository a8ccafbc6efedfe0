import type { Readable, Writable } from 'node:stream';
import type { TextErrors } from './encodings.js';

/** Asks for a pipe between this program and the command. */
export const PIPE: 'pipe' = 'pipe';
/** As `stderr`: goes where stdout goes. */
export const STDOUT: 'stdout' = 'stdout';
/** Connects a stream with `/dev/null`. */
export const DEVNULL: 'devnull' = 'devnull';

/** Something with an open descriptor: a number, a `FileHandle`, an open file stream, a stream of a {@link Popen}, a socket. */
export type DescriptorSource = number | { readonly fd: number } | Readable | Writable;

/** Where a stream of a command leads; nothing, or `null`, is where this program's own leads. */
export type StreamTarget = typeof PIPE | typeof DEVNULL | DescriptorSource | null | undefined;

/** A program with its arguments; or, as a string, the name of a program alone, and with `shell: true` a line for the shell. */
export type Command = string | readonly (string | URL)[];

/** How a command is started. */
export interface CommandOptions {
  /** Program to run, while the command's first word is what it finds as its own name; with `shell`, another shell. */
  readonly executable?: string | URL | undefined;
  readonly stdin?: StreamTarget;
  readonly stdout?: StreamTarget;
  readonly stderr?: StreamTarget | typeof STDOUT;
  /** Working directory; a relative program is looked for in it. Default: this program's. */
  readonly cwd?: string | URL | undefined;
  /** The whole environment. Default: this program's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Gives the command to `/bin/sh -c`. Default `false`. */
  readonly shell?: boolean | undefined;
  /** Streams are text: input and output are strings, and `\r\n` and `\r` are read as `\n`. Default `false`: buffers. */
  readonly text?: boolean | undefined;
  /** Encoding of the text, which it asks for too: utf-8, utf-16 and utf-32 (-le, -be), latin-1, ascii. Default `'utf-8'`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that are no text; asks for text too. Default `'strict'`: `ERR_FURCA_NOT_DECODABLE`. */
  readonly errors?: TextErrors | undefined;
  /** Starts the command in a session of its own (setsid(2)): Ctrl-C in the terminal does not reach it. Default `false`. */
  readonly startNewSession?: boolean | undefined;
  /** `0` starts the command in a process group of its own, and so in a session of its own: Node can make one only with the other. */
  readonly processGroup?: 0 | undefined;
  /** Permission bits that files the command makes shall lack, such as `0o077`; on the main thread only. */
  readonly umask?: number | undefined;
  /** User id to run as, for who may (setuid(2)). */
  readonly user?: number | undefined;
  /** Group id to run as, for who may (setgid(2)). */
  readonly group?: number | undefined;
  /** How much each `PIPE` holds before the writer waits, in bytes; more needs fewer turns for a lot of output. Default: the system's, 64 KiB. */
  readonly pipeSizeBytes?: number | undefined;
  /** Descriptors, 3 and up, that the command has open under the same numbers. Default: none. */
  readonly passFds?: readonly number[] | undefined;
}

export interface PopenOptions extends CommandOptions {
  /** Aborting it kills the command and all it has started. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Puts a mark (`FURCA_SUBPROCESS`) into the command's environment, by which `killTree()` also finds descendants whose parents
   * are gone. Default: `true` with `signal`, else `false`.
   */
  readonly trackTree?: boolean | undefined;
}

/** What a command reads: text in text mode, else bytes. */
export type Input<O> = [TextOf<O>] extends [string]
  ? string
  : [TextOf<O>] extends [Buffer]
    ? Uint8Array
    : string | Uint8Array;

export interface CallOptions extends CommandOptions {
  /**
   * Longest time for the command in milliseconds; then it is killed (SIGKILL) with all it has started. `0` leaves it no time. Default
   * `Infinity`.
   */
  readonly timeoutMs?: number | undefined;
  /** Aborting it kills the command with all it has started; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunOptions extends CallOptions {
  /** What the command reads from its stdin: a string in text mode, else bytes. Not together with `stdin`. */
  readonly input?: string | Uint8Array | null | undefined;
  /** Captures stdout and stderr. Not together with `stdout` or `stderr`. Default `false`. */
  readonly captureOutput?: boolean | undefined;
  /** Rejects with {@link CalledProcessError} if the command ends with another code than 0. Default `false`. */
  readonly check?: boolean | undefined;
}

/** Of the blocking forms: nothing could fire a signal meanwhile. */
export type RunSyncOptions = Omit<RunOptions, 'signal'>;
export type CallSyncOptions = Omit<CallOptions, 'signal'>;
/** `checkOutput` captures stdout and checks by itself. */
export type CheckOutputOptions = Omit<RunOptions, 'stdout' | 'check' | 'captureOutput'>;
export type CheckOutputSyncOptions = Omit<CheckOutputOptions, 'signal'>;
/** `getOutput` and `getStatusOutput` run a line of the shell in text mode. */
export type GetOutputOptions = Pick<
  CallOptions,
  'cwd' | 'env' | 'encoding' | 'errors' | 'timeoutMs' | 'signal'
>;
export type GetOutputSyncOptions = Omit<GetOutputOptions, 'signal'>;

type Given<O, K extends string> = K extends keyof O ? O[K] : undefined;

/** What output is in: `string` in text mode, else `Buffer`; both where the options do not tell. */
export type TextOf<O> =
  Given<O, 'encoding'> extends string
    ? string
    : Given<O, 'errors'> extends string
      ? string
      : Given<O, 'text'> extends true
        ? string
        : [Given<O, 'encoding'>, Given<O, 'errors'>, Given<O, 'text'>] extends [
              undefined,
              undefined,
              false | undefined,
            ]
          ? Buffer
          : string | Buffer;

/** `T` where the stream is a pipe, `null` where it is not, either where the options do not tell. */
export type IfPiped<O, Name extends 'stdin' | 'stdout' | 'stderr', T> =
  Given<O, Name> extends typeof PIPE
    ? T
    : Extract<Given<O, Name>, typeof PIPE> extends never
      ? null
      : T | null;

/** What is captured of a stream by `run`. */
export type Captured<O, Name extends 'stdout' | 'stderr'> =
  Given<O, 'captureOutput'> extends true
    ? TextOf<O>
    : Given<O, 'captureOutput'> extends false | undefined
      ? IfPiped<O, Name, TextOf<O>>
      : TextOf<O> | null;
