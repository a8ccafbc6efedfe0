import { UsageError } from '../base/errors.js';
import { checkedStartMethod } from './methods.js';
import type { StartMethod } from './start-request.js';

/** What a child's stream is connected to: the parent's own, /dev/null, a pipe to the parent, or an open descriptor. */
export type StdioChoice = 'inherit' | 'ignore' | 'pipe' | number;

/** Options of {@link Process} besides `target` and `args`. */
export interface ProcessSettings {
  /** Name for people. Default `Process-N`, after a member of a family `Process-N:M`. */
  readonly name?: string;
  /** A daemon ends with its parent, does not keep it alive and may not start processes. Default: as the parent. */
  readonly daemon?: boolean;
  /** Working directory. Default: the parent's. */
  readonly cwd?: string;
  /** The whole environment. Default: the parent's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input, output and error. Default `['ignore', 'inherit', 'inherit']`. */
  readonly stdio?: readonly [StdioChoice, StdioChoice, StdioChoice];
  /** With `fork`: open handles, such as a listening server, that the child is meant to have. Default none. */
  readonly inherit?: readonly object[];
  /** How to start it. Default {@link getStartMethod}. */
  readonly startMethod?: StartMethod;
}

/** Options of {@link Process}. */
export type ProcessOptions<Args extends readonly unknown[]> = ProcessSettings & {
  /** Runs in the child; the child ends when its promise settles. */
  readonly target?: (...args: Args) => unknown;
} & ([] extends Args ? { readonly args?: NoInfer<Args> } : { readonly args: NoInfer<Args> });

/**
 * Refuses options of the wrong kind.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function assertOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object');
  const { target, args, name, daemon, cwd, env, stdio, inherit, startMethod } = options as Record<
    string,
    unknown
  >;
  if (target !== undefined && typeof target !== 'function') throw invalid('target', 'a function');
  if (args !== undefined && !Array.isArray(args)) throw invalid('args', 'an array');
  if (name !== undefined && typeof name !== 'string') throw invalid('name', 'a string');
  if (daemon !== undefined && typeof daemon !== 'boolean') throw invalid('daemon', 'true or false');
  if (cwd !== undefined && typeof cwd !== 'string') throw invalid('cwd', 'a path');
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw invalid('env', 'an object of strings');
  if (inherit !== undefined && !Array.isArray(inherit)) throw invalid('inherit', 'an array of handles');
  if (startMethod !== undefined) checkedStartMethod(String(startMethod));
  if (stdio === undefined) return;
  const isChoice = (choice: unknown): boolean =>
    choice === 'inherit' ||
    choice === 'ignore' ||
    choice === 'pipe' ||
    (Number.isInteger(choice) && (choice as number) >= 0);
  if (!Array.isArray(stdio) || stdio.length !== 3 || !stdio.every(isChoice)) {
    throw invalid('stdio', "three of 'inherit', 'ignore', 'pipe' or a descriptor");
  }
}

function invalid(option: string, wanted: string): UsageError {
  return new UsageError(`Making a Process failed: ${option} must be ${wanted}.`);
}
