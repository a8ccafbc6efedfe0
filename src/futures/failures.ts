import { BrokenError, TimeoutError, UsageError } from '../base/errors.js';

export function badOption(name: string, wanted: string): UsageError {
  return new UsageError(`Using an executor failed: ${name} must be ${wanted}.`);
}

export function notDone(what: string): UsageError {
  return new UsageError(`${what} failed: the future is not done.`, 'ERR_FURCA_INVALID_STATE');
}

export function alreadyDone(what: string): UsageError {
  return new UsageError(`${what} failed: the future is done already.`, 'ERR_FURCA_INVALID_STATE');
}

export function wasCancelled(): UsageError {
  return new UsageError('The future was cancelled before its task began.', 'ERR_FURCA_CANCELLED');
}

export function shutDown(): UsageError {
  return new UsageError(
    'Submitting a task failed: cannot schedule new futures after shutdown. Make a new executor.',
    'ERR_FURCA_INVALID_STATE',
  );
}

export function tooLate(what: string, timeoutMs: number, unfinished: number, all: number): TimeoutError {
  return new TimeoutError(`${what} failed: ${unfinished} (of ${all}) futures unfinished.`, timeoutMs);
}

/** A crash breaks a strict executor as a whole. */
export function executorBroken(cause: Error): BrokenError {
  return new BrokenError(
    'The task failed: a worker of this strict executor ended abruptly, which breaks all of it; see cause. Leave out strict to lose the guilty task alone.',
    { cause },
  );
}
