import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { type Node, type Options, parse } from 'acorn';
import { countTree, type TreeFacts } from './count-tree.js';

/** What one file holds. */
export interface FileFacts {
  /** The process that looked, for how long, and how much of that on a CPU. */
  readonly pid: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly path: string;
  readonly bytes: number;
  /** What a web server would send: compressed by brotli as well as it can. */
  readonly bytesSent: number;
  readonly lines: number;
  /** `null` where the file is no JavaScript that acorn understands. */
  readonly tree: TreeFacts | null;
}

const COMMON: Options = { ecmaVersion: 'latest', locations: true, allowHashBang: true };

/**
 * The task of this demo: an ordinary function of an ordinary module, with imports of its own. The pool sends its
 * workers nothing but where to find it.
 */
export function parseFile(path: string): FileFacts {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const content = readFileSync(path);
  const text = content.toString();
  const syntax = parseEitherWay(text);
  const tree = syntax === null ? null : countTree(syntax);
  const options = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } };
  const bytesSent = brotliCompressSync(content, options).length;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    path,
    bytes: content.length,
    bytesSent,
    lines: text.split('\n').length,
    tree,
    pid: process.pid,
    elapsedMs: performance.now() - began,
    cpuMs: (cpu.user + cpu.system) / 1000,
  };
}

/** As a module, else as a script: the name of a file does not say which it is. */
function parseEitherWay(text: string): Node | null {
  for (const sourceType of ['module', 'script'] as const) {
    try {
      return parse(text, { ...COMMON, sourceType, allowReturnOutsideFunction: sourceType === 'script' });
    } catch {
      // The next way, or none.
    }
  }
  return null;
}
