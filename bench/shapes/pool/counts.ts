import type { Mode } from '../../runner/plan.js';

export interface PoolCounts {
  readonly callWarmUp: number;
  readonly calls: number;
  readonly inFlight: number;
  readonly flightWarmUp: number;
  readonly flightTasks: number;
  readonly mapWarmUp: number;
  readonly mapItems: number;
  /** Items given to pools that have no chunked map; their time is extrapolated to `mapItems`. */
  readonly peerMapItems: number;
}

const FULL: PoolCounts = {
  callWarmUp: 3_000,
  calls: 10_000,
  inFlight: 1_000,
  flightWarmUp: 20_000,
  flightTasks: 100_000,
  mapWarmUp: 100_000,
  mapItems: 1_000_000,
  peerMapItems: 50_000,
};

const QUICK: PoolCounts = {
  callWarmUp: 100,
  calls: 500,
  inFlight: 1_000,
  flightWarmUp: 1_000,
  flightTasks: 5_000,
  mapWarmUp: 1_000,
  mapItems: 50_000,
  peerMapItems: 5_000,
};

export function countsOf(mode: Mode): PoolCounts {
  return mode === 'full' ? FULL : QUICK;
}

/** @throws Error when `sum` is not that of 0, 1, ... `items - 1`: a task was lost, doubled or mixed up. */
export function checkSum(sum: number, items: number): void {
  const wanted = (items * (items - 1)) / 2;
  if (sum !== wanted) throw new Error(`the results of ${items} tasks add up to ${sum}, not to ${wanted}.`);
}
