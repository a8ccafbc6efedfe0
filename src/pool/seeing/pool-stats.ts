import type { Dispatcher } from '../dispatch/dispatcher.js';
import { itemCount } from '../jobs/task.js';
import type { PoolTimes } from './pool-meter.js';

/** A task that a worker has. What waits has no entry: there may be millions. */
export interface TaskView {
  /** See `currentTask().id`. */
  readonly id: number;
  /** Name of its function; empty when it has none. */
  readonly name: string;
  /** Index of its first item that is not done, and how many are not. */
  readonly index: number;
  readonly items: number;
  /** `ready`: the worker has it and has not begun; `blocked`: its worker is stopped, and another task has its place. */
  readonly state: 'ready' | 'running' | 'blocked';
  readonly pid: number;
  /** Node's number of the thread that has it; 0 in a process of its own. */
  readonly threadId: number;
  /** Since it was given to the pool. */
  readonly ageMs: number;
}

/** A snapshot of what a pool is doing. */
export interface PoolStats {
  readonly workers: number;
  /** Of the workers that are processes: none in a {@link ThreadPool}. */
  readonly pids: readonly number[];
  /** Node's numbers of the workers that are threads. */
  readonly threadIds: readonly number[];
  /** Messages of work that wait in this process; a chunk counts once. */
  readonly queued: number;
  /** Messages of work that workers have. */
  readonly running: number;
  /** Of these, those whose worker is stopped. */
  readonly blocked: number;
  /** Messages of work answered so far. */
  readonly completed: number;
  /** Workers that ended before they were told to. */
  readonly lost: number;
  /** Workers started so far. */
  readonly started: number;
  /** Times a task was put off for another. */
  readonly preemptions: number;
  readonly tasks: readonly TaskView[];
  readonly times: PoolTimes;
}

export function statsOf(dispatcher: Dispatcher): PoolStats {
  const { workers, queued, running, preemptions, meter, crew } = dispatcher;
  const now = performance.now();
  const tasks = workers.flatMap((link) =>
    [...link.outstanding.values()].map((task): TaskView => {
      const isCurrent = link.running?.task === task;
      return {
        id: task.job.id,
        name: task.fn.name,
        index: task.first + task.settled,
        items: itemCount(task) - task.settled,
        state: !isCurrent ? 'ready' : link.isFrozen ? 'blocked' : 'running',
        pid: link.body?.pid ?? 0,
        threadId: link.body?.threadId ?? 0,
        ageMs: now - task.queued.ms,
      };
    }),
  );
  const blocked = tasks.filter(({ state }) => state === 'blocked').length;
  const bodies = workers.flatMap(({ body }) => (body === undefined ? [] : [body]));
  return Object.freeze({
    workers: workers.length,
    pids: bodies.filter(({ threadId }) => threadId === 0).map(({ pid }) => pid),
    threadIds: bodies.map(({ threadId }) => threadId).filter((id) => id !== 0),
    // What was put off is in the queue, too: for its turn, not for a worker.
    queued: queued - blocked,
    running,
    blocked,
    completed: meter.completed,
    lost: crew.lost,
    started: crew.started,
    preemptions,
    tasks,
    get times() {
      return meter.times();
    },
  });
}
