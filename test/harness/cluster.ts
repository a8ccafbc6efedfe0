import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import {
  ClusterPool,
  type ClusterPoolOptions,
  ClusterWorker,
  type ClusterWorkerOptions,
} from '../../src/cluster.js';
import { TestRedis, whyNoRedis } from './redis.js';
import { eventually } from './watchdog.js';

/** The folder by which the tests' callers and workers name functions to each other. */
export const app: string = fileURLToPath(new URL('..', import.meta.url));
export const key = 'a key for tests alone';

/** A Redis, and the pools and workers that the tests of one file have on it. */
export class TestCluster {
  #redis: TestRedis | undefined;
  #count = 0;
  readonly #owned: (ClusterPool | ClusterWorker)[] = [];

  /** Tests that share a Redis; they are skipped where there is none. */
  static describe(title: string, define: (cluster: TestCluster) => void): void {
    describe(title, { skip: whyNoRedis() }, () => {
      const cluster = new TestCluster();
      before(async () => {
        cluster.#redis = await TestRedis.start();
      });
      after(async () => {
        await cluster.#redis?.stop();
      });
      define(cluster);
    });
  }

  get url(): string {
    return this.#redis?.url ?? '';
  }

  pool(queue: string, options: Partial<ClusterPoolOptions> = {}): ClusterPool {
    const pool = new ClusterPool({ connection: this.url, queue, app, ...options });
    this.#owned.unshift(pool);
    return pool;
  }

  /** A worker of one process that has started. */
  async worker(queue: string, options: Partial<ClusterWorkerOptions> = {}): Promise<ClusterWorker> {
    const worker = new ClusterWorker({ connection: this.url, queue, app, jobs: 1, ...options });
    this.#owned.push(worker);
    await worker.start();
    return worker;
  }

  /** A test with a queue of its own; its pools and workers are ended after it. */
  test(title: string, body: (queue: string) => Promise<void>): void {
    test(title, { timeout: 100_000 }, async () => {
      this.#count += 1;
      try {
        await body(`queue-${this.#count}`);
      } finally {
        for (const one of this.#owned.splice(0))
          await (one instanceof ClusterPool ? one.terminate() : one.close());
      }
    });
  }

  /** What a client of the engine finds there. */
  async inEngine<Found>(look: (client: Redis) => Promise<Found>): Promise<Found> {
    const { Redis } = await import('ioredis');
    const client = new Redis(this.url, {});
    try {
      return await look(client);
    } finally {
      client.disconnect();
    }
  }

  /** Resolves once the engine has so many jobs of a queue that nobody has taken. */
  async handedOver(queue: string, jobs: number): Promise<void> {
    const waiting = `{furca:${queue}}:${queue}:prioritized`;
    await this.inEngine((client) =>
      eventually(`the engine has ${jobs} jobs`, async () => (await client.zcard(waiting)) === jobs),
    );
  }
}
