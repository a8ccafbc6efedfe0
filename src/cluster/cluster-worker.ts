import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { cpuCount } from '../process/cpu-count.js';
import { App } from './app.js';
import { entryOf } from './census.js';
import { ChunkRunner, type ChunkVerdict } from './chunk-runner.js';
import { connect, loadEngine } from './engine.js';
import { HostPools } from './host-pools.js';
import { checkedTags, Names, subsetsOf } from './names.js';
import { clusterSettingsOf, positive, whole } from './options.js';
import type { ClusterOptions } from './pool-options.js';
import { Seal } from './sealing.js';

/**
 * Options of {@link ClusterWorker}.
 *
 * @example
 * const options: ClusterWorkerOptions = { connection, queue, app, key, jobs: 1, tags: ['gpu'] };
 * await using worker = new ClusterWorker(options);
 * await worker.start();
 * await using pool = new ClusterPool({ connection, queue, app, key, requires: ['gpu'] });
 * await pool.apply((x: number) => x * 2, [21]); // => 42
 */
export interface ClusterWorkerOptions extends ClusterOptions {
  /** Processes that run tasks, at least 1. Default {@link cpuCount}. */
  readonly jobs?: number;
  /** What this worker has, such as `gpu`: it also takes work that `requires` some of it. Default none. */
  readonly tags?: readonly string[];
  /** A process whose resident memory is larger after a task is replaced, in bytes. Default `Infinity`. */
  readonly maxMemoryPerChildBytes?: number;
  /** A job with more bytes is refused. Default 64 MiB. */
  readonly maxJobBytes?: number;
  /** Work of a worker that was not heard of for so long, in milliseconds, goes to another. Default 10,000. */
  readonly lostAfterMs?: number;
  /** Chunk that was with so many lost workers is given back to its caller, who looks for the item that does it. Default 3. */
  readonly maxLosses?: number;
}

/**
 * A snapshot of what a {@link ClusterWorker} is doing.
 *
 * @example
 * await using worker = new ClusterWorker({ connection, queue, app, key, jobs: 1 });
 * await worker.start();
 * const stats: ClusterWorkerStats = worker.stats();
 * [stats.active, stats.refused]; // => [0, {}]
 */
export interface ClusterWorkerStats {
  readonly id: string;
  /** Chunks that it has now. */
  readonly active: number;
  /** Chunks and items that it has run; items that failed count too. */
  readonly chunks: number;
  readonly items: number;
  readonly failedItems: number;
  /** Chunks that nobody wanted any more when they came or were done. */
  readonly unwanted: number;
  /** Jobs that were refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** When the engine was last heard of, in milliseconds since 1970; 0 before the first time. */
  readonly heardAt: number;
  readonly pids: readonly number[];
}

/**
 * Events of a {@link ClusterWorker}.
 *
 * @example
 * await using worker = new ClusterWorker({ connection, queue: 'strict', app, key, jobs: 1 });
 * type Refused = ClusterWorkerEvents['refused'];
 * const refused = new Promise<Refused[0]>((resolve) => worker.once('refused', (...[told]: Refused) => resolve(told)));
 * await worker.start();
 * await using stranger = new ClusterPool({ connection, queue: 'strict', app, key: 'some other key of theirs' });
 * await stranger.apply(Math.abs, [-1]).catch((error) => error.code); // => 'ERR_FURCA_AUTHENTICATION'
 * (await refused).reason; // => 'signature'
 */
export interface ClusterWorkerEvents {
  /** The engine cannot be reached or complains; the worker goes on trying. */
  trouble: [error: Error];
  /** A job was refused. */
  refused: [refusal: { readonly jobId: string; readonly reason: string; readonly text: string }];
}

const UPKEEP_MS = 1000;
const MAX_JOB_BYTES = 64 * 1024 * 1024;
const KEEP_MS = 3_600_000;

/**
 * Takes chunks from a queue and runs them in a local pool; `furca worker` is this with a command line.
 *
 * @example
 * await using worker = new ClusterWorker({ connection, queue: 'squares', app, key, jobs: 1 });
 * await worker.start();
 * await using pool = new ClusterPool({ connection, queue: 'squares', app, key });
 * await pool.map((x: number) => x * x, [1, 2, 3]); // => [1, 4, 9]
 */
