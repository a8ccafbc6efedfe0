import {
  BrokenError,
  ClosedError,
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

export function workerLost(loss: WorkerLoss): WorkerLostError {
  const how = loss.signal === null ? `exited with code ${loss.exitCode}` : `was ended by ${loss.signal}`;
  return new WorkerLostError(
    `The task failed: worker ${loss.pid} ${how} while it ran it (attempt ${loss.attempts}). Other tasks go on; pass { retries } to run such a task again.`,
    loss,
  );
}

export function taskTooLong(taskTimeoutMs: number, pid: number): TimeoutError {
  return new TimeoutError(
    `The task failed: it ran longer than ${taskTimeoutMs} ms, and its worker ${pid} was killed.`,
    taskTimeoutMs,
    'ERR_FURCA_TASK_TIMEOUT',
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
