import type { Member } from '../../arena/member.js';
import type { WaitOptions } from '../../arena/parking.js';
import { Crew } from '../crew/crew.js';
import type { WorkerLink } from '../crew/worker-link.js';
import { initializerDied, poolTerminated, workersKeepDying } from '../failures.js';
import { itemCount, type Job, slice, type Task } from '../jobs/task.js';
import type { DispatchSettings } from '../options/dispatch-settings.js';
import { ownTimer } from '../own-timer.js';
import { PoolMeter } from '../seeing/pool-meter.js';
import type { PoolTracer } from '../seeing/pool-tracer.js';
import { IdleWatch } from './idle-watch.js';
import { LateResults } from './late-results.js';
import { MemoryGuard } from './memory-guard.js';
import { Preemptor } from './preemptor.js';
import { Recall } from './recall.js';
import { Receiver } from './receiver.js';
import { RetryDelay } from './retry-delay.js';
import { ScheduledQueue } from './scheduled-queue.js';
import { refuseUnsendable, rejectAll, stoppedAsUnwanted } from './settlement.js';
import { StoppingLadder } from './stopping-ladder.js';
import { TaskQueue, type TaskSource, type WorkQueue } from './task-queue.js';
import { TimeLimit } from './time-limit.js';
import { WorkerChoice } from './worker-choice.js';

/** A terminated worker that does not end is killed after this time. */
const KILL_AFTER_MS = 500;

/**
 * Gives tasks to workers and sees that every task is answered.
 *
 * The parent owns the truth: a task is in the queue, or outstanding at one worker, or settled. When a worker dies, what it had
 * finished is read first; then the item it was running is guilty, and everything else goes back to the queue.
 */
export class Dispatcher {
  readonly #member: Member;
  readonly #settings: DispatchSettings;
  readonly #ownPid = process.pid;
  readonly #crew: Crew;
  readonly #queue: WorkQueue;
  readonly #scheduled: ScheduledQueue | undefined;
  readonly #preemptor: Preemptor | undefined;
  readonly #delay: RetryDelay;
  readonly #ladder: StoppingLadder;
  readonly #timeLimit: TimeLimit;
  readonly #memory: MemoryGuard;
  readonly #receiver: Receiver;
  readonly #choice: WorkerChoice;
  /** What looks now and then while there is work. */
  readonly #watches: readonly { watch(): void }[];
  readonly meter: PoolMeter = new PoolMeter();
  #size: number;
  #isPumpDue = false;
  #isPolling = false;
  #isClosing = false;
  #isTerminated = false;
  /** Makes the error of all tasks, since no worker will ever come up. */
  #makeFailure: (() => unknown) | undefined;

