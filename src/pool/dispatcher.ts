import type { Member } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import { poolTerminated, workersKeepDying } from './failures.js';
import { answerForDead, refuseUnsendable, rejectAll, settleMessage } from './settlement.js';
import { itemCount, type Task } from './task.js';
import { TaskQueue, type TaskSource } from './task-queue.js';
import { WorkerLink, type WorkerSettings } from './worker-link.js';

/** Work that a worker may hold in advance, so that it need not wait for the next message. */
const AHEAD_MS = 1;
const MOST_AHEAD = 512;
/** How often workers are looked at that hold work which others could do. */
const RECALL_LOOK_MS = 5;
/** Workers that may die one after another, before any task was done, until the pool gives up: this many for each worker. */
const STILLBORN_PER_WORKER = 3;
/** A terminated worker that does not end is killed after this time. */
const KILL_AFTER_MS = 500;

/** How the pool wants its tasks treated. */
export interface DispatchSettings extends WorkerSettings {
  readonly size: number;
  readonly retries: number;
  readonly taskTimeoutMs: number;
}

/**
 * Gives tasks to workers and sees that every task is answered.
 *
 * The parent owns the truth: a task is in the queue, or outstanding at one worker, or settled. When a worker dies, what it had
 * finished is read first; then the item it was running is guilty, and everything else goes back to the queue.
 */
export class Dispatcher {
  readonly #member: Member;
  readonly #settings: DispatchSettings;
  readonly #links = new Set<WorkerLink>();
  readonly #queue = new TaskQueue();
  #lastUsed: WorkerLink | undefined;
  #isPumpDue = false;
  #isPolling = false;
  #isClosing = false;
  #isTerminated = false;
  #stillborn = 0;
  #recallTimer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  completed = 0;
  lost = 0;

  constructor(member: Member, settings: DispatchSettings) {
    this.#member = member;
    this.#settings = settings;
    this.#replenish();
  }

