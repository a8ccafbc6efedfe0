import type { Mode } from '../../runner/plan.js';

export interface ClusterCounts {
  /** Jobs of one item each, for plain BullMQ. */
  readonly rawWarmUp: number;
  readonly rawJobs: number;
  readonly noopWarmUp: number;
  readonly noopItems: number;
  readonly timedWarmUp: number;
  readonly timedItems: number;
  /** Items before memory is looked at, then between two looks, and how many looks. */
  readonly memoryWarmUp: number;
  readonly memoryStep: number;
  readonly memoryLooks: number;
}

const FULL: ClusterCounts = {
  rawWarmUp: 1_000,
  rawJobs: 10_000,
  noopWarmUp: 100_000,
  noopItems: 1_000_000,
  timedWarmUp: 200,
  timedItems: 2_000,
  memoryWarmUp: 100_000,
  memoryStep: 50_000,
  memoryLooks: 19,
};

const QUICK: ClusterCounts = {
  rawWarmUp: 50,
  rawJobs: 200,
  noopWarmUp: 1_000,
  noopItems: 20_000,
  timedWarmUp: 20,
  timedItems: 100,
  memoryWarmUp: 2_000,
  memoryStep: 1_000,
  memoryLooks: 7,
};

export function countsOf(mode: Mode): ClusterCounts {
  return mode === 'full' ? FULL : QUICK;
}
