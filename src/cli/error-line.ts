import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { FurcaError, TimeoutError, WorkerLostError } from '../index.js';
import { COMMAND_FOLDER, OWN_FOLDER } from './own-files.js';

/** Says in one line what went wrong, and where in the user's code. */
export function errorLine(error: unknown): string {
  return singleLine(text(error));
}

/** The same with the user's part of the trace, and with what caused it. */
export function errorTrace(error: unknown): string {
  if (!(error instanceof Error) || FurcaError.is(error)) return text(error);
  const lines = (error.stack ?? text(error)).split('\n');
  const trace = lines.slice(0, endOfUserFrames(lines)).filter((line) => !line.includes(OWN_FOLDER.href));
  return error.cause === undefined
    ? trace.join('\n')
    : `${trace.join('\n')}\ncaused by ${errorTrace(error.cause)}`;
}

/** Below the command's own frames, and below the frame where the pool's caller begins, nothing is the user's. */
function endOfUserFrames(lines: readonly string[]): number {
  const at = lines.findIndex(
    (line) => line.includes(COMMAND_FOLDER.href) || /^ +at .*\(caller\)$/.test(line),
  );
  return at === -1 ? lines.length : at;
}

function text(error: unknown): string {
  if (error instanceof WorkerLostError) {
    const how = error.signal === null ? `exited with code ${error.exitCode}` : `was ended by ${error.signal}`;
    const times = error.attempts > 1 ? ` (attempt ${error.attempts})` : '';
    return `its process ${error.pid} ${how}${times}`;
  }
  if (error instanceof TimeoutError && error.code === 'ERR_FURCA_TASK_TIMEOUT') {
    return `it ran longer than ${error.timeoutMs} ms and was ended`;
  }
  if (!(error instanceof Error))
    return `threw ${inspect(error, { breakLength: Number.POSITIVE_INFINITY, depth: 2 })}`;
  const { name, message } = error;
  const place = placeOf(error);
  const said = message === '' ? name : `${name}: ${message}`;
  return place === null ? said : `${said} (${place})`;
}

function singleLine(said: string): string {
  return said.replaceAll(/\s*\n\s*/g, ' \\n ');
}

/** The innermost place in the user's code that the trace names, such as `src/task.ts:12:5`. */
export function placeOf(error: Error): string | null {
  const lines = (error.stack ?? '').split('\n');
  for (const line of lines.slice(0, endOfUserFrames(lines))) {
    const [, file, position] =
      /^\s+at (?:.*\()?((?:file:\/\/)?\/.*?)(?:\?.*)?(:\d+:\d+)\)?$/.exec(line) ?? [];
    if (file === undefined || position === undefined || file.startsWith(OWN_FOLDER.href)) continue;
    return shortPath(file) + position;
  }
  return null;
}

/** A path or `file:` URL as seen from the current folder, if it lies in it. */
export function shortPath(file: string): string {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
