import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { CommandLine } from './command-line.js';
import type { Settings } from './settings.js';
import { explainFailure } from './start-failure.js';
import type { Slot } from './stdio.js';

/** A command that runs. */
export interface Launched {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** What `child_process` is told in both its forms. */
export function spawnOptions(
  { words }: CommandLine,
  settings: Settings,
  slots: readonly Slot[],
): SpawnOptions {
  const { cwd, env, isLeader, user, group } = settings;
  return {
    argv0: words[0] as string,
    stdio: [...slots],
    env,
    detached: isLeader,
    shell: false,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { uid: user }),
    ...(group === undefined ? {} : { gid: group }),
  };
}

/**
 * Starts a program.
 *
 * @throws {@link CommandStartError} the program or the directory is missing or forbidden, or the system refuses; nothing runs then.
 */
export function launch(line: CommandLine, settings: Settings, slots: readonly Slot[]): Launched {
  let child: ChildProcess;
  try {
    child = withUmask(settings.umask, () =>
      spawn(line.file, line.words.slice(1), spawnOptions(line, settings, slots)),
    );
  } catch (error) {
    throw explainFailure(line.file, settings, (error as NodeJS.ErrnoException).code, error);
  }
  // Node tells most failures in a later turn of the loop, but a child without a pid is none already.
  child.on('error', () => {});
  if (child.pid === undefined) throw explainFailure(line.file, settings, undefined);
  return { child, pid: child.pid };
}

/** Runs `start` with another umask, which a child inherits. */
export function withUmask<T>(umask: number | undefined, start: () => T): T {
  if (umask === undefined) return start();
  const former = process.umask(umask);
  try {
    return start();
  } finally {
    process.umask(former);
  }
}
