import { PROCESSES } from '../pool/crew/process-body.js';
import { guardJob } from '../pool/dispatch/job-guard.js';
import { type SettledList, SettledMapJob } from '../pool/jobs/settled-map-job.js';
import type { TaskFunction, TaskOrigin } from '../pool/jobs/task.js';
import { planOf } from '../pool/options/call-plan.js';
import { settingsOf } from '../pool/options/settings.js';
import { PoolCore } from '../pool/pool-core.js';
import type { AnyFunction } from '../wire/functions.js';
import type { ItemRules } from './options.js';

/** What callers ask of the processes that run their items. */
export interface HostRules extends ItemRules {
  readonly poisonAfter: number;
}

/** Pools that are kept; callers of one queue mostly have the same. */
const MOST_POOLS = 4;
/** Processes of a pool that nobody uses end after this time; those of the latest pool stay. */
const IDLE_MS = 30_000;

/** How items of a chunk ended, and how long one takes. */
export interface HostResult extends SettledList {
  readonly meanMs: number | undefined;
}

interface HostPool {
  readonly core: PoolCore;
  active: number;
}

/** The local pools of a worker, one for each `poisonAfter`; what else callers ask for, calls of one pool can have. */
export class HostPools {
  readonly #jobs: number;
  readonly #options: { readonly maxMemoryPerChildBytes?: number };
  readonly #pools = new Map<number, HostPool>();
  readonly #closing = new Set<Promise<void>>();

  constructor(jobs: number, options: { readonly maxMemoryPerChildBytes?: number }) {
    this.#jobs = jobs;
    this.#options = options;
  }

  /** Runs items; resolves when all have ended. Rejects with the signal's reason. */
  async run(
    fn: AnyFunction,
    isSpread: boolean,
    items: readonly unknown[],
    rules: HostRules,
    origin: TaskOrigin,
    signal: AbortSignal,
  ): Promise<HostResult> {
    if (items.length === 0) return { values: [], failures: [], meanMs: undefined };
    const pool = this.#poolFor(rules.poisonAfter);
    pool.active += 1;
    try {
      const { core } = pool;
      const described: TaskFunction = core.describe(fn, isSpread);
      const { retries, taskTimeoutMs } = rules;
      const plan = planOf(
        { signal, retries, taskTimeoutMs: taskTimeoutMs ?? Number.POSITIVE_INFINITY },
        core.plain,
      );
      const job = new SettledMapJob(described, items, plan, origin);
      guardJob(job, core.dispatcher);
      if (!job.isOver) core.dispatcher.addSource(job);
      const settled = await job.promise;
      return { ...settled, meanMs: described.meanMs };
    } finally {
      pool.active -= 1;
    }
  }

  /** Process ids of all workers. */
  get pids(): readonly number[] {
    return [...this.#pools.values()].flatMap(({ core }) =>
      core.dispatcher.workers.flatMap(({ body }) => (body === undefined ? [] : [body.pid])),
    );
  }

  #poolFor(poisonAfter: number): HostPool {
    const known = this.#pools.get(poisonAfter);
    if (known !== undefined) return known;
    for (const [other, pool] of this.#pools) {
      if (this.#pools.size < MOST_POOLS) break;
      if (pool.active > 0) continue;
      this.#pools.delete(other);
      this.#close(pool);
    }
    const settings = settingsOf(
      this.#jobs,
      {
        ...this.#options,
        name: 'Cluster',
        poisonAfter,
        idleTimeoutMs: IDLE_MS,
      },
      { bodies: PROCESSES, isOnDemand: true, sendsAhead: true },
    );
    const pool: HostPool = { core: new PoolCore(settings, undefined, 'Cluster'), active: 0 };
    this.#pools.set(poisonAfter, pool);
    return pool;
  }

  #close({ core }: HostPool): void {
    core.state = 'closed';
    core.dispatcher.close();
    const closing = core.dispatcher.whenEmpty().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Lets what runs finish, then ends all processes. */
  async close(): Promise<void> {
    for (const pool of this.#pools.values()) this.#close(pool);
    this.#pools.clear();
    await Promise.all(this.#closing);
  }

  /** Ends all processes at once. */
  async terminate(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    for (const { core } of pools) {
      core.state = 'terminated';
      core.dispatcher.terminate('SIGKILL');
    }
    await Promise.all(pools.map(({ core }) => core.dispatcher.whenEmpty()));
  }
}
