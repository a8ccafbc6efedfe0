import { mean, quantile } from '../../report/figures.js';
import type { Observation } from '../../runner/plan.js';

/** Figures of single round trips, given in microseconds. */
export function tripMetrics(micros: readonly number[]): Observation {
  return {
    metrics: {
      p50: quantile(micros, 0.5),
      p95: quantile(micros, 0.95),
      mean: mean(micros),
    },
  };
}
