import { type ErrorRecord, rebuildError } from '../../wire/errors.js';
import type { Crew } from '../crew/crew.js';
import type { WorkerLink } from '../crew/worker-link.js';
import { OomWatch, reasonOf, type WorkerEnd } from '../crew/worker-loss.js';
import { itemCount, slice, type Task } from '../jobs/task.js';
import { UP } from '../messages.js';
import type { PoolMeter } from '../seeing/pool-meter.js';
import type { PoolTracer } from '../seeing/pool-tracer.js';
import type { MemoryGuard } from './memory-guard.js';
import type { Preemptor } from './preemptor.js';
import type { RetryDelay } from './retry-delay.js';
import type { ScheduledQueue } from './scheduled-queue.js';
import { answerForDead, type SettlementRules, settleJournal, settleMessage } from './settlement.js';
import type { StoppingLadder } from './stopping-ladder.js';
import type { WorkQueue } from './task-queue.js';

/** The parts of a pool that hear of results and ends. */
export interface ReceiverParts {
  readonly crew: Crew;
  readonly queue: WorkQueue;
  readonly scheduled: ScheduledQueue | undefined;
  readonly preemptor: Preemptor | undefined;
  readonly delay: RetryDelay;
  readonly ladder: StoppingLadder;
  readonly memory: MemoryGuard;
  readonly meter: PoolMeter;
  /** No worker will ever be initialized. */
  breakDown(makeFailure: () => unknown): void;
}

/** Takes what workers send, and what they leave behind. */
export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #rules: SettlementRules;
  readonly #oom = new OomWatch();
  tracer: PoolTracer | undefined;

  constructor(parts: ReceiverParts, rules: SettlementRules) {
    this.#parts = parts;
    this.#rules = rules;
  }

  /** Takes all that `link` has sent; tells whether there was anything. */
  receiveAll(link: WorkerLink): boolean {
    const { meter } = this.#parts;
    let found = false;
    for (let message = link.receive(); message !== undefined; message = link.receive()) {
      if (!found) meter.turn();
      found = true;
      if (message[0] === UP) this.#onUp(link, message[1]);
      else settleMessage(link, message, this.#onDone);
    }
    link.payResume();
    if (found) this.#afterResults(link);
    return found;
  }

  #afterResults(link: WorkerLink): void {
    const { meter, ladder, preemptor, memory } = this.#parts;
    if (link.stopping !== undefined) ladder.settle(link);
    if (link.outstanding.size === 0) {
      link.idleSince = meter.now.ms;
      preemptor?.over(link);
    }
    memory.weigh(link);
  }

  /** Takes what `link` has finished and keeps to itself, since it is busy; tells whether there was anything. */
  receiveKept(link: WorkerLink): boolean {
    this.#parts.meter.turn();
    const isFound = this.receiveAll(link);
    const finished = link.readFinished();
    if (finished === undefined || !settleJournal(link, finished, this.#onDone)) return isFound;
    this.#afterResults(link);
    return true;
  }

  /** `link` is gone: settles what it had finished, and answers for the rest. */
  onEnd(link: WorkerLink): void {
    const { scheduled, preemptor, queue, delay } = this.#parts;
    // Finished results are in the pipe, or noted, although their worker is gone.
    this.receiveAll(link);
    settleJournal(link, link.readJournal(), this.#onDone);
    preemptor?.over(link);
    if (link.outstanding.size === 0) return;
    for (const task of link.outstanding.values()) scheduled?.done(task);
    const exitCode = link.body?.exitCode ?? 1;
    const stderrTail = link.body?.readStderrTail() ?? '';
    const reason = reasonOf(link, exitCode, stderrTail, this.#oom);
    const end: WorkerEnd = { exitCode, reason, stderrTail };
    const { back, again } = answerForDead(link, end, this.#rules);
    queue.putBack(back);
    if (again !== undefined) delay.add(again);
  }

  readonly #onDone = (link: WorkerLink, task: Task, ranMs: number): void => {
    const { queue, scheduled, preemptor, meter } = this.#parts;
    // A chunk that was asked to stop ends early: the rest of it is nobody's fault.
    if (task.settled > 0 && task.settled < itemCount(task) && !task.job.isOver)
      queue.putBack([slice(task, task.settled, itemCount(task), 0)]);
    // One that was through when it was stopped stands in the queue, to be put on again: the preemptor takes it out.
    if (preemptor?.isStopped(task) !== true) scheduled?.done(task);
    meter.done(task, ranMs);
    this.tracer?.done(link, task, ranMs);
  };

  #onUp(link: WorkerLink, error: ErrorRecord | null): void {
    const { crew, breakDown } = this.#parts;
    if (error === null) {
      crew.cameUp(link);
      return;
    }
    crew.retire(link);
    breakDown(() => rebuildError(error));
  }
}
