import { setCloseOnExec } from './descriptor.js';
import { checked } from './errno.js';
import { native } from './library.js';

/**
 * Replaces the running program by `node` with other arguments (execve(2)). It stays the same process: pid, children, terminal,
 * environment, working directory and all descriptors that are not closed by exec are kept. Exit handlers do not run.
 *
 * @param args - Flags of Node, a script, and the script's arguments.
 * @param keep - Descriptors that stay open besides the standard streams.
 * @throws {@link SystemCallError} `ERR_FURCA_SYSTEM_CALL`: the system refused, as when the arguments are too long.
 */
export function replaceProgram(args: readonly string[], keep: readonly number[] = []): never {
  // Node marks every descriptor it was started with to be closed on exec.
  for (const fd of [0, 1, 2, ...keep]) setCloseOnExec(fd, false);
  checked('execv', native().execv(process.execPath, [process.execPath, ...args, null]));
  throw new Error('unreachable');
}
