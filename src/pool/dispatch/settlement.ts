import type { JournalEntries } from '../../arena/journal.js';
import { LOADING, NO_ITEM } from '../../arena/progress.js';
import { InternalError } from '../../base/errors.js';
import { rebuildError } from '../../wire/errors.js';
import { pack } from '../../wire/family-message.js';
import type { WorkerLink } from '../crew/worker-link.js';
import { lossOf, type WorkerEnd } from '../crew/worker-loss.js';
import { overdue, taskTooLong, workerLost } from '../failures.js';
import { EACH_ITEM, itemCount, learnTime, ONE_CALL, STREAMED, slice, type Task } from '../jobs/task.js';
import { DONE, type FromWorker, RETURNED, THREW, UP, VALUES, YIELDED } from '../messages.js';

/** A message that kills its worker before any item begins is given up after this many, or as many as its call has runs. */
const MAX_SUSPICIONS = 5;

/** What the verdict on an item depends on. */
export interface SettlementRules {
  /** How errors call the way the workers are started. */
  readonly shownMethod: string;
  readonly poisonAfter: number;
}

/** Told of every task that is through, with the time its items took in the worker. */
export type OnDone = (link: WorkerLink, task: Task, ranMs: number) => void;

/** Settles what a worker reports. */
export function settleMessage(link: WorkerLink, message: FromWorker, onDone: OnDone): void {
  switch (message[0]) {
    case RETURNED:
      settleReturned(link, message, onDone);
      return;
    case THREW: {
      const [, number, index, record] = message;
      const task = link.outstanding.get(number);
      if (task === undefined) return;
      task.settled = index + 1;
      const isThrough = task.kind !== EACH_ITEM;
      if (isThrough) link.outstanding.delete(number);
      task.job.reject(task.first + index, insteadOf(link, number, rebuildError(record)));
      if (isThrough) onDone(link, task, Number.NaN);
      return;
    }
    case VALUES:
    case DONE: {
      const [kind, number, start, values] = message;
      const task = link.outstanding.get(number);
      if (task === undefined) return;
      if (kind === DONE) {
        learnTime(task.fn, task.input.length, message[4]);
        link.outstanding.delete(number);
      }
      settleItems(task, start, values);
      if (kind === DONE) onDone(link, task, message[4]);
      return;
    }
    case YIELDED:
      receiveYielded(link, message[1], message[2]);
      return;
    case UP:
      return;
  }
}

/** Settles what the results of the items from `start` on tell that is new: some may have been found in the journal. */
function settleItems(task: Task, start: number, values: readonly unknown[]): boolean {
  const known = task.settled - start;
  if (known < 0 || known >= values.length) return false;
  const first = task.first + task.settled;
  task.settled = start + values.length;
  task.job.resolveMany(first, values.slice(known));
  return true;
}

function settleReturned(
  link: WorkerLink,
  message: Extract<FromWorker, readonly [typeof RETURNED, ...unknown[]]>,
  onDone: OnDone,
): void {
  const count = (message.length - 2) / 2;
  const eachMs = message[1] / count;
  let isLearned = false;
  for (let i = 2; i < message.length; i += 2) {
    const number = message[i] as number;
    const task = link.outstanding.get(number);
    if (task === undefined) continue;
    if (!isLearned) learnTime(task.fn, count, message[1]);
    isLearned = true;
    link.outstanding.delete(number);
    settleCall(link, number, task, message[i + 1]);
    onDone(link, task, eachMs);
  }
}

/** A task that was stopped for its time fails for that, although it came to its end. */
function settleCall(link: WorkerLink, number: number, task: Task, value: unknown): void {
  const { stopping } = link;
  if (stopping?.number === number && stopping.isTimeout) task.job.reject(task.first, stopping.error());
  else task.job.resolve(task.first, value);
}

function receiveYielded(link: WorkerLink, number: number, values: readonly unknown[]): void {
  const task = link.outstanding.get(number);
  if (task === undefined) return;
  task.job.receive?.(values, (total) => link.tellTaken(total));
}

/** A task that was stopped for its time fails for that, whatever it throws when it is asked to stop. */
function insteadOf(link: WorkerLink, number: number, error: unknown): unknown {
  const { stopping } = link;
  return stopping?.number === number && stopping.isTimeout ? stopping.error() : error;
}

/** Settles what a worker has finished, noted, and not sent; tells whether there was anything. */
export function settleJournal(
  link: WorkerLink,
  { message, item, values }: JournalEntries,
  onDone: OnDone,
): boolean {
  const first = link.outstanding.get(message);
  if (first?.kind === EACH_ITEM) return settleItems(first, item, values);
  let isFound = false;
  values.forEach((value, at) => {
    const task = link.outstanding.get(message + at);
    if (task?.kind !== ONE_CALL) return;
    isFound = true;
    link.outstanding.delete(message + at);
    settleCall(link, message + at, task, value);
    onDone(link, task, Number.NaN);
  });
  return isFound;
}

/** Rejects each item that is not settled, with an error of its own: its stack will be continued with its own caller's. */
export function rejectAll(task: Task, makeError: () => unknown): void {
  for (let i = task.settled; i < itemCount(task); i++) task.job.reject(task.first + i, makeError());
}

