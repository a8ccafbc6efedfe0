import type { Task } from '../jobs/task.js';

/** Where tasks come from that are made only when a worker is free for them. */
export interface TaskSource {
  /** The next task, `undefined` when there is none now. */
  nextTask(workers: number): Task | undefined;
  /** The pool was terminated: nothing of what was not made into a task will be done. */
  fail(error: unknown): void;
  /** No further task will ever come. */
  readonly isDry: boolean;
}

/** The tasks of a pool that no worker has: in which order they are due is its own affair. */
export interface WorkQueue {
  /** Tasks that are made and wait. */
  readonly size: number;
  /** Something is due, or may be later. */
  readonly hasWork: boolean;
  add(task: Task): void;
  addSource(source: TaskSource): void;
  /** The task that is due, which stays where it is until `shift`. */
  peek(workers: number): Task | undefined;
  /** Takes out the task that is due. */
  shift(): void;
  /** Puts back what was begun by a worker that was lost, or what was sent too early. */
  putBack(tasks: readonly Task[]): void;
  /** Takes out all tasks that are made. */
  takeTasks(): Task[];
  takeSources(): TaskSource[];
}

/** Tasks that were shifted out stay in the array until this many have gathered, so that shifting costs nothing. */
const COMPACT_AT = 1024;

/** Tasks in the order in which they are due: those that were put back, those that were given, then what sources have. */
export class TaskQueue implements WorkQueue {
  #tasks: Task[] = [];
  #head = 0;
  readonly #sources: TaskSource[] = [];

  /** Tasks that are made and wait. */
  get size(): number {
    return this.#tasks.length - this.#head;
  }

  /** Something is due, or may be later. */
  get hasWork(): boolean {
    return this.size > 0 || this.#sources.some((source) => !source.isDry);
  }

  add(task: Task): void {
    this.#tasks.push(task);
  }

  /** Adds a source; it is asked when no task waits and those before it have nothing. */
  addSource(source: TaskSource): void {
    this.#sources.push(source);
  }

  /** The task that is due, which stays where it is until `shift`. */
  peek(workers: number): Task | undefined {
    for (;;) {
      const task = this.#tasks[this.#head];
      if (task === undefined) break;
      if (!task.job.isOver) return task;
      this.shift();
    }
    // A source that waits for its input lets those behind it go first.
    for (let i = 0; i < this.#sources.length; ) {
      const source = this.#sources[i] as TaskSource;
      const task = source.nextTask(workers);
      if (task !== undefined) {
        this.#tasks.push(task);
        return task;
      }
      if (source.isDry) this.#sources.splice(i, 1);
      else i++;
    }
    return undefined;
  }

  /** Takes out the task that is due. */
  shift(): void {
    this.#head++;
    if (this.#head < COMPACT_AT && this.#head < this.#tasks.length) return;
    this.#tasks.splice(0, this.#head);
    this.#head = 0;
  }

  /** Makes these the tasks that are due first. */
  putBack(tasks: readonly Task[]): void {
    if (tasks.length > 0) this.#tasks = tasks.concat(this.takeTasks());
  }

  /** Takes out all tasks that are made. */
  takeTasks(): Task[] {
    const tasks = this.#tasks.slice(this.#head);
    this.#tasks = [];
    this.#head = 0;
    return tasks;
  }

  /** Takes out all sources. */
  takeSources(): TaskSource[] {
    return this.#sources.splice(0);
  }
}
