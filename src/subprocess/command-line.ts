import { fileURLToPath } from 'node:url';
import { UsageError } from '../base/errors.js';
import { badOption } from './failures.js';
import type { Command } from './options.js';

const SHELL = '/bin/sh';

/** What is executed. */
export interface CommandLine {
  /** Program to execute, as the caller names it. */
  readonly file: string;
  /** All words, the program's own name for itself first. */
  readonly words: readonly string[];
  /** The command as it was given, for those who ask. */
  readonly given: string | readonly string[];
}

/**
 * Reads a command as Python does: a list is a program with its arguments, a string the name of a program alone. For a shell the first
 * word is the line it runs, and the others are its `$0`, `$1` and so on.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: it is empty, or has words that no program can be given.
 */
export function readCommand(
  args: Command,
  isForShell: boolean,
  executable: string | URL | undefined,
): CommandLine {
  const list: readonly unknown[] = typeof args === 'string' ? [args] : args;
  if (!Array.isArray(list)) throw badOption('the command', 'a string, or a list of strings');
  if (list.length === 0) throw badOption('the command', 'at least one word, the program: the list is empty');
  const words = list.map((word, at) => checkedWord(`word ${at} of the command`, word));
  const given = typeof args === 'string' ? args : Object.freeze(words);
  const replaced = executable === undefined ? undefined : checkedWord('executable', executable);
  if (isForShell) {
    const shell = replaced ?? SHELL;
    return { file: shell, words: [shell, '-c', ...words], given };
  }
  const file = replaced ?? (words[0] as string);
  if (file === '') throw badOption('the program', 'a name or a path: it is empty');
  return { file, words, given };
}

/** A word that can be handed to exec, which knows no NUL. */
export function checkedWord(name: string, word: unknown): string {
  const text = word instanceof URL ? pathOf(name, word) : word;
  if (typeof text !== 'string') throw badOption(name, 'a string or a file: URL');
  if (text.includes('\0')) throw badOption(name, 'free of NUL characters');
  return text;
}

function pathOf(name: string, url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new UsageError(
      `Starting a command failed: ${name} must be a file: URL, not ${url.href}.`,
      undefined,
      {
        cause,
      },
    );
  }
}
