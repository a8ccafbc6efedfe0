import type { CallbackOptions } from '../pool/jobs/async-result.js';
import type { CallOptions, RepeatOptions } from '../pool/options/call-plan.js';
import type { ItemOptions } from '../pool/options/pool-options.js';

/**
 * How to reach the engine: a URL, or options of ioredis, such as `host`, `port`, `username`, `password` and `tls`.
 *
 * @example
 * const secure: ClusterConnection = { url: connection, username: 'default', connectionName: 'furca' };
 * await using pool = new ClusterPool({ connection: secure, queue, app, key });
 * await pool.apply(() => 42); // => 42
 */
export interface ClusterConnection {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
  readonly [option: string]: unknown;
}

/**
 * What callers and workers of a queue have in common.
 *
 * @example
 * const shared: ClusterOptions = { connection, queue, app, key };
 * await using pool = new ClusterPool({ ...shared, retries: 2 });
 * await pool.map((x: number) => x * 2, [1, 2]); // => [2, 4]
 */
export interface ClusterOptions {
  /** Where the engine is: `redis://host:port`, `rediss://` for TLS, or options of ioredis. */
  readonly connection: string | ClusterConnection;
  /** Name of the queue: letters, digits, dot, dash and underscore. */
  readonly queue: string;
  /** The folder of the program's modules. Functions travel as names of exports below it; it must be the same build everywhere. */
  readonly app: string | URL;
  /** At least 16 bytes, the same for callers and workers: everything is signed with it, and functions may travel by value. Default none. */
  readonly key?: string | Uint8Array;
}

/**
 * Options of {@link ClusterPool}.
 *
 * @example
 * const options: ClusterPoolOptions = { connection, queue, app, key, retries: 2, taskTimeoutMs: 60_000 };
 * await using pool = new ClusterPool(options);
 * await pool.apply((x: number, y: number) => x + y, [1, 2]); // => 3
 */
export interface ClusterPoolOptions extends ClusterOptions {
  /** How often an item is run again after the process that ran it was lost. Default 0. */
  readonly retries?: number;
  /** Longest time one item may run, in milliseconds; it is then stopped. Default `Infinity`. */
  readonly taskTimeoutMs?: number;
  /** An item that has cost so many processes, or so many whole workers, is set aside. Default 5. */
  readonly poisonAfter?: number;
  /** How long results are kept for a caller that is gone, in milliseconds. Default one hour. */
  readonly keepMs?: number;
  /** Tags that a worker must have to run this pool's work. Default none. */
  readonly requires?: readonly string[];
}

/**
 * Options of every call of a {@link ClusterPool}.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const urgent: ClusterCallOptions = { priority: 10, retries: 3, taskTimeoutMs: 30_000, timeoutMs: 120_000 };
 * await pool.apply((text: string) => text.length, ['furca'], urgent); // => 5
 */
export interface ClusterCallOptions extends RepeatOptions, Pick<CallOptions, 'taskTimeoutMs'> {
  /** Aborting it gives the call up: its promise rejects with the reason, what waits is dropped, what runs is stopped within seconds. */
  readonly signal?: AbortSignal;
  /** Larger goes first, among all callers of the queue; a whole number from -1,000,000 to 1,000,000. Default 0. */
  readonly priority?: number;
  /** Longest time for the whole call, in milliseconds. Default `Infinity`. */
  readonly timeoutMs?: number;
}

/**
 * Options of the calls that work on many items.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const named: ClusterMapOptions = { runId: 'nightly', chunkSize: 2 };
 * await pool.map((x: number) => x + 1, [1, 2, 3], named); // => [2, 3, 4]
 */
export interface ClusterMapOptions extends ClusterCallOptions, Pick<ItemOptions, 'chunkSize' | 'progress'> {
  /** Name of the run, by which another process can `reattach` to it. Default: a new one. */
  readonly runId?: string;
}

/**
 * Options of the calls that stream.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const near: ClusterImapOptions = { bufferItems: 10 };
 * const first = await pool.imap((x: number) => x * x, [3, 4], near).next();
 * first.value; // => 9
 */
export interface ClusterImapOptions extends ClusterMapOptions {
  /** Items that may be read from the input and not yet be taken as results, at least 1. Default: a few chunks for each worker. */
  readonly bufferItems?: number;
}

/**
 * Options of {@link ClusterPool.applyAsync}.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const told: number[] = [];
 * const options: ClusterApplyAsyncOptions<number> = { callback: (value) => void told.push(value) };
 * await pool.applyAsync((x: number) => x + 1, [1], options).get(); // => 2
 * told; // => [2]
 */
export interface ClusterApplyAsyncOptions<Result> extends ClusterCallOptions, CallbackOptions<Result> {}

/**
 * Options of {@link ClusterPool.mapAsync}.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const options: ClusterMapAsyncOptions<number[]> = { chunkSize: 1 };
 * const result = pool.mapAsync((x: number) => x + 1, [1, 2], options);
 * await result.get(); // => [2, 3]
 */
export interface ClusterMapAsyncOptions<Result> extends ClusterMapOptions, CallbackOptions<Result> {}

/**
 * Options of {@link ClusterPool.imapSettled}.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const options: ClusterImapSettledOptions = { unordered: true };
 * const seen: number[] = [];
 * for await (const item of pool.imapSettled((x: number) => x, [5, 6], options)) seen.push(item.index);
 * seen.sort(); // => [0, 1]
 */
export interface ClusterImapSettledOptions extends ClusterImapOptions {
  /** Yield items as they are ready instead of in input order. Default `false`. */
  readonly unordered?: boolean;
}

/**
 * A snapshot of what a {@link ClusterPool} is doing.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * await pool.map((x: number) => x, [1, 2]);
 * const stats: ClusterPoolStats = pool.stats();
 * [stats.pending, stats.refused]; // => [0, 0]
 */
export interface ClusterPoolStats {
  /** Workers that may run this pool's work, as they were a second ago, and the processes they have. */
  readonly workers: number;
  readonly processes: number;
  /** Chunks that were submitted and are not answered. */
  readonly pending: number;
  /** Chunks answered so far. */
  readonly completed: number;
  /** Chunks submitted again because the engine had lost them. */
  readonly resubmitted: number;
  /** Results that came for the second time, and were dropped. */
  readonly repeated: number;
  /** Answers that were refusals, or were not signed as they should be. */
  readonly refused: number;
}

/**
 * Events of a {@link ClusterPool}.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * const heard: unknown[] = [];
 * const listeners: { [Name in keyof ClusterPoolEvents]: (...args: ClusterPoolEvents[Name]) => void } = {
 *   error: (error) => void heard.push(error),
 *   trouble: (error) => void heard.push(error),
 * };
 * pool.on('error', listeners.error);
 * pool.on('trouble', listeners.trouble);
 * await pool.apply(() => 'well'); // => 'well'
 * heard; // => []
 */
export interface ClusterPoolEvents {
  /** A failure that nobody read. Without a listener it becomes a process warning. */
  error: [error: unknown];
  /** The engine cannot be reached or complains; the pool goes on trying. */
  trouble: [error: Error];
}
