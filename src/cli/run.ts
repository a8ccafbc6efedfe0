import { createRequire } from 'node:module';
import { resolve } from 'node:path';
// The one thing the doors do not offer: replacing a process is no business of a library's user.
import { executeForkReady } from '../process/re-execute.js';
import { needsTypeScript } from './load-target.js';
import { Mistake } from './mistake.js';

/**
 * Runs a script fork-ready: this process becomes it.
 *
 * @param args - Flags of Node, the script and its arguments; Node itself tells them apart.
 * @throws {@link Mistake} there is no such script, or this Node cannot run it.
 */
export function runScript(args: readonly string[]): never {
  const [script] = args;
  // Behind flags only Node knows which word is the script.
  if (script !== undefined && !script.startsWith('-')) assertRunnable(script);
  return executeForkReady([...process.execArgv, ...args]);
}

function assertRunnable(script: string): void {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve(resolve(script));
  } catch {
    throw new Mistake(`there is no script '${script}'`);
  }
  const hasLoader = /--(import|require|loader|experimental-loader)\b|(^|\s)-r\b/.test(
    [...process.execArgv, process.env['NODE_OPTIONS']].join(' '),
  );
  const { typescript } = process.features as { readonly typescript?: unknown };
  if (/\.[cm]?ts$/.test(path) && !typescript && !hasLoader) throw new Mistake(needsTypeScript(script));
}
