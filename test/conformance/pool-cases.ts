import assert from 'node:assert/strict';
import { getContext, type Pool, type PoolOptions, type StartMethod } from '../../src/index.js';
import { isGone, until } from '../fixtures/pool-outcomes.js';
import { closureCases } from './pool-closures.js';
import { endingCases } from './pool-endings.js';
import { errorCases } from './pool-errors.js';
import { familyCases } from './pool-family.js';
import { limitCases } from './pool-limits.js';
import { refusalCases } from './pool-refusals.js';
import { resultCases } from './pool-results.js';
import { sizeCases } from './pool-sizes.js';
import { streamCases } from './pool-streams.js';

/** The pools of a start method, as a case gets them. No case keeps a timer or a handle open: under `fork` no worker could start. */
export interface Pools {
  readonly startMethod: StartMethod;
  /** Two workers that all cases share; a case must leave it as it was. */
  shared(): Pool;
  /** A pool of the case's own; it is terminated after the case. */
  own(processes?: number, options?: PoolOptions): Pool;
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
  ...endingCases,
  ...sizeCases,
  ...closureCases,
];

/** The pools of one start method, and how to take down what a case has made. */
export class PoolKeeper implements Pools {
  readonly startMethod: StartMethod;
  #shared: Pool | undefined;
  readonly #own: Pool[] = [];

  constructor(startMethod: StartMethod) {
    this.startMethod = startMethod;
  }

  shared(): Pool {
    this.#shared ??= new (getContext(this.startMethod).Pool)(2);
    return this.#shared;
  }

  own(processes?: number, options?: PoolOptions): Pool {
    const pool = new (getContext(this.startMethod).Pool)(processes, options);
    this.#own.push(pool);
    return pool;
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
