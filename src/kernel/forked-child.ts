import { takeCoverage } from 'node:v8';
import { checked } from './errno.js';
import { native } from './library.js';
import { forgetInheritedRandomness } from './randomness.js';

/** What of Node's process object is replaced in a forked child; undocumented, but fixed since Node 12. */
interface ProcessInternals {
  reallyExit(code?: number): void;
  _fatalException(error: unknown, fromPromise: boolean): boolean;
}

let lastWords: ((exitCode: number) => void) | undefined;

/** Has `say` called as the very last act of this process, when nothing can change its exit code any more. */
export function setLastWords(say: (exitCode: number) => void): void {
  lastWords = say;
}

/** Ends this process at once, without Node's own way out, which waits for threads that a forked child does not have. */
export function exitNow(code: number): never {
  lastWords?.(code & 0xff);
  if (process.env['NODE_V8_COVERAGE'] !== undefined) takeCoverage();
  native()._exit(code & 0xff);
  throw new Error('unreachable');
}

/**
 * Turns the copy that fork(2) made into a process of its own: event loop, pid, randomness and way out.
 *
 * @param reportFatal - Writes an uncaught error to stderr; the process then ends with `process.exitCode`, or 1.
 */
export function becomeForkedChild(reportFatal: (error: unknown) => void): void {
  // A new epoll descriptor: parent and child would take each other's events from a shared one.
  const result = native().uv_loop_fork(native().uv_default_loop());
  if (result !== 0) checked('uv_loop_fork', -1, `libuv error ${result}`);
  forgetInheritedRandomness();
  // Those were its parent's.
  lastWords = undefined;
  Object.defineProperty(process, 'pid', {
    value: native().getpid(),
    enumerable: true,
    configurable: true,
    writable: false,
  });
  const internals = process as unknown as ProcessInternals;
  internals.reallyExit = (code = 0) => exitNow(code);
  const handle = internals._fatalException;
  internals._fatalException = (error, fromPromise) => {
    // The handler emits 'exit' itself when nobody caught the error, so that only the report is left to do.
    if (handle.call(process, error, fromPromise)) return true;
    reportFatal(error);
    return exitNow(Number(process.exitCode ?? 1));
  };
}
