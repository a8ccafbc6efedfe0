import { after, before, describe, test } from 'node:test';
import { ClusterPool, ClusterWorker } from '../../src/cluster.js';
import type { Pool, PoolOptions } from '../../src/index.js';
import { isGone } from '../fixtures/pool-outcomes.js';
import { app, key } from '../harness/cluster.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { type PoolCase, type Pools, poolCases } from './pool-cases.js';

/** Cases of the local pool that are none of a cluster's, by a part of their title, and why. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ...[
    'work is spread over the workers',
    'stats tells of workers',
    'read a bounded part of an endless input',
    'a break out of the loop stops the input',
    'after a map has failed',
    'functions that cannot travel',
    'an aborted signal rejects',
    'a task that heeds no signal',
    'processes that a task has started',
    'await using closes the pool',
  ].map((part) => [part, 'it looks into the processes of the pool, which are another machine’s'] as const),
  ...['number of workers that is no', 'options that make no sense', 'the number of workers changes'].map(
    (part) => [part, 'processes and start methods are the worker’s business'] as const,
  ),
  ...['stream yields', 'a streaming task', 'a stream is only so far', 'a stream has no retries'].map(
    (part) => [part, 'values of a generator would each be a message: return them, or use imap'] as const,
  ),
  ...['AsyncLocalStorage', 'an initializer', 'maxTasksPerChild', 'idle for too long', 'every policy'].map(
    (part) => [part, 'an option of the local pool'] as const,
  ),
  ...['queueTimeoutMs', 'at its deadline'].map(
    (part) => [part, 'the calls of a cluster have timeoutMs'] as const,
  ),
  ...['close lets all', 'never used closes', 'join before close', 'join gives up', 'terminate rejects'].map(
    (part) => [part, 'there is no join: close and terminate resolve when the engine was left'] as const,
  ),
  ['currentTask tells', 'numbers of tasks are those of the run; test/unit/cluster.pool.test.ts has its own'],
  ['a task over its time that returns', 'an item is told to stop as in a local map, whose value then counts'],
  ['a module or export that is not there', 'the worker refuses it, and says so'],
  ...['instances travel', 'an error thrown by a task is an instance', 'functions travel as arguments'].map(
    (part) => [part, 'between machines travels data; errors are rebuilt as known classes'] as const,
  ),
  ...['thousands of different functions', '20,000 single calls', 'many functions and many calls'].map(
    (part) =>
      [part, 'each single call is a job of the engine: right, and slow; a map is for many items'] as const,
  ),
  ...['of 20 MiB', 'many large items', '100,000 small items'].map(
    (part) => [part, 'too long for the suite; scripts/chaos-cluster.mjs has its like'] as const,
  ),
]);

/** A pool, and the worker that has its queue. */
interface Both {
  readonly pool: ClusterPool;
  readonly worker: ClusterWorker;
}

class ClusterPools implements Pools {
  readonly kind = 'forkserver';
  readonly #url: string;
  readonly #own: Both[] = [];
  #shared: Both | undefined;
  #count = 0;

  constructor(url: string) {
    this.#url = url;
  }

  shared(): Pool {
    this.#shared ??= this.#make(2, {});
    return asPool(this.#shared);
  }

  own(processes: number = 2, options: PoolOptions = {}): Pool {
    const both = this.#make(processes, options);
    this.#own.push(both);
    return asPool(both);
  }

  #make(jobs: number, options: PoolOptions): Both {
    this.#count += 1;
    const common = { connection: this.#url, queue: `queue-${this.#count}`, app, key };
    const { retries, taskTimeoutMs, poisonAfter } = options;
    const pool = new ClusterPool({
      ...common,
      ...(retries === undefined ? {} : { retries }),
      ...(taskTimeoutMs === undefined ? {} : { taskTimeoutMs }),
      ...(poisonAfter === undefined ? {} : { poisonAfter }),
    });
    const worker = new ClusterWorker({ ...common, jobs });
    void worker.start();
    return { pool, worker };
  }

  isGone(id: number): boolean {
    return isGone(id);
  }

  /** What a case had of its own. */
  async endOwn(): Promise<void> {
    for (const both of this.#own.splice(0)) await end(both);
  }

  async end(): Promise<void> {
    await this.endOwn();
    if (this.#shared !== undefined) await end(this.#shared);
  }
}

function asPool({ pool }: Both): Pool {
  // The part of the contract that the cases use is the same; what is not is listed above.
  return pool as unknown as Pool;
}

async function end({ pool, worker }: Both): Promise<void> {
  await pool.terminate();
  await worker.close();
}

/** Runs those of some cases that are a cluster's, too, on one; they are in several files, since each has only so much time. */
export function runOnCluster(cases: readonly PoolCase[]): void {
  describe('cluster', { skip: whyNoRedis() }, () => {
    let redis: TestRedis;
    let pools: ClusterPools;
    before(async () => {
      redis = await TestRedis.start();
      pools = new ClusterPools(redis.url);
    });
    after(async () => {
      await pools?.end();
      await redis?.stop();
    });
    for (const { title, run } of cases) {
      if ([...OTHERWISE.keys()].some((part) => title.includes(part))) continue;
      test(`cluster: ${title}`, { timeout: 110_000 }, async () => {
        try {
          await run(pools);
        } finally {
          await pools.endOwn();
        }
      });
    }
  });
}

/** Names of cases that are none of a cluster's and are no more. */
export function goneCases(): readonly string[] {
  const titles = poolCases.map(({ title }) => title);
  return [...OTHERWISE.keys()].filter((part) => !titles.some((title) => title.includes(part)));
}
