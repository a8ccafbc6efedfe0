import type { Redis, RedisOptions } from 'ioredis';
import { missingPackage } from './failures.js';
import type { ClusterConnection } from './pool-options.js';

type Engine = typeof import('bullmq');
type Client = Pick<typeof import('ioredis'), 'Redis'>;

/** The engine and its client: optional dependencies, so that nobody who needs no cluster has them. */
export interface EnginePackages {
  readonly engine: Engine;
  readonly client: Client;
}

let loaded: Promise<EnginePackages> | undefined;

/**
 * Loads the engine when it is first needed.
 *
 * @throws {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`: it is not installed.
 */
export function loadEngine(): Promise<EnginePackages> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<EnginePackages> {
  try {
    return { engine: await import('bullmq'), client: await import('ioredis') };
  } catch (error) {
    loaded = undefined;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') throw missingPackage(error);
    throw error;
  }
}

/** Every connection has something to hear more often than this; one that has not is made anew. */
const SILENCE_MS = 15_000;
/** Longest pause between two attempts to reach the engine. */
const LONGEST_PAUSE_MS = 1000;

/**
 * Opens a connection that outlives the engine: commands wait while it is away, and are sent again when it is back. All commands of
 * this package may be repeated.
 *
 * @param onTrouble - Told of each error of the connection, which mends itself.
 */
export function connect(
  { client }: EnginePackages,
  connection: string | ClusterConnection,
  onTrouble: (error: Error) => void,
): Redis {
  const lasting: RedisOptions = {
    // Replies have the same shape with all versions of the client.
    protocol: 2,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, 50 * times),
    reconnectOnError: (error) => (/^(READONLY|LOADING|MASTERDOWN)/.test(error.message) ? 2 : false),
    // A machine that went away without a word is noticed by its silence.
    keepAlive: 10_000,
    socketTimeout: SILENCE_MS,
  };
  const redis = makeClient(client, connection, lasting);
  redis.on('error', onTrouble);
  return redis;
}

/** Whether a command failed for the connection alone: single ones are sent again by the client, those of a pipeline only as a whole. */
export function isOfConnection(error: unknown): boolean {
  const { message, code } = error as NodeJS.ErrnoException;
  return (
    /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code ?? '') ||
    /^(LOADING|READONLY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)|aborted due to connection close|Connection is closed|Socket timeout/.test(
      message,
    )
  );
}

function makeClient(client: Client, connection: string | ClusterConnection, lasting: RedisOptions): Redis {
  // The overloads of the constructor ask for options that a plain connection has not.
  const make = client.Redis as unknown as new (...args: readonly (string | RedisOptions)[]) => Redis;
  if (typeof connection === 'string') return new make(connection, lasting);
  const { url, ...rest } = connection;
  const options = { ...rest, ...lasting } as RedisOptions;
  return url === undefined ? new make(options) : new make(url, options);
}
