/**
 * `furca/subprocess`: other programs, run as Python's `subprocess` runs them.
 *
 * @packageDocumentation
 */
export {
  CalledProcessError,
  type CommandOutput,
  CommandStartError,
  type CommandText,
  TimeoutExpired,
  UnicodeDecodeError,
} from './base/command-errors.js';
export type { CommandInput } from './subprocess/command-input.js';
export type { CommandOutput as CommandOutputStream } from './subprocess/command-output.js';
export { CompletedProcess } from './subprocess/completed-process.js';
export type { TextErrors } from './subprocess/encodings.js';
export {
  type CallOptions,
  type CallSyncOptions,
  type CheckOutputOptions,
  type CheckOutputSyncOptions,
  type Command,
  type CommandOptions,
  DEVNULL,
  type DescriptorSource,
  type GetOutputOptions,
  type GetOutputSyncOptions,
  type Input,
  PIPE,
  type PopenOptions,
  type RunOptions,
  type RunSyncOptions,
  STDOUT,
  type StreamTarget,
} from './subprocess/options.js';
export { type CommandWaitOptions, type Communicated, Popen } from './subprocess/popen.js';
export {
  type Completed,
  call,
  checkCall,
  checkOutput,
  getOutput,
  getStatusOutput,
  run,
} from './subprocess/run.js';
export {
  callSync,
  checkCallSync,
  checkOutputSync,
  getOutputSync,
  getStatusOutputSync,
  runSync,
} from './subprocess/run-sync.js';
