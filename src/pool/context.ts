import { checkedStartMethod, defaultStartMethod, getAllStartMethods } from '../process/methods.js';
import { Process } from '../process/process.js';
import type { ProcessOptions } from '../process/process-options.js';
import type { StartMethod } from '../process/start-request.js';
import type { PoolOptions } from './options/pool-options.js';
import { Pool } from './pool.js';

/** The package bound to one start method, whatever the program's own is. */
export interface Context {
  readonly startMethod: StartMethod;
  /** {@link Process}, started by this method. */
  readonly Process: typeof Process;
  /** {@link Pool}, its workers started by this method. */
  readonly Pool: typeof Pool;
  getStartMethod(): StartMethod;
  getAllStartMethods(): StartMethod[];
  getContext(method?: StartMethod): Context;
}

class ForkserverProcess<const Args extends readonly unknown[] = readonly []> extends Process<Args> {
  constructor(options: ProcessOptions<Args> = {} as ProcessOptions<Args>) {
    super({ ...options, startMethod: 'forkserver' });
  }
}

class ForkProcess<const Args extends readonly unknown[] = readonly []> extends Process<Args> {
  constructor(options: ProcessOptions<Args> = {} as ProcessOptions<Args>) {
    super({ ...options, startMethod: 'fork' });
  }
}

class SpawnProcess<const Args extends readonly unknown[] = readonly []> extends Process<Args> {
  constructor(options: ProcessOptions<Args> = {} as ProcessOptions<Args>) {
    super({ ...options, startMethod: 'spawn' });
  }
}

const PROCESSES: Readonly<Record<StartMethod, typeof Process>> = {
  forkserver: ForkserverProcess,
  fork: ForkProcess,
  spawn: SpawnProcess,
};

const contexts = new Map<StartMethod, Context>();

/**
 * The package bound to one start method, so that a library need not touch the program's own choice.
 *
 * @param method - Default: the program's own start method, as it is now.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such method.
 *
 * @example
 * getContext('spawn').startMethod; // => 'spawn'
 */
export function getContext(method: StartMethod = defaultStartMethod()): Context {
  const startMethod = checkedStartMethod(method);
  let context = contexts.get(startMethod);
  if (context === undefined) {
    context = makeContext(startMethod);
    contexts.set(startMethod, context);
  }
  return context;
}

function makeContext(startMethod: StartMethod): Context {
  class BoundPool extends Pool {
    constructor(processes?: number, options: PoolOptions = {}) {
      super(processes, { ...options, startMethod });
    }
  }
  const context: Context = {
    startMethod,
    Process: PROCESSES[startMethod],
    Pool: BoundPool,
    getStartMethod: () => startMethod,
    getAllStartMethods,
    getContext: (method) => (method === undefined ? context : getContext(method)),
  };
  return Object.freeze(context);
}
