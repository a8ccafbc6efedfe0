import assert from 'node:assert/strict';
import { getContext, type Pool, type PoolOptions, type StartMethod, ThreadPool } from '../../src/index.js';
import { isGone, until, workerIds } from '../fixtures/pool-outcomes.js';
import { closureCases } from './pool-closures.js';
import { endingCases } from './pool-endings.js';
import { errorCases } from './pool-errors.js';
import { familyCases } from './pool-family.js';
import { limitCases } from './pool-limits.js';
import { perCallCases } from './pool-per-call.js';
import { refusalCases } from './pool-refusals.js';
import { resultCases } from './pool-results.js';
import { sizeCases } from './pool-sizes.js';
import { streamCases } from './pool-streams.js';

/** What the workers are. */
export type WorkerKind = StartMethod | 'thread';

/** The pools of one kind of workers, as a case gets them. No case keeps a timer or a handle open: under `fork` no worker could start. */
export interface Pools {
  readonly kind: WorkerKind;
  /** Two workers that all cases share; a case must leave it as it was. */
  shared(): Pool;
  /** A pool of the case's own; it is terminated after the case. */
  own(workers?: number, options?: PoolOptions): Pool;
  /** Whether nothing is left of the worker with this id; see `workerIds`. */
  isGone(id: number): boolean;
}

export interface PoolCase {
  readonly title: string;
  run(pools: Pools): Promise<void>;
}

export const poolCases: readonly PoolCase[] = [
  ...resultCases,
  ...streamCases,
  ...errorCases,
  ...refusalCases,
  ...familyCases,
  ...limitCases,
  ...perCallCases,
  ...endingCases,
  ...sizeCases,
  ...closureCases,
];

/** The pools of one kind of workers, and how to take down what a case has made. */
export class PoolKeeper implements Pools {
  readonly kind: WorkerKind;
  #shared: Pool | undefined;
  readonly #own: Pool[] = [];

  constructor(kind: WorkerKind) {
    this.kind = kind;
  }

  shared(): Pool {
    this.#shared ??= this.#make(2);
    return this.#shared;
  }

  own(workers?: number, options?: PoolOptions): Pool {
    const pool = this.#make(workers, options);
    this.#own.push(pool);
    return pool;
  }

  isGone(id: number): boolean {
    if (this.kind !== 'thread') return isGone(id);
    // A thread leaves no trace in the system that could be told from others; its pool counts it until Node has joined it.
    return ![...this.#own, ...(this.#shared === undefined ? [] : [this.#shared])].some((pool) =>
      workerIds(pool).includes(id),
    );
  }

  #make(workers?: number, options?: PoolOptions): Pool {
    if (this.kind === 'thread') return new ThreadPool(workers, options);
    return new (getContext(this.kind).Pool)(workers, options);
  }

  /** Ends the pools of a case and waits until none of their workers is left. */
  async tidyUp(): Promise<void> {
    for (const pool of this.#own.splice(0)) await endOf(pool);
  }

  async endShared(): Promise<void> {
    if (this.#shared !== undefined) await endOf(this.#shared);
  }
}

async function endOf(pool: Pool): Promise<void> {
  const { pids } = pool.stats();
  await pool.terminate();
  await until(() => pids.every(isGone));
  assert.equal(pool.stats().workers, 0);
}