  constructor(member: Member, settings: DispatchSettings) {
    this.#member = member;
    this.#settings = settings;
    this.#size = settings.size;
    this.#crew = new Crew(member, settings, {
      changed: () => this.#pumpSoon(),
      read: (link) => this.#receiver.receiveAll(link),
      ended: (link) => this.#onWorkerEnd(link),
      gaveUp: (cause, isFinal) => this.#giveUp(cause, isFinal),
    });
    const { policy } = settings;
    this.#scheduled = policy === undefined ? undefined : new ScheduledQueue(policy);
    this.#queue = this.#scheduled ?? new TaskQueue();
    // A thread cannot be stopped and continued: there a policy decides who is next, and nothing else.
    if (this.#scheduled !== undefined && policy?.shallYield !== undefined && !settings.bodies.isThread) {
      this.#preemptor = new Preemptor(
        this.#scheduled,
        () => this.#size,
        settings.maxStopped,
        () => this.#pump(),
      );
    }
    this.#delay = new RetryDelay(settings.backoffMs, (task) => this.#requeue([task]));
    this.#ladder = new StoppingLadder(settings);
    const { links } = this.#crew;
    this.#timeLimit = new TimeLimit(links, this.#ladder);
    this.#memory = new MemoryGuard(settings, this.#crew, () => this.#pumpSoon());
    this.#receiver = new Receiver(
      {
        crew: this.#crew,
        queue: this.#queue,
        scheduled: this.#scheduled,
        preemptor: this.#preemptor,
        delay: this.#delay,
        ladder: this.#ladder,
        memory: this.#memory,
        meter: this.meter,
        breakDown: (makeFailure) => this.#breakDown(makeFailure),
      },
      settings,
    );
    this.#choice = new WorkerChoice(links, settings.sendsAhead);
    const recall = new Recall(
      links,
      () => this.queued === 0,
      (tasks) => this.#requeue(tasks),
    );
    this.#watches = [
      ...(settings.sendsAhead ? [recall] : []),
      this.#timeLimit,
      new LateResults(links, this.#receiver, () => this.#pump()),
      ...(this.#preemptor === undefined ? [] : [this.#preemptor]),
      this.#memory,
      new IdleWatch(settings.idleTimeoutMs, this.#crew),
    ];
    this.#replenish();
  }

  get workers(): readonly WorkerLink[] {
    return [...this.#crew.links];
  }

  /** Number of workers that run tasks at a time. */
  get size(): number {
    return this.#size;
  }

  get crew(): Crew {
    return this.#crew;
  }

  get preemptions(): number {
    return this.#preemptor?.preemptions ?? 0;
  }

  get queued(): number {
    return this.#queue.size + this.#delay.size;
  }

  get running(): number {
    let count = 0;
    for (const link of this.#crew.links) count += link.outstanding.size;
    return count;
  }

  /** From now on what happens to tasks is written down. */
  traceBy(tracer: PoolTracer): void {
    this.#receiver.tracer = tracer;
  }

  /** Adds a task at the end of the queue. */
  add(task: Task): void {
    if (!this.#isPumpDue) this.meter.turn();
    task.queued = this.meter.now;
    this.#queue.add(task);
    this.#crew.revive();
    this.#pumpSoon();
  }

  /** Adds a source; it is asked when the queue is empty and those before it have nothing. */
  addSource(source: TaskSource): void {
    this.#queue.addSource(source);
    this.#crew.revive();
    this.#pumpSoon();
  }

  /** A source has something again, or is dry; or a job is over. */
  changed(): void {
    this.#crew.revive();
    this.#pumpSoon();
  }

  /** Stops whatever is done for `job`, which is over. */
  stopJob(job: Job): void {
    for (const link of this.#crew.links) {
      if (![...link.outstanding.values()].some((task) => task.job === job)) continue;
      this.#preemptor?.release(link);
      if (link.outstanding.size > 1) this.#queue.putBack(link.recall());
      for (const [number, task] of link.outstanding) {
        if (task.job === job) this.#ladder.begin(link, stoppedAsUnwanted(number, task.settled));
      }
    }
    this.#pumpSoon();
  }

  /** Something of `job` runs, or has run. */
  hasBegun(job: Job): boolean {
    if (job.hasSettled) return true;
    for (const link of this.#crew.links) if (link.hasBegun(job)) return true;
    return false;
  }

  /** From now on there are to be `size` workers. */
  resize(size: number): void {
    this.#size = size;
    this.#crew.shrink(this.#wanted());
    this.#pumpSoon();
  }

  /** Resolves once as many workers as there shall be have come up and are initialized. */
  whenUp(options: WaitOptions = {}): Promise<void> {
    if (!this.#isClosing) this.#crew.replenish(this.#size);
    const isUp = (): boolean => {
      for (const link of this.#crew.links) this.#receiver.receiveAll(link);
      return this.#crew.up >= this.#size || this.#makeFailure !== undefined || this.#isClosing;
    };
    return this.#member.parking.waitUntil(isUp, 'Warming the pool up', options).then(() => {
      if (this.#makeFailure !== undefined) throw this.#makeFailure();
    });
  }

  /** Takes no further task; workers end when all are done. */
  close(): void {
    this.#isClosing = true;
    this.#pumpSoon();
  }

  /** Ends the workers; every task that is not done is rejected. */
  terminate(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    this.#isClosing = true;
    this.#crew.isEnded = true;
    this.#preemptor?.releaseAll();
    this.#preemptor?.end();
    this.#failQueued(poolTerminated);
    for (const link of this.#crew.links) {
      for (const task of link.outstanding.values()) rejectAll(task, poolTerminated);
      link.outstanding.clear();
      link.body?.signal(signal);
    }
    this.#watchLoop();
    const late = ownTimer(() => {
      for (const link of this.#crew.links) link.body?.signal('SIGKILL');
    }, KILL_AFTER_MS);
    void this.whenEmpty().then(() => clearTimeout(late));
  }

  /** Resolves once the last worker is gone. */
  whenEmpty(options: WaitOptions = {}): Promise<void> {
    return this.#member.parking.waitUntil(
      () => {
        this.#crew.look();
        return this.#crew.links.size === 0;
      },
      'Joining the pool',
      options,
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
    // A forked worker is born with whatever its parent was about to do.
    if (process.pid !== this.#ownPid) return;
    this.meter.turn();
    if (this.#makeFailure !== undefined) this.#failQueued(this.#makeFailure);
    const touched = new Set<WorkerLink>();
    do {
      while (!this.#isTerminated && this.#giveNext(touched));
    } while (this.#preemptor?.isFull === true && this.#preemptor.makeRoom(() => this.#choice.hasIdle));
    for (const link of touched) link.flush();
    this.#replenish();
    this.#stopWorkers();
    this.#watch();
  }

  /** Gives the next task to a worker, if both are there. */
  #giveNext(touched: Set<WorkerLink>): boolean {
    const preemptor = this.#preemptor;
    if (preemptor?.isFull === true || this.#memory.isHolding) return false;
    const task = this.#queue.peek(this.#size);
    if (task === undefined) return false;
    if (preemptor?.isStopped(task) === true) {
      this.#queue.shift();
      return preemptor.resume(task);
    }
    const link = this.#choice.for(task);
    if (link === undefined || !this.#send(link, task)) return false;
    touched.add(link);
    return true;
  }

  #send(link: WorkerLink, due: Task): boolean {
    const { maxTasksPerChild } = this.#settings;
    const left = maxTasksPerChild - link.assigned;
    const task = itemCount(due) > left ? slice(due, 0, left, due.attempts) : due;
    let isSent: boolean;
    try {
      isSent = link.send(task);
    } catch {
      this.#queue.shift();
      this.#queue.putBack(refuseUnsendable(due));
      return true;
    }
    if (!isSent) return false;
    this.#choice.used(link);
    this.#queue.shift();
    task.sent = this.meter.now;
    this.#timeLimit.sent(task);
    this.#preemptor?.began(link, task);
    if (task !== due) this.#queue.putBack([slice(due, left, itemCount(due), 0)]);
    if (link.assigned >= maxTasksPerChild) this.#crew.retire(link);
    return true;
  }

  readonly #poller = (): boolean => {
    let found = false;
    for (const link of this.#crew.links) if (this.#receiver.receiveAll(link)) found = true;
    if (found) this.#pump();
    return found;
  };

  #onWorkerEnd(link: WorkerLink): void {
    // First: what it leaves behind may be given to others at once.
    this.#choice.gone(link);
    this.#receiver.onEnd(link);
    if (!link.isStopping && !this.#isTerminated) this.#receiver.tracer?.lost(link);
    this.#pump();
  }

  #requeue(tasks: readonly Task[]): void {
    this.#queue.putBack(tasks);
    this.#pump();
  }

  #giveUp(cause: unknown, isFinal: boolean): void {
    if (isFinal) this.#breakDown(() => initializerDied(cause));
    else this.#failQueued(() => workersKeepDying(cause), false);
  }

  /** No worker will ever be initialized: all tasks fail, now and later. */
  #breakDown(makeFailure: () => unknown): void {
    this.#makeFailure ??= makeFailure;
    this.#crew.isEnded = true;
    for (const link of this.#crew.links) {
      for (const task of link.outstanding.values()) rejectAll(task, this.#makeFailure);
      link.outstanding.clear();
    }
    this.#crew.stopAll();
    this.#pumpSoon();
  }

  /** @param withSources - What sources have not made into tasks yet fails too; else they are asked, and may go on. */
  #failQueued(makeFailure: () => unknown, withSources = true): void {
    for (const task of [...this.#queue.takeTasks(), ...this.#delay.take()]) rejectAll(task, makeFailure);
    if (withSources) {
      for (const source of this.#queue.takeSources()) source.fail(makeFailure());
      return;
    }
    for (let task = this.#queue.peek(this.#size); task !== undefined; task = this.#queue.peek(this.#size)) {
      this.#queue.shift();
      rejectAll(task, makeFailure);
    }
  }

  /** How many workers there shall be now. */
  #wanted(): number {
    const { isOnDemand, idleTimeoutMs, maxStopped } = this.#settings;
    const stopped = this.#preemptor?.stopped ?? 0;
    // One to spare, so that who is put off makes room for somebody at once.
    const extra = this.#preemptor === undefined ? 0 : Math.min(stopped + 1, maxStopped);
    if (!isOnDemand && idleTimeoutMs === Number.POSITIVE_INFINITY) return this.#size + extra;
    return Math.min(this.#size, this.running + this.#queue.size) + stopped;
  }

  #replenish(): void {
    if (!this.#isTerminated && (!this.#isClosing || this.#hasWork())) this.#crew.replenish(this.#wanted());
  }

  #hasWork(): boolean {
    return this.running > 0 || this.#delay.size > 0 || this.#queue.hasWork;
  }

  #stopWorkers(): void {
    if (this.#isClosing && !this.#hasWork()) this.#crew.stopAll();
    else this.#crew.payDebts();
  }

  #watch(): void {
    this.#watchLoop();
    for (const watch of this.#watches) watch.watch();
  }

  /** Keeps the event loop alive while there is work, and only then. */
  #watchLoop(): void {
    if (this.running > 0) this.#member.parking.expectSoon();
    const isWanted = this.#hasWork();
    if (isWanted === this.#isPolling) return;
    this.#isPolling = isWanted;
    if (isWanted) this.#member.parking.poll(this.#poller, true);
    else this.#member.parking.stopPolling(this.#poller);
  }
}
