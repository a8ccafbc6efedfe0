import { accessSync, closeSync, constants, openSync, type Stats, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { CommandStartError } from '../base/command-errors.js';
import { badCwd, noProgram, notExecutable, refusedBySystem } from './failures.js';
import { interpreterOf } from './interpreter.js';
import type { Settings } from './settings.js';

/** Where execvp(3) looks without PATH. */
const DEFAULT_PATH = '/bin:/usr/bin';

/**
 * Says why a command was not started. Node answers ENOENT alike for a missing program, a missing directory and a missing
 * interpreter; and its answer comes too late for a constructor. So the reasons are looked for in the order in which the child meets them.
 *
 * @param errnoCode - What the system answered, where that is known.
 */
export function explainFailure(
  file: string,
  { cwd, env }: Pick<Settings, 'cwd' | 'env'>,
  errnoCode: string | undefined,
  cause?: unknown,
): CommandStartError {
  const wrongCwd = cwd === undefined ? undefined : failingCwd(cwd);
  if (cwd !== undefined && wrongCwd !== undefined) return badCwd(cwd, wrongCwd);
  const candidates = file.includes('/')
    ? [resolve(cwd ?? '', file)]
    : (env['PATH'] ?? DEFAULT_PATH).split(delimiter).map((folder) => resolve(cwd ?? '', folder, file));
  let forbidden: string | undefined;
  for (const path of candidates) {
    const answer = failingProgram(path);
    if (answer === undefined) {
      const interpreter = interpreterOf(path);
      const missing = interpreter === undefined ? undefined : failingProgram(resolve(cwd ?? '', interpreter));
      if (errnoCode === 'ENOENT' || missing === 'ENOENT')
        return noProgram(
          path,
          `What it is run by is missing${interpreter === undefined ? '' : `: ${interpreter}`}.`,
        );
      if (missing === 'EACCES') return notExecutable(path, 'EACCES');
      return refusedBySystem(file, errnoCode ?? systemLimit(), cause);
    }
    if (answer === 'EACCES') forbidden ??= path;
  }
  if (forbidden !== undefined) return notExecutable(forbidden, 'EACCES');
  const hint = file.includes('/')
    ? 'Look at the path; it counts from cwd.'
    : /\s/.test(file)
      ? 'Pass a list of words, or shell: true.'
      : 'Look at PATH in its environment.';
  return noProgram(file, hint);
}

function stat(path: string): Stats | string {
  try {
    return statSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'ENOENT';
  }
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function failingCwd(cwd: string): string | undefined {
  const found = stat(cwd);
  if (typeof found === 'string') return found;
  if (!found.isDirectory()) return 'ENOTDIR';
  return mayExecute(cwd) ? undefined : 'EACCES';
}

function failingProgram(path: string): 'ENOENT' | 'EACCES' | undefined {
  const found = stat(path);
  if (typeof found === 'string') return found === 'EACCES' ? 'EACCES' : 'ENOENT';
  return found.isFile() && mayExecute(path) ? undefined : 'EACCES';
}

/** Node keeps to itself which limit it was: descriptors, if there are not the two left here that a start takes; else processes. */
function systemLimit(): string {
  const opened: number[] = [];
  try {
    for (let i = 0; i < 2; i++) opened.push(openSync('/dev/null', 'r'));
    return 'EAGAIN';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EMFILE';
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
