import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { badClusterOption } from './failures.js';
import { checkedName, checkedTags } from './names.js';
import type {
  ClusterCallOptions,
  ClusterConnection,
  ClusterOptions,
  ClusterPoolOptions,
} from './pool-options.js';
import { checkedKey } from './sealing.js';

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
