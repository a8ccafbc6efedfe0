import { AuthenticationError, BrokenError, ClosedError, TimeoutError, UsageError } from '../base/errors.js';

export function missingPackage(cause: unknown): UsageError {
  return new UsageError(
    'Using furca/cluster failed: the packages bullmq and ioredis are not installed. Run: npm install bullmq ioredis',
    'ERR_FURCA_MISSING_PACKAGE',
    { cause },
  );
}

export function badClusterOption(name: string, wanted: string): UsageError {
  return new UsageError(`Using a cluster failed: ${name} must be ${wanted}.`);
}

export function clusterClosed(what: string): ClosedError {
  return new ClosedError(`${what} failed: it was closed. Make a new one.`);
}

export function runTaken(runId: string): UsageError {
  return new UsageError(
    `Beginning run '${runId}' failed: there is one of this name. Take another name, or reattach('${runId}').`,
    'ERR_FURCA_NAME_TAKEN',
  );
}

export function runUnknown(runId: string): UsageError {
  return new UsageError(
    `Reattaching to run '${runId}' failed: there is no such run; it ended, or was kept no longer. Run it again.`,
    'ERR_FURCA_NAME_UNKNOWN',
  );
}

/** The caller of a run died before it had read all of its input. */
export function runCutShort(runId: string, submitted: number): BrokenError {
  return new BrokenError(
    `Streaming run '${runId}' failed: its first caller ended after it had handed over ${submitted} items, and what follows was never submitted. Run the items from index ${submitted} on again.`,
  );
}

/** Chunks of a run were lost together with their caller. */
export function runLost(runId: string, chunks: number): BrokenError {
  return new BrokenError(
    `Streaming run '${runId}' failed: ${chunks} of its chunks were lost with their caller, or refused by workers. Run the items that did not come again.`,
  );
}

export function needsKey(name: string): UsageError {
  return new UsageError(
    `Giving ${name === '' ? 'a function' : `the function ${name}`} to the cluster failed: it would travel by value, and that needs a key. Export it from a module below \`app\`, or give callers and workers the same \`key\`.`,
    'ERR_FURCA_REFUSED',
  );
}

export function outsideApp(url: string, root: string): UsageError {
  return new UsageError(
    `Giving a function to the cluster failed: its module ${url} is not below \`app\` (${root}), where workers would look for it. Move it there.`,
    'ERR_FURCA_REFUSED',
  );
}

/** A worker would not run a chunk; it says why. */
export function refusedByWorker(worker: string, why: string): UsageError {
  return new UsageError(`The task failed: worker ${worker} refused it: ${why}.`, 'ERR_FURCA_REFUSED');
}

export function notAuthentic(fact: string): AuthenticationError {
  return new AuthenticationError(
    `The task failed: ${fact}. Give callers and workers of a queue the same \`key\`; if they have it, somebody else writes to the queue.`,
  );
}

/** The workers' machines, or their main processes, died of this item again and again. */
export function poisonedItem(times: number): BrokenError {
  return new BrokenError(
    `The task failed: ${times} workers that had it died or went away, and it is set aside. Look at their logs; run it again if they ended for another reason.`,
    undefined,
    'ERR_FURCA_POISONED',
  );
}

export function callTooLong(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `The call failed: it was not over within ${timeoutMs} ms. What still runs is stopped.`,
    timeoutMs,
    'ERR_FURCA_DEADLINE',
  );
}

export function noWorker(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Waiting for a worker failed: none came within ${timeoutMs} ms. Start one: furca worker --broker URL --queue NAME --app DIR.`,
    timeoutMs,
  );
}

export function noItem(timeoutMs: number): TimeoutError {
  return new TimeoutError(`Getting an item failed: there was none within ${timeoutMs} ms.`, timeoutMs);
}
