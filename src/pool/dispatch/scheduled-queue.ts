import { itemCount, type Task } from '../jobs/task.js';
import type { Schedulable, SchedulingPolicy } from '../schedule/contract.js';
import type { TaskSource, WorkQueue } from './task-queue.js';

/** Tasks of one source that a policy may choose among. */
const AHEAD_OF_SOURCE = 256;

/** A task as its policy knows it. */
export class Entry implements Schedulable {
  readonly task: Task;
  readonly priority: number;
  readonly cost: number | undefined;
  readonly arrivedAt: number;
  ranMs = 0;

  constructor(task: Task) {
    const { plan } = task.job;
    this.task = task;
    this.priority = plan.priority;
    this.cost = costOf(task);
    this.arrivedAt = task.queued.ms;
  }

  get id(): number {
    return this.task.id;
  }
}

function costOf(task: Task): number | undefined {
  const { cost } = task.job.plan;
  if (cost === undefined) return task.fn.meanMs === undefined ? undefined : task.fn.meanMs * itemCount(task);
  if (itemCount(task) === 1) return cost(task.input[0]);
  return task.input.reduce((sum: number, item) => sum + cost(item), 0);
}

/** A source, and what was read of it and waits. */
interface ReadSource {
  readonly source: TaskSource;
  readonly waiting: Set<Entry>;
}

/** A queue whose order is a policy's. */
export class ScheduledQueue implements WorkQueue {
  readonly policy: SchedulingPolicy;
  readonly #entries = new Map<Task, Entry>();
  readonly #sources: ReadSource[] = [];
  readonly #sourceOf = new Map<Entry, Set<Entry>>();
  #due: Entry | undefined;

  constructor(policy: SchedulingPolicy) {
    this.policy = policy;
  }

  get size(): number {
    return this.policy.size;
  }

  get hasWork(): boolean {
    return this.policy.size > 0 || this.#sources.some(({ source }) => !source.isDry);
  }

  add(task: Task): void {
    this.#ready(new Entry(task), 'new');
  }

  addSource(source: TaskSource): void {
    this.#sources.push({ source, waiting: new Set() });
  }

  peek(workers: number): Task | undefined {
    this.#readSources(workers);
    for (;;) {
      const entry = this.policy.peek(performance.now()) as Entry | undefined;
      if (entry === undefined) return undefined;
      this.#due = entry;
      if (!entry.task.job.isOver || entry.ranMs > 0) return entry.task;
      this.shift();
      this.done(entry.task);
    }
  }

  shift(): void {
    const entry = this.#due;
    if (entry === undefined) return;
    this.#due = undefined;
    this.policy.remove(entry, performance.now());
    this.#sourceOf.get(entry)?.delete(entry);
    this.#sourceOf.delete(entry);
  }

  putBack(tasks: readonly Task[]): void {
    for (const task of tasks) {
      this.done(task);
      this.#ready(new Entry(task), 'again');
    }
  }

  /** `task` was stopped in the middle, and is ready to be put on again. */
  preempted(task: Task, ranMs: number): void {
    const entry = this.entryOf(task);
    entry.ranMs += ranMs;
    this.#ready(entry, 'preempted');
  }

  /** The entry of a task that was added and is not done. */
  entryOf(task: Task): Entry {
    let entry = this.#entries.get(task);
    if (entry === undefined) {
      entry = new Entry(task);
      this.#entries.set(task, entry);
    }
    return entry;
  }

  /** `task` is through, or lost with its worker. */
  done(task: Task): void {
    const entry = this.#entries.get(task);
    if (entry === undefined) return;
    this.#entries.delete(task);
    this.policy.finished?.(entry);
  }

  /** A task that was ready runs, out of turn. */
  removeReady(task: Task): void {
    const entry = this.#entries.get(task);
    if (entry !== undefined) this.policy.remove(entry, performance.now());
  }

  /** A task that was ready to go on is gone. */
  drop(task: Task): void {
    this.removeReady(task);
    this.done(task);
  }

  takeTasks(): Task[] {
    const tasks: Task[] = [];
    for (;;) {
      const entry = this.policy.peek(performance.now()) as Entry | undefined;
      if (entry === undefined) return tasks;
      this.#due = entry;
      this.shift();
      this.done(entry.task);
      if (entry.ranMs === 0) tasks.push(entry.task);
    }
  }

  takeSources(): TaskSource[] {
    return this.#sources.splice(0).map(({ source }) => source);
  }

  #ready(entry: Entry, reason: 'new' | 'again' | 'preempted'): void {
    this.#entries.set(entry.task, entry);
    this.policy.add(entry, performance.now(), reason);
  }

  #readSources(workers: number): void {
    for (let i = 0; i < this.#sources.length; ) {
      const { source, waiting } = this.#sources[i] as ReadSource;
      while (waiting.size < AHEAD_OF_SOURCE) {
        const task = source.nextTask(workers);
        if (task === undefined) break;
        const entry = new Entry(task);
        waiting.add(entry);
        this.#sourceOf.set(entry, waiting);
        this.#ready(entry, 'new');
      }
      if (source.isDry) this.#sources.splice(i, 1);
      else i++;
    }
  }
}