export class ClusterWorker extends EventEmitter<ClusterWorkerEvents> implements AsyncDisposable {
  readonly id: string = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #options: ClusterWorkerOptions;
  readonly #names: Names;
  readonly #tags: readonly string[];
  readonly #jobs: number;
  readonly #lostAfterMs: number;
  readonly #maxLosses: number;
  readonly #maxJobBytes: number;
  readonly #settings: ReturnType<typeof clusterSettingsOf>;
  readonly #pools: HostPools;
  readonly #counts = { chunks: 0, items: 0, failedItems: 0, unwanted: 0 };
  readonly #refused: Record<string, number> = {};
  #workers: Worker[] = [];
  #redis: Redis | undefined;
  #runner: ChunkRunner | undefined;
  #heardAt = 0;
  #upkeep: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isOver = false;
  #started: Promise<void> | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Makes a worker; `start` makes it work.
   *
   * @param options - See {@link ClusterWorkerOptions}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  constructor(options: ClusterWorkerOptions) {
    super();
    this.#settings = clusterSettingsOf(options);
    this.#options = options;
    this.#names = new Names(this.#settings.queue);
    this.#tags = checkedTags('tags', options.tags);
    this.#jobs = whole('jobs', options.jobs ?? cpuCount(), 1);
    this.#lostAfterMs = whole('lostAfterMs', options.lostAfterMs ?? 10_000, 500);
    this.#maxLosses = whole('maxLosses', options.maxLosses ?? 3, 0);
    this.#maxJobBytes = whole('maxJobBytes', options.maxJobBytes ?? MAX_JOB_BYTES, 1);
    const { maxMemoryPerChildBytes } = options;
    if (maxMemoryPerChildBytes !== undefined) positive('maxMemoryPerChildBytes', maxMemoryPerChildBytes);
    this.#pools = new HostPools(
      this.#jobs,
      maxMemoryPerChildBytes === undefined ? {} : { maxMemoryPerChildBytes },
    );
  }

  /**
   * Begins to take work; resolves once the engine was reached.
   *
   * @throws {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const packages = await loadEngine();
    const app = new App(this.#settings.root);
    await app.build();
    if (this.#isClosed) return;
    const onTrouble = (error: Error): void => this.#onTrouble(error);
    const redis = connect(packages, this.#options.connection, onTrouble);
    this.#redis = redis;
    const runner = new ChunkRunner({
      redis,
      names: this.#names,
      seal: new Seal(this.#settings.key),
      app,
      pools: this.#pools,
      workerId: this.id,
      maxJobBytes: this.#maxJobBytes,
      keepMs: KEEP_MS,
    });
    this.#runner = runner;
    await this.#sayAlive(redis);
    if (this.#isClosed) return;
    // A caller's chunk may wait for any set of tags that this worker has.
    this.#workers = subsetsOf(this.#tags).map((tags) => {
      const worker = new packages.engine.Worker(
        this.#names.chunks(tags),
        (job) => this.#process(runner, packages.engine.UnrecoverableError, job.id ?? '', job.data),
        {
          connection: redis as never,
          prefix: this.#names.prefix,
          // One more than run at a time: the next one is here when a process is free.
          concurrency: this.#jobs + 1,
          lockDuration: this.#lostAfterMs,
          stalledInterval: Math.max(500, this.#lostAfterMs / 2),
          maxStalledCount: this.#maxLosses,
          metrics: { maxDataPoints: 7 * 24 * 60 },
          drainDelay: 2,
          skipVersionCheck: true,
          name: this.id,
        },
      );
      worker.on('error', onTrouble);
      return worker;
    });
    this.#upkeep = setTimeout(() => void this.#keepUp(runner, redis), UPKEEP_MS);
  }

  async #process(
    runner: ChunkRunner,
    Unrecoverable: new (message: string) => Error,
    jobId: string,
    data: unknown,
  ): Promise<string> {
    const verdict = await runner.run(jobId, data);
    this.#count(verdict);
    if (verdict.kind !== 'refused') return verdict.kind;
    const { reason, text } = verdict;
    this.emit('refused', { jobId, reason, text });
    // So that the engine's own tools show it among the failed.
    throw new Unrecoverable(`refused (${reason}): ${text}`);
  }

  #count(verdict: ChunkVerdict): void {
    const counts = this.#counts;
    if (verdict.kind === 'ran') {
      counts.chunks += 1;
      counts.items += verdict.items;
      counts.failedItems += verdict.failed;
    } else if (verdict.kind === 'unwanted') counts.unwanted += 1;
    else this.#refused[verdict.reason] = (this.#refused[verdict.reason] ?? 0) + 1;
  }

  async #sayAlive(redis: Redis): Promise<void> {
    // By the engine's clock, which callers go by, too.
    const [seconds = '0', micros = '0'] = (await redis.time()).map(String);
    const seenAt = Number(seconds) * 1000 + Number(micros) / 1000;
    if (!this.#isClosed)
      await redis.hset(this.#names.workers, this.id, entryOf(this.#jobs, this.#tags, seenAt));
    this.#heardAt = Date.now();
  }

  async #keepUp(runner: ChunkRunner, redis: Redis): Promise<void> {
    try {
      // Also while it finishes what it has: it is well, and some of that may be wanted no more.
      await this.#sayAlive(redis);
      await runner.checkActive();
    } catch (error) {
      if (!this.#isOver) this.#onTrouble(error as Error);
    } finally {
      if (!this.#isOver) this.#upkeep = setTimeout(() => void this.#keepUp(runner, redis), UPKEEP_MS);
    }
  }

  /** What the worker is doing now, and has done. */
  stats(): ClusterWorkerStats {
    return Object.freeze({
      id: this.id,
      active: this.#runner?.active.size ?? 0,
      ...this.#counts,
      refused: Object.freeze({ ...this.#refused }),
      heardAt: this.#heardAt,
      pids: this.#pools.pids,
    });
  }

  /** Takes no more work; finishes what it has, then ends its processes. May be called twice. */
  close(): Promise<void> {
    this.#ended ??= this.#close();
    return this.#ended;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    // An engine that was never reached does not hold up the end.
    if (this.#heardAt === 0) this.#redis?.disconnect();
    await this.#started?.catch(() => {});
    const redis = this.#redis;
    if (redis?.status === 'ready') await redis.hdel(this.#names.workers, this.id).catch(() => 0);
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.#pools.close();
    this.#isOver = true;
    clearTimeout(this.#upkeep);
    this.#redis?.disconnect();
  }

  /** Closes the worker. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onTrouble(error: Error): void {
    if (this.listenerCount('trouble') > 0) this.emit('trouble', error);
  }
}
