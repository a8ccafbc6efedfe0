import {
  BrokenError,
  ClosedError,
  type LossReason,
  TerminatedError,
  TimeoutError,
  UsageError,
  type WorkerLoss,
  WorkerLostError,
} from '../base/errors.js';

export function badSize(size: unknown): UsageError {
  return new UsageError(
    `Making a Pool failed: it needs a whole number of workers, at least 1, not ${String(size)}.`,
  );
}

export function badOption(name: string, wanted: string): UsageError {
  return new UsageError(`Using a Pool failed: ${name} must be ${wanted}.`);
}

export function poolClosed(): ClosedError {
  return new ClosedError('Giving a task to the pool failed: the pool was closed. Make a new one.');
}

export function poolTerminated(): TerminatedError {
  return new TerminatedError('The task was not finished: its pool was terminated.');
}

export function stillOpen(): UsageError {
  return new UsageError(
    'Joining the pool failed: it still takes tasks. Call close() or terminate() first.',
    'ERR_FURCA_INVALID_STATE',
  );
}

const REASONS: Readonly<Record<LossReason, string>> = {
  heap: 'ran out of heap memory (see --max-old-space-size, or resourceLimits)',
  oom: 'was killed by the kernel for want of memory',
  signal: '',
  exit: '',
  timeout: 'was ended by the pool',
};

function whoIs({ pid, threadId }: WorkerLoss): string {
  return threadId === 0 ? String(pid) : `thread ${threadId}`;
}

function howItEnded({ reason, signal, exitCode }: WorkerLoss): string {
  const known = REASONS[reason];
  if (known !== '') return known;
  return signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
}

/** @param isPoison - It is given up although retries are left. */
export function workerLost(loss: WorkerLoss, isPoison: boolean): WorkerLostError {
  const how = howItEnded(loss);
  if (isPoison) {
    return new WorkerLostError(
      `The task failed: it has killed ${loss.attempts} workers and is set aside (poisonAfter); the last, ${whoIs(loss)}, ${how}.`,
      loss,
      {},
      'ERR_FURCA_POISONED',
    );
  }
  return new WorkerLostError(
    `The task failed: worker ${whoIs(loss)} ${how} while it ran it (attempt ${loss.attempts}). Other tasks go on; pass { retries } to run such a task again.`,
    loss,
  );
}

export function taskTooLong(taskTimeoutMs: number, cause: Error | undefined): TimeoutError {
  const ended =
    cause instanceof WorkerLostError ? `and its worker ${whoIs(cause)} was killed` : 'and was stopped';
  return new TimeoutError(
    `The task failed: it ran longer than ${taskTimeoutMs} ms, ${ended}.`,
    taskTimeoutMs,
    'ERR_FURCA_TASK_TIMEOUT',
    cause === undefined ? {} : { cause },
  );
}

export function waitedTooLong(queueTimeoutMs: number): TimeoutError {
  return new TimeoutError(
    `The task failed: it did not begin within ${queueTimeoutMs} ms. Add workers, or give it more time.`,
    queueTimeoutMs,
    'ERR_FURCA_QUEUE_TIMEOUT',
  );
}

export function overdue(afterMs: number): TimeoutError {
  return new TimeoutError(
    'The task failed: its deadline has passed. What still runs is stopped.',
    afterMs,
    'ERR_FURCA_DEADLINE',
  );
}

export function usedByCopy(ownPid: number): UsageError {
  return new UsageError(
    `Giving a task to the pool failed: it belongs to process ${ownPid}, and this process, ${process.pid}, has a copy of it without workers. A task that waits for a task of its own pool would wait for ever once every worker does so. Make a pool inside the task.`,
    'ERR_FURCA_STARVATION',
  );
}

export function notReady(): UsageError {
  return new UsageError(
    'Asking whether the task was successful failed: it is not through. Await it, or ask ready() first.',
    'ERR_FURCA_INVALID_STATE',
  );
}

export function waitedFor(what: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `${what} failed: not within ${timeoutMs} ms. The task goes on; wait again, or abort it.`,
    timeoutMs,
  );
}

/** Why no task of this pool will be run any more: its workers cannot be initialized. */
export function initializerDied(exitCode: unknown): BrokenError {
  return new BrokenError(
    `The task failed: the initializer of the pool's workers ended its process, with exit code ${String(exitCode)}, again and again. Mend it and make a new pool.`,
  );
}

export function workersKeepDying(cause: unknown): BrokenError {
  return new BrokenError(
    'The task failed: the pool cannot start workers. See cause, and their output on stderr.',
    {
      cause,
    },
  );
}
