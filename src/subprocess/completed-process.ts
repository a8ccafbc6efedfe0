import type { CommandOutput, CommandText } from '../base/command-errors.js';
import { commandFailed } from './failures.js';

/** How a command ended and what it wrote. */
export class CompletedProcess<
  Stdout extends CommandOutput = CommandOutput,
  Stderr extends CommandOutput = CommandOutput,
> {
  /** The command as it was given. */
  readonly args: CommandText;
  /** Exit code, or `-N` when signal N ended it. */
  readonly returnCode: number;
  /** `null` unless it was captured. */
  readonly stdout: Stdout;
  readonly stderr: Stderr;

  /** Made by `run` and `runSync`. */
  constructor(args: CommandText, returnCode: number, stdout: Stdout, stderr: Stderr) {
    this.args = args;
    this.returnCode = returnCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /**
   * Does nothing if the command ended with code 0.
   *
   * @throws {@link CalledProcessError} `ERR_FURCA_COMMAND_FAILED`: it did not.
   */
  checkReturnCode(): void {
    if (this.returnCode !== 0) throw commandFailed(this.args, this.returnCode, this.stdout, this.stderr);
  }
}