  get workers(): readonly WorkerLink[] {
    return [...this.#links];
  }

  get queued(): number {
    return this.#queue.size;
  }

  get running(): number {
    let count = 0;
    for (const link of this.#links) count += link.outstanding.size;
    return count;
  }

  /** Adds a task at the end of the queue. */
  add(task: Task): void {
    this.#queue.add(task);
    if (this.#links.size === 0) this.#replenish();
    this.#pumpSoon();
  }

  /** Adds a source; it is asked when the queue is empty and those before it have nothing. */
  addSource(source: TaskSource): void {
    this.#queue.addSource(source);
    if (this.#links.size === 0) this.#replenish();
    this.#pumpSoon();
  }

  /** A source has something again, or is dry. */
  sourceChanged(): void {
    if (this.#links.size === 0 && !this.#isTerminated) this.#replenish();
    this.#pumpSoon();
  }

  /** Takes no further task; workers end when all are done. */
  close(): void {
    this.#isClosing = true;
    this.#pumpSoon();
  }

  /** Ends the workers; every task that is not done is rejected. */
  terminate(): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    this.#isClosing = true;
    for (const task of this.#queue.takeTasks()) rejectAll(task, poolTerminated);
    for (const link of this.#links) {
      for (const task of link.outstanding.values()) rejectAll(task, poolTerminated);
      link.outstanding.clear();
      link.handle?.signal('SIGTERM');
    }
    for (const source of this.#queue.takeSources()) source.fail(poolTerminated());
    this.#watchLoop();
    const late = setTimeout(() => {
      for (const link of this.#links) link.handle?.signal('SIGKILL');
    }, KILL_AFTER_MS);
    late.unref();
    void this.whenEmpty().then(() => clearTimeout(late));
  }

  /** Resolves once the last worker is gone. */
  whenEmpty(options: WaitOptions = {}): Promise<void> {
    return this.#member.parking.waitUntil(
      () => {
        for (const link of this.#links) link.handle?.look();
        return this.#links.size === 0;
      },
      'Joining the pool',
      options,
    );
  }

  #addWorker(): void {
    const link = new WorkerLink(this.#member);
    this.#links.add(link);
    link.start(this.#settings).then(
      (handle) => {
        handle.onOver(() => this.#onWorkerEnd(link, handle.exitCode));
        if (this.#isTerminated) handle.signal('SIGTERM');
        this.#pumpSoon();
      },
      (error: unknown) => this.#onWorkerEnd(link, null, error),
    );
  }

  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    // Tasks of one turn are announced together: one wake-up for each worker, not for each task.
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    const touched = new Set<WorkerLink>();
    while (!this.#isTerminated) {
      const task = this.#queue.peek(this.#settings.size);
      if (task === undefined) break;
      const link = this.#pickLink(task);
      if (link === undefined || !this.#send(link, task)) break;
      touched.add(link);
    }
    for (const link of touched) link.flush();
    this.#stopWorkers();
    this.#watchLoop();
    this.#watchRecall();
    this.#watchDeadlines();
  }

  #send(link: WorkerLink, task: Task): boolean {
    let isSent: boolean;
    try {
      isSent = link.send(task);
    } catch {
      this.#queue.shift();
      this.#queue.putBack(refuseUnsendable(task));
      return true;
    }
    if (!isSent) return false;
    this.#lastUsed = link;
    this.#queue.shift();
    return true;
  }

  /** The worker that has least to do; of idle ones that which worked last, for it is still warm. */
  #pickLink(task: Task): WorkerLink | undefined {
    const limit = ahead(task);
    let best: WorkerLink | undefined;
    if (this.#lastUsed?.outstanding.size === 0 && this.#lastUsed.isReady) return this.#lastUsed;
    for (const link of this.#links) {
      const load = link.outstanding.size;
      // Behind a task that was recalled for its length nothing is queued anew until it is done.
      if (load > 0 && link.progress.isRecalled) continue;
      if (!link.isReady || load >= limit || load >= (best?.outstanding.size ?? Number.POSITIVE_INFINITY))
        continue;
      best = link;
      if (load === 0) break;
    }
    return best;
  }

  readonly #poller = (): boolean => {
    let found = false;
    for (const link of this.#links) if (this.#receiveAll(link)) found = true;
    if (found) this.#pump();
    return found;
  };

  #receiveAll(link: WorkerLink): boolean {
    let found = false;
    for (let message = link.receive(); message !== undefined; message = link.receive()) {
      found = true;
      const done = settleMessage(link, message);
      this.completed += done;
      if (done > 0) this.#stillborn = 0;
    }
    link.payResume();
    return found;
  }

  #onWorkerEnd(link: WorkerLink, exitCode: number | null, startError?: unknown): void {
    // Finished results are in the pipe although their worker is gone.
    this.#receiveAll(link);
    this.#links.delete(link);
    if (this.#lastUsed === link) this.#lastUsed = undefined;
    if (link.outstanding.size > 0) this.#queue.putBack(answerForDead(link, exitCode ?? 1, this.#settings));
    link.dispose();
    if (!link.isStopping && !this.#isTerminated) {
      this.lost++;
      this.#stillborn = link.progress.message === 0 ? this.#stillborn + 1 : 0;
      if (this.#stillborn > STILLBORN_PER_WORKER * this.#settings.size) this.#giveUp(startError);
      else this.#replenish();
    }
    this.#pump();
  }

  #giveUp(cause: unknown): void {
    const next = (): Task | undefined => this.#queue.peek(this.#settings.size);
    for (let task = next(); task !== undefined; task = next()) {
      this.#queue.shift();
      rejectAll(task, () => workersKeepDying(cause));
    }
    this.#stillborn = 0;
  }

  /** Brings the pool to its size. After it gave up this happens with the next task. */
  #replenish(): void {
    while (this.#links.size < this.#settings.size && (!this.#isClosing || this.#hasWork())) this.#addWorker();
  }

  #hasWork(): boolean {
    return this.running > 0 || this.#queue.hasWork;
  }

  #stopWorkers(): void {
    if (!this.#isClosing || this.#hasWork()) return;
    for (const link of this.#links) link.stop();
  }

  /** Keeps the event loop alive while there is work, and only then. */
  #watchLoop(): void {
    const isBusy = this.running > 0;
    if (isBusy) this.#member.parking.expectSoon();
    const isWanted = isBusy || this.#hasWork();
    if (isWanted === this.#isPolling) return;
    this.#isPolling = isWanted;
    if (isWanted) this.#member.parking.poll(this.#poller, true);
    else this.#member.parking.stopPolling(this.#poller);
  }

  /** While somebody is idle and the queue is empty, work that waits behind a long task is taken back. */
  #watchRecall(): void {
    if (this.#recallTimer !== undefined || !this.#couldRecall()) return;
    this.#recallTimer = setTimeout(() => {
      this.#recallTimer = undefined;
      if (!this.#couldRecall()) return;
      for (const link of this.#links) {
        if (link.outstanding.size < 2) continue;
        const place = link.progress.message * 65536 + link.progress.item;
        if (place === link.lastPlace) this.#queue.putBack(link.recall());
        link.lastPlace = place;
      }
      this.#pump();
    }, RECALL_LOOK_MS);
    this.#recallTimer.unref();
  }

  #couldRecall(): boolean {
    let idle = 0;
    let laden = 0;
    for (const link of this.#links) {
      if (link.outstanding.size === 0 && link.isReady) idle++;
      else if (link.outstanding.size > 1) laden++;
    }
    return idle > 0 && laden > 0 && this.queued === 0;
  }

  /** Kills workers whose item has run for longer than allowed. */
  #watchDeadlines(): void {
    const { taskTimeoutMs } = this.#settings;
    if (!Number.isFinite(taskTimeoutMs) || this.#deadlineTimer !== undefined || this.running === 0) return;
    this.#deadlineTimer = setTimeout(
      () => {
        this.#deadlineTimer = undefined;
        for (const link of this.#links) this.#enforceDeadline(link);
        this.#watchDeadlines();
      },
      Math.min(Math.max(taskTimeoutMs / 8, 2), 250),
    );
  }

  #enforceDeadline(link: WorkerLink): void {
    const { message, item } = link.progress;
    const task = link.outstanding.get(message);
    if (task === undefined || item < task.settled || link.killedFor !== undefined) return;
    if (link.progress.runningMs <= this.#settings.taskTimeoutMs) return;
    // Read once more: had it gone on meanwhile, the time would belong to another item.
    if (link.progress.message !== message || link.progress.item !== item) return;
    link.killedFor = { task, item };
    link.handle?.signal('SIGKILL');
  }
}

/** How many messages of the kind of `task` a worker may hold. */
function ahead(task: Task): number {
  const { meanMs } = task.fn;
  if (meanMs === undefined) return 1;
  const messageMs = meanMs * itemCount(task);
  return Math.min(Math.max(1 + Math.floor(AHEAD_MS / Math.max(messageMs, 1e-6)), 1), MOST_AHEAD);
}