/** Something in the task cannot be sent: rejects exactly the items that cannot, and answers the others as tasks. */
export function refuseUnsendable(task: Task): Task[] {
  const good: Task[] = [];
  for (let i = 0; i < itemCount(task); i++) {
    try {
      if (task.kind === EACH_ITEM) pack(task.input[i], `items[${task.first + i}]`);
      else pack(task.input, 'args');
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

/** What is to become of the work that a dead worker had. */
export interface Inheritance {
  /** To be put back into the queue at once: it did not begin. */
  readonly back: readonly Task[];
  /** To be run again, after a while. */
  readonly again: Task | undefined;
}

/**
 * Answers for a dead worker: the item it was running is guilty and is rejected, or run again if it has retries left. Everything
 * else it had goes back into the queue; the rest of a chunk in single items, so that further poison in it costs no more than itself.
 */
export function answerForDead(link: WorkerLink, end: WorkerEnd, rules: SettlementRules): Inheritance {
  const { message, item } = link.progress;
  const back: Task[] = [];
  let again: Task | undefined;
  // A worker that never came up has read nothing.
  let isCharged = !link.isUp || (message !== 0 && item !== NO_ITEM && link.outstanding.has(message));
  for (const [number, task] of link.outstanding) {
    const count = itemCount(task);
    if (number === message && item !== NO_ITEM && task.settled < count) {
      if (item === LOADING) {
        again = judgeLoading(link, task, end, rules);
        continue;
      }
      const guilty = Math.max(item, task.settled);
      if (guilty > task.settled) back.push(slice(task, task.settled, guilty, 0));
      again = judge(link, number, task, guilty, end, rules);
      back.push(...singles(task, guilty + 1));
    } else if (task.settled < count) {
      // Nothing had begun: perhaps this one killed the worker as it was read.
      if (!isCharged && number >= message) task.suspicions++;
      isCharged ||= number >= message;
      // Who asks for many retries has reason to think that workers die of something else.
      if (task.suspicions < Math.max(MAX_SUSPICIONS, task.job.plan.retries + 1)) back.push(remainder(task));
      else rejectAll(task, () => lost(link, task, task.settled, end, task.suspicions, rules));
    }
  }
  link.outstanding.clear();
  return { back, again };
}

function remainder(task: Task): Task {
  if (task.settled === 0) return task;
  return slice(task, task.settled, itemCount(task), 0);
}

function singles(task: Task, from: number): Task[] {
  const parts: Task[] = [];
  for (let i = from; i < itemCount(task); i++) parts.push(slice(task, i, i + 1, 0));
  return parts;
}

/** The function's module has ended the process: what goes for one item goes for all. */
function judgeLoading(
  link: WorkerLink,
  task: Task,
  end: WorkerEnd,
  rules: SettlementRules,
): Task | undefined {
  const attempts = task.attempts + 1;
  if (attempts <= task.job.plan.retries && attempts < rules.poisonAfter)
    return slice(task, task.settled, itemCount(task), attempts);
  for (let i = task.settled; i < itemCount(task); i++) {
    const loss = lost(link, task, i, end, attempts, rules);
    task.job.reject(task.first + i, link.stopping?.error(loss) ?? loss);
  }
  return undefined;
}

/** @returns The guilty item as a task, if it may be run again. */
function judge(
  link: WorkerLink,
  number: number,
  task: Task,
  item: number,
  end: WorkerEnd,
  rules: SettlementRules,
): Task | undefined {
  const attempts = task.attempts + 1;
  const { stopping } = link;
  const isStopped = stopping !== undefined && stopping.number === number;
  if (task.job.isOver) return undefined;
  const mayRepeat = task.kind !== STREAMED && !(isStopped && stopping.isFinal);
  if (mayRepeat && attempts <= task.job.plan.retries && attempts < rules.poisonAfter)
    return slice(task, item, item + 1, attempts);
  const loss = lost(link, task, item, end, attempts, rules);
  task.job.reject(task.first + item, isStopped ? stopping.error(loss) : loss);
  return undefined;
}

function lost(
  link: WorkerLink,
  task: Task,
  item: number,
  end: WorkerEnd,
  attempts: number,
  rules: SettlementRules,
): Error {
  const { retries } = task.job.plan;
  const isPoison = retries > 0 && attempts >= rules.poisonAfter && attempts <= retries;
  return workerLost(lossOf(link, task, item, end, attempts, rules.shownMethod), isPoison);
}

/** Why the pool itself stops an item. */
export interface Stopping {
  readonly number: number;
  readonly item: number;
  readonly isTimeout: boolean;
  /** It is not run again, whatever `retries` says. */
  readonly isFinal: boolean;
  error(cause?: Error): Error;
}

export function stoppedForTime(number: number, item: number, limitMs: number): Stopping {
  return {
    number,
    item,
    isTimeout: true,
    isFinal: false,
    error: (cause) => taskTooLong(limitMs, cause),
  };
}

/** Its job is over already, so that the error is for nobody. */
export function stoppedAsUnwanted(number: number, item: number): Stopping {
  return { number, item, isTimeout: false, isFinal: true, error: () => overdue(0) };
}
