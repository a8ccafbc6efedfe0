import { UsageError } from '../base/errors.js';

let depth = 0;

/** Runs `load` as the loading of a child's modules: what starts a process meanwhile is refused. */
export async function whileLoading<T>(load: () => Promise<T>): Promise<T> {
  depth++;
  try {
    return await load();
  } finally {
    depth--;
  }
}

/**
 * Refuses to start a process while this child still loads its modules: the module would do so again in that
 * process, and so on without end.
 *
 * @throws {@link UsageError} `ERR_FURCA_BOOTSTRAPPING`.
 */
export function assertNotLoading(): void {
  if (depth === 0) return;
  throw new UsageError(
    'Starting a process failed: a module that this child process is loading tried to start one. Start processes inside a function, or behind `if (isMain(import.meta))`.',
    'ERR_FURCA_BOOTSTRAPPING',
  );
}
