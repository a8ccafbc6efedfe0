import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { glob, isDynamicPattern } from 'tinyglobby';
import { Mistake } from './mistake.js';

/** What the function is to be called with. */
export interface Inputs {
  readonly items: AsyncIterable<string>;
  /** How many there are; `null` where they come from a stream. */
  readonly total: number | null;
}

/** How the words on the command line are read. */
export interface InputOptions {
  readonly isGlobbing: boolean;
  /** A pattern may match nothing. */
  readonly mayBeEmpty: boolean;
  /** What ends an input on stdin. */
  readonly separator: '\n' | '\0';
}

/** The word that stands for the lines of stdin. */
const STDIN = '-';

/**
 * Makes inputs of the words on the command line: patterns become the files they match, `-` the lines of stdin, and so does no word at
 * all. Everything but stdin is read before this resolves.
 *
 * @throws {@link Mistake} a pattern matches nothing, or `-` is given twice.
 */
export async function gatherInputs(
  words: readonly string[],
  stdin: AsyncIterable<Buffer>,
  options: InputOptions,
): Promise<Inputs> {
  const given = words.length === 0 ? [STDIN] : words;
  const streams = given.filter((word) => word === STDIN).length;
  if (streams > 1) throw new Mistake("'-' (stdin) is given twice, and can be read only once");
  const parts: (readonly string[] | null)[] = [];
  for (const word of given) parts.push(word === STDIN ? null : await expand(word, options));
  const known = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
  return {
    items: chain(parts, () => splitStream(stdin, options.separator)),
    total: streams === 0 ? known : null,
  };
}

async function* chain(
  parts: readonly (readonly string[] | null)[],
  openStream: () => AsyncIterable<string>,
): AsyncIterable<string> {
  for (const part of parts) yield* part ?? openStream();
}

async function expand(word: string, options: InputOptions): Promise<readonly string[]> {
  if (!options.isGlobbing || !isPattern(word)) return [word];
  const files = await glob(word, { expandDirectories: false, absolute: isAbsolute(word) });
  if (files.length === 0 && !options.mayBeEmpty) {
    throw new Mistake(
      `no file matches '${word}': use --no-glob if it is no pattern, --allow-empty if this may happen`,
    );
  }
  return files.sort();
}

/** A file of this very name has been found by the shell; a URL's question mark is no pattern. */
function isPattern(word: string): boolean {
  if (!/[*?[{]|[@+]\(/.test(word) || /^[a-z][a-z\d+.-]*:\/\//i.test(word)) return false;
  return isDynamicPattern(word) && !existsSync(word);
}

/**
 * The texts that `separator` ends in a stream, as they arrive; the last one need not be ended. A carriage return before a line's
 * end goes with it.
 */
export async function* splitStream(
  stream: AsyncIterable<Buffer>,
  separator: '\n' | '\0',
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const bytes of stream) {
    const texts = (rest + decoder.write(bytes)).split(separator);
    rest = texts.pop() ?? '';
    for (const text of texts) yield withoutReturn(text, separator);
  }
  rest += decoder.end();
  if (rest !== '') yield withoutReturn(rest, separator);
}

function withoutReturn(text: string, separator: '\n' | '\0'): string {
  return separator === '\n' && text.endsWith('\r') ? text.slice(0, -1) : text;
}
