import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterPool, ClusterWorker } from '../../src/cluster.js';
import type { Pool, PoolOptions } from '../../src/index.js';
import { isGone } from '../fixtures/pool-outcomes.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { type Pools, poolCases } from './pool-cases.js';

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
  ...['stream yields', 'a streaming task', 'a stream is only so far'].map(
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
  ...['retries of a call', 'of a call is', 'retries and taskTimeoutMs'].map(
    (part) => [part, 'a cluster has retries and taskTimeoutMs for all of a pool’s calls'] as const,
  ),
  ['stack of an error leads', 'it is, but for names of folders, which are the worker’s'],
  ['currentTask tells', 'numbers of tasks are those of the run; test/unit/cluster.pool.test.ts has its own'],
  ['a task over its time that returns', 'an item is told to stop as in a local map, whose value then counts'],
  ['a module or export that is not there', 'the worker refuses it, and says so'],
  ['a task may make a pool of its own', 'the local pool beneath sees to it'],
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

const app = fileURLToPath(new URL('..', import.meta.url));
const key = 'a key for tests alone';

class ClusterPools implements Pools {
  readonly kind = 'forkserver';
  readonly #url: string;
  readonly #pools: ClusterPool[] = [];
  readonly #workers: ClusterWorker[] = [];
  #shared: Pool | undefined;
  #count = 0;

  constructor(url: string) {
    this.#url = url;
  }

  shared(): Pool {
    this.#shared ??= this.#make(2, {});
    return this.#shared;
  }

  own(processes: number = 2, options: PoolOptions = {}): Pool {
    return this.#make(processes, options);
  }

  #make(jobs: number, options: PoolOptions): Pool {
    this.#count += 1;
    const common = { connection: this.#url, queue: `queue-${this.#count}`, app, key };
    const { retries, taskTimeoutMs, poisonAfter } = options;
    const pool = new ClusterPool({
      ...common,
      ...(retries === undefined ? {} : { retries }),
      ...(taskTimeoutMs === undefined ? {} : { taskTimeoutMs }),
      ...(poisonAfter === undefined ? {} : { poisonAfter }),
    });
    this.#pools.push(pool);
    const worker = new ClusterWorker({ ...common, jobs });
    this.#workers.push(worker);
    void worker.start();
    // The part of the contract that the cases use is the same; what is not is listed above.
    return pool as unknown as Pool;
  }

  isGone(id: number): boolean {
    return isGone(id);
  }

  async end(): Promise<void> {
    for (const pool of this.#pools) await pool.terminate();
    for (const worker of this.#workers) await worker.close();
  }
}

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
  for (const { title, run } of poolCases) {
    if ([...OTHERWISE.keys()].some((part) => title.includes(part))) continue;
    test(`cluster: ${title}`, { timeout: 30_000 }, () => run(pools));
  }
});

test('every case that is none of the cluster’s is still there', () => {
  const titles = poolCases.map(({ title }) => title);
  const gone = [...OTHERWISE.keys()].filter((part) => !titles.some((title) => title.includes(part)));
  assert.deepEqual(gone, []);
});
