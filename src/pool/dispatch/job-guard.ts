import { overdue, waitedTooLong } from '../failures.js';
import type { Job } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';
import type { Dispatcher } from './dispatcher.js';

/** Timers take no longer time than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends a job when its caller's signal is aborted, or one of its times is up; what runs for it is then stopped. */
export function guardJob(job: Job, dispatcher: Dispatcher): void {
  const { signal, queueTimeoutMs, deadlineAt } = job.plan;
  if (signal === undefined && queueTimeoutMs === Infinity && deadlineAt === Infinity) return;
  const end = (error: unknown): void => {
    if (job.isOver) return;
    job.fail(error);
    dispatcher.stopJob(job);
  };
  const onAbort = (): void => end(signal?.reason);
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, what: () => void): void => {
    if (ms <= LONGEST_TIMER_MS) timers.push(ownTimer(what, Math.max(0, ms)));
  };
  job.onOver = () => {
    signal?.removeEventListener('abort', onAbort);
    for (const timer of timers) clearTimeout(timer);
  };
  if (signal?.aborted === true) {
    end(signal.reason);
    return;
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  const startedAt = Date.now();
  after(deadlineAt - startedAt, () => end(overdue(deadlineAt - startedAt)));
  after(queueTimeoutMs, () => {
    if (!dispatcher.hasBegun(job)) end(waitedTooLong(queueTimeoutMs));
  });
}
