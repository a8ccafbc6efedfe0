/**
 * `furca/os`: fork and what belongs to it, named as in Python's `os`.
 *
 * @packageDocumentation
 */
export { isForkReady } from './kernel/fork.js';
export {
  _exit,
  type AtFork,
  fork,
  getpid,
  getppid,
  registerAtFork,
  tryWaitpid,
  type WaitResult,
  waitpid,
  waitpidSync,
} from './process/os-fork.js';
