import { isMainThread } from 'node:worker_threads';
import { replaceProgram } from '../kernel/exec.js';
import { forkReadyFlags, isForkReady } from '../kernel/fork.js';
import { ownIdentity } from './identity.js';

/** Names the process that was replaced, so that it is not replaced for ever; another process may be, once. */
const MARK = 'FURCA_RE_EXECUTED';

/** Without V8's helper threads a small young generation costs most: facts and figures in kernel/README.md. */
const YOUNG_GENERATION = '--max-semi-space-size=32';

/**
 * Replaces this process by `node`, fork-ready, with these arguments (execve(2)).
 *
 * It stays the same process: pid, parent, terminal, standard streams, working directory and environment are kept, so that signals
 * reach the program and its end is this process's end, with nothing in between to forward them. Other descriptors are closed, an
 * IPC channel of `child_process.fork` among them. Exit handlers do not run.
 *
 * @param args - Flags of Node, a script, and the script's arguments; later flags win over those that make it fork-ready.
 * @throws {@link SystemCallError} `ERR_FURCA_SYSTEM_CALL`: the system refused, as when the arguments are too long.
 */
export function executeForkReady(args: readonly string[]): never {
  return replaceProgram([...forkReadyFlags(), YOUNG_GENERATION, ...args]);
}

/**
 * Makes the running program fork-ready by running it anew, if it is not: with the same Node flags, script and arguments.
 *
 * Does nothing in a worker thread, and in a process that furca started: those are what they were started as.
 */
export function becomeForkReady(): void {
  const wasReplaced = process.env[MARK] === String(process.pid);
  delete process.env[MARK];
  if (wasReplaced || isForkReady() || !isMainThread || ownIdentity().parent !== null) return;
  process.env[MARK] = String(process.pid);
  // With --eval there is no script: what follows is all arguments.
  executeForkReady([...process.execArgv, ...process.argv.slice(1)]);
}
