import type { WorkerLink } from '../crew/worker-link.js';
import type { Task } from '../jobs/task.js';
import { ownTimer } from '../own-timer.js';
import type { SchedulingPolicy } from '../schedule/contract.js';
import type { Entry, ScheduledQueue } from './scheduled-queue.js';

/** How often stopped workers are looked at: whoever waits for a lock that one of them holds waits no longer than this. */
const LOOK_AT_STOPPED_MS = 10;

interface Shift {
  readonly link: WorkerLink;
  readonly task: Task;
  readonly entry: Entry;
  since: number;
}

/**
 * Puts running tasks off and on again, as the policy says, by stopping and continuing their workers.
 *
 * At most `places()` workers run at a time; each stopped one is beyond these, and at most `maxStopped` are. A stopped worker is woken
 * by this process alone; when this process dies the lifeline ends it like all others.
 */
export class Preemptor {
  readonly #queue: ScheduledQueue;
  readonly #policy: SchedulingPolicy;
  readonly #places: () => number;
  readonly #maxStopped: number;
  readonly #again: () => void;
  readonly #running = new Map<WorkerLink, Shift>();
  readonly #stopped = new Map<Task, Shift>();
  #timer: NodeJS.Timeout | undefined;
  preemptions = 0;

  /** @param again - Called when it is time to look again. */
  constructor(queue: ScheduledQueue, places: () => number, maxStopped: number, again: () => void) {
    this.#queue = queue;
    this.#policy = queue.policy;
    this.#places = places;
    this.#maxStopped = maxStopped;
    this.#again = again;
  }

  get stopped(): number {
    return this.#stopped.size;
  }

  /** No further task may run now. */
  get isFull(): boolean {
    return this.#running.size >= this.#places();
  }

  /** `link` was given `task` and runs it. */
  began(link: WorkerLink, task: Task): void {
    this.#running.set(link, { link, task, entry: this.#queue.entryOf(task), since: performance.now() });
  }

  /** `link` has done what it had, or is gone. */
  over(link: WorkerLink): void {
    const shift = this.#running.get(link);
    this.#running.delete(link);
    if (shift !== undefined) this.#queue.done(shift.task);
    for (const { link: stopped, task } of this.#stopped.values()) {
      if (stopped !== link) continue;
      // It was through already when it was stopped.
      this.#stopped.delete(task);
      this.#queue.drop(task);
      link.thaw();
    }
  }

  /** If `task` was stopped in the middle, puts it on again. */
  resume(task: Task): boolean {
    const shift = this.#stopped.get(task);
    if (shift === undefined) return false;
    this.#stopped.delete(task);
    shift.link.thaw();
    shift.link.progress.frozenFor(performance.now() - shift.since);
    shift.since = performance.now();
    this.#running.set(shift.link, shift);
    return true;
  }

  /** Puts `link` on again out of turn, for instance to be ended. */
  release(link: WorkerLink): void {
    for (const { link: stopped, task } of this.#stopped.values()) {
      if (stopped !== link) continue;
      this.#queue.removeReady(task);
      this.resume(task);
    }
  }

  releaseAll(): void {
    for (const { link } of [...this.#stopped.values()]) this.release(link);
  }

  /**
   * Stops one running task if the one that is next shall have its place; `canRun` tells whether it could be put on.
   *
   * @returns whether a place became free.
   */
  makeRoom(canRun: (task: Task) => boolean): boolean {
    const now = performance.now();
    const next = this.#policy.peek(now) as Entry | undefined;
    if (next === undefined) return false;
    const isNextStopped = this.#stopped.has(next.task);
    if (!isNextStopped && (this.#stopped.size >= this.#maxStopped || !canRun(next.task))) return false;
    for (const shift of this.#running.values()) {
      const { link, entry } = shift;
      if (link.stopping !== undefined || link.outstanding.size === 0) continue;
      if (this.#policy.shallYield?.(entry, now - shift.since, now) !== true) continue;
      if (link.freeze()) {
        this.#stop(shift, now);
        return true;
      }
    }
    return false;
  }

  isStopped(task: Task): boolean {
    return this.#stopped.has(task);
  }

  #stop(shift: Shift, now: number): void {
    const { link, task } = shift;
    this.preemptions++;
    this.#running.delete(link);
    this.#stopped.set(task, shift);
    this.#queue.preempted(task, now - shift.since);
    shift.since = now;
  }

  /** Sets a timer for the next moment at which somebody may have to make way. */
  watch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // It was stopped before anybody waited for what it holds.
    for (const { link } of [...this.#stopped.values()]) if (link.isAwaited) this.release(link);
    let waitMs = this.#stopped.size > 0 ? LOOK_AT_STOPPED_MS : Number.POSITIVE_INFINITY;
    const now = performance.now();
    if (this.#policy.size > 0 && this.#policy.quantumMs !== undefined) {
      for (const { entry, since } of this.#running.values())
        waitMs = Math.min(waitMs, this.#policy.quantumMs(entry) - (now - since));
    }
    if (!Number.isFinite(waitMs)) return;
    this.#timer = ownTimer(this.#again, Math.max(1, waitMs));
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
