import { InternalError } from '../base/errors.js';
import { signalOfExitCode } from '../kernel/reaping.js';
import type { StartMethod } from '../process/start-request.js';
import { rebuildError } from '../wire/errors.js';
import { pack } from '../wire/family-message.js';
import { taskTooLong, workerLost } from './failures.js';
import { DONE, type FromWorker, RETURNED, THREW, VALUES } from './messages.js';
import { itemCount, learnTime, slice, type Task } from './task.js';
import type { WorkerLink } from './worker-link.js';

/** A message that kills its worker before any item begins is given up after this many. */
const MAX_UNBEGUN = 3;

/** What the verdict on an item depends on. */
export interface SettlementRules {
  readonly startMethod: StartMethod;
  readonly retries: number;
  readonly taskTimeoutMs: number;
}

/** Settles what a worker reports; answers how many messages of work are done by it. */
export function settleMessage(link: WorkerLink, message: FromWorker): number {
  switch (message[0]) {
    case RETURNED:
      return settleReturned(link, message);
    case THREW: {
      const [, number, index, record] = message;
      const task = link.outstanding.get(number);
      if (task === undefined) return 0;
      task.settled = index + 1;
      if (task.isCall) link.outstanding.delete(number);
      task.job.reject(task.first + index, rebuildError(record));
      return task.isCall ? 1 : 0;
    }
    case VALUES:
    case DONE: {
      const [kind, number, start, values] = message;
      const task = link.outstanding.get(number);
      if (task === undefined) return 0;
      task.settled = start + values.length;
      if (kind === DONE) {
        learnTime(task.fn, task.input.length, message[4]);
        link.outstanding.delete(number);
      }
      task.job.resolveMany(task.first + start, values);
      return kind === DONE ? 1 : 0;
    }
  }
}

function settleReturned(
  link: WorkerLink,
  message: Extract<FromWorker, readonly [typeof RETURNED, ...unknown[]]>,
): number {
  const count = (message.length - 2) / 2;
  let done = 0;
  for (let i = 2; i < message.length; i += 2) {
    const number = message[i] as number;
    const task = link.outstanding.get(number);
    if (task === undefined) continue;
    if (done === 0) learnTime(task.fn, count, message[1]);
    link.outstanding.delete(number);
    done++;
    task.job.resolve(task.first, message[i + 1]);
  }
  return done;
}

/** Rejects each item that is not settled, with an error of its own: its stack will be continued with its own caller's. */
export function rejectAll(task: Task, makeError: () => Error): void {
  for (let i = task.settled; i < itemCount(task); i++) task.job.reject(task.first + i, makeError());
}

/** Something in the task cannot be sent: rejects exactly the items that cannot, and answers the others as tasks. */
export function refuseUnsendable(task: Task): Task[] {
  const good: Task[] = [];
  for (let i = 0; i < itemCount(task); i++) {
    try {
      if (task.isCall) pack(task.input, 'args');
      else pack(task.input[i], `items[${task.first + i}]`);
      good.push(slice(task, i, i + 1, task.attempts));
    } catch (error) {
      task.job.reject(task.first + i, error);
    }
  }
  // Items that share a variable can be sent singly and not together.
  if (good.length < itemCount(task) || good.length > 1) return good;
  rejectAll(task, () => new InternalError('A task that can be packed cannot be sent.'));
  return [];
}

/**
 * Answers for a dead worker: the item it was running is guilty and is rejected, or run again if it has retries left.
 *
 * @returns Everything else it had, to be put back into the queue.
 */
export function answerForDead(link: WorkerLink, exitCode: number, rules: SettlementRules): Task[] {
  const { progress } = link;
  const back: Task[] = [];
  for (const [number, task] of link.outstanding) {
    const isCurrent = number === progress.message;
    const hasBegun = isCurrent && progress.item >= task.settled;
    if (!hasBegun && !(isCurrent && task.attempts >= MAX_UNBEGUN)) {
      back.push(slice(task, task.settled, itemCount(task), task.attempts + (isCurrent ? 1 : 0)));
      continue;
    }
    const guilty = Math.max(progress.item, task.settled);
    if (guilty > task.settled) back.push(slice(task, task.settled, guilty, 0));
    const attempts = task.attempts + 1;
    if (attempts <= rules.retries && !task.job.isOver) back.push(slice(task, guilty, guilty + 1, attempts));
    else task.job.reject(task.first + guilty, verdict(link, task, guilty, exitCode, attempts, rules));
    if (guilty + 1 < itemCount(task)) back.push(slice(task, guilty + 1, itemCount(task), 0));
  }
  link.outstanding.clear();
  return back;
}

function verdict(
  link: WorkerLink,
  task: Task,
  item: number,
  exitCode: number,
  attempts: number,
  rules: SettlementRules,
): Error {
  const pid = link.handle?.pid ?? 0;
  const { killedFor } = link;
  if (killedFor?.task === task && killedFor.item === item) return taskTooLong(rules.taskTimeoutMs, pid);
  const signal = signalOfExitCode(exitCode);
  return workerLost({ pid, exitCode, signal, startMethod: rules.startMethod, taskId: task.id, attempts });
}
