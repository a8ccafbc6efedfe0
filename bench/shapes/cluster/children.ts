import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Starts a program of this folder; resolves once it says that it is up. */
export async function start(
  name: string,
  args: readonly (string | number)[],
  execArgv: readonly string[] = [],
): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, `${name}.js`), args.map(String), { execArgv: [...execArgv] });
  await once(child, 'message');
  return child;
}

/** Asks a program to end, and waits for that. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
