import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CallOptions, RepeatOptions } from '../pool/options/call-plan.js';
import type { ItemOptions } from '../pool/options/pool-options.js';
import { badClusterOption } from './failures.js';
import { checkedName, checkedTags } from './names.js';
import { checkedKey } from './sealing.js';

/** How to reach the engine: a URL, or options of ioredis, such as `host`, `port`, `username`, `password` and `tls`. */
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

/** What callers and workers of a queue have in common. */
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

/** Options of {@link ClusterPool}. */
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

/** Options of every call of a {@link ClusterPool}. */
export interface ClusterCallOptions extends RepeatOptions, Pick<CallOptions, 'taskTimeoutMs'> {
  /** Aborting it gives the call up: its promise rejects with the reason, what waits is dropped, what runs is stopped within seconds. */
  readonly signal?: AbortSignal;
  /** Larger goes first, among all callers of the queue; a whole number from -1,000,000 to 1,000,000. Default 0. */
  readonly priority?: number;
  /** Longest time for the whole call, in milliseconds. Default `Infinity`. */
  readonly timeoutMs?: number;
}

/** Options of the calls that work on many items. */
export interface ClusterMapOptions extends ClusterCallOptions, Pick<ItemOptions, 'chunkSize' | 'progress'> {
  /** Name of the run, by which another process can `reattach` to it. Default: a new one. */
  readonly runId?: string;
}

/** Options of the calls that stream. */
export interface ClusterImapOptions extends ClusterMapOptions {
  /** Items that may be read from the input and not yet be taken as results, at least 1. Default: a few chunks for each worker. */
  readonly bufferItems?: number;
}

/** What options of both sides come to. */
export interface ClusterSettings {
  readonly connection: string | ClusterConnection;
  readonly queue: string;
  readonly root: string;
  readonly key: Uint8Array | undefined;
}

/** How items are run: what a call may ask for. */
export interface ItemRules {
  readonly retries: number;
  /** `null` for ever. */
  readonly taskTimeoutMs: number | null;
}

/** What a pool's options come to. */
export interface PoolSettings extends ClusterSettings {
  /** Of calls that say nothing about it. */
  readonly rules: ItemRules;
  readonly poisonAfter: number;
  readonly keepMs: number;
  readonly requires: readonly string[];
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; nothing has happened. */
export function poolSettingsOf(options: ClusterPoolOptions): PoolSettings {
  const { poisonAfter = 5, keepMs = 3_600_000 } = options ?? {};
  return {
    ...clusterSettingsOf(options),
    rules: rulesOf(options, { retries: 0, taskTimeoutMs: null }),
    poisonAfter: whole('poisonAfter', poisonAfter, 1),
    keepMs: whole('keepMs', keepMs, 1000),
    requires: checkedTags('requires', options.requires),
  };
}

function rulesOf({ retries, taskTimeoutMs }: ClusterCallOptions, defaults: ItemRules): ItemRules {
  return {
    retries: retries === undefined ? defaults.retries : whole('retries', retries, 0),
    taskTimeoutMs: taskTimeoutMs === undefined ? defaults.taskTimeoutMs : limitOf(taskTimeoutMs),
  };
}

function limitOf(taskTimeoutMs: number): number | null {
  return taskTimeoutMs === Number.POSITIVE_INFINITY ? null : positive('taskTimeoutMs', taskTimeoutMs);
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; nothing has happened. */
export function clusterSettingsOf(options: ClusterOptions): ClusterSettings {
  if (typeof options !== 'object' || options === null) throw badClusterOption('the options', 'an object');
  return {
    connection: checkedConnection(options.connection),
    queue: checkedName('queue', options.queue),
    root: checkedRoot(options.app),
    key: checkedKey(options.key),
  };
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedConnection(connection: unknown): string | ClusterConnection {
  if (typeof connection === 'string' && /^(rediss?|unix):\/\/|^\//.test(connection)) return connection;
  if (typeof connection === 'object' && connection !== null) return connection as ClusterConnection;
  throw badClusterOption('connection', 'a URL such as redis://host:6379, or options of ioredis');
}

function checkedRoot(app: unknown): string {
  const isUrl = app instanceof URL || (typeof app === 'string' && app.startsWith('file:'));
  const path = isUrl ? fileURLToPath(app) : app;
  if (typeof path === 'string' && existsSync(path)) return realpathSync(path);
  throw badClusterOption('app', 'a folder that is there');
}

export function whole(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw badClusterOption(name, `a whole number, at least ${least}`);
}

export function positive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw badClusterOption(name, 'above 0');
}

/** What a call's options come to. */
export interface ClusterPlan {
  readonly rules: ItemRules;
  readonly signal: AbortSignal | undefined;
  readonly priority: number;
  readonly timeoutMs: number;
}

const MOST_PRIORITY = 1_000_000;

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function clusterPlanOf(options: ClusterCallOptions | undefined, defaults: ItemRules): ClusterPlan {
  if (options === undefined) return clusterPlanOf({}, defaults);
  if (typeof options !== 'object' || options === null) throw badClusterOption('the options', 'an object');
  const { signal, priority = 0, timeoutMs = Number.POSITIVE_INFINITY } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw badClusterOption('signal', 'an AbortSignal');
  if (!Number.isInteger(priority) || Math.abs(priority) > MOST_PRIORITY)
    throw badClusterOption('priority', `a whole number from -${MOST_PRIORITY} to ${MOST_PRIORITY}`);
  return { rules: rulesOf(options, defaults), signal, priority, timeoutMs: positive('timeoutMs', timeoutMs) };
}

/** The engine's priority: smaller goes first, 1 at least. */
export function enginePriority(priority: number): number {
  return MOST_PRIORITY + 1 - priority;
}
