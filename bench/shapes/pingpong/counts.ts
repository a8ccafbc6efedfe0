import type { Mode } from '../../runner/plan.js';

export interface TripCounts {
  readonly warmUp: number;
  readonly measured: number;
}

export function tripsOf(mode: Mode): TripCounts {
  return mode === 'full' ? { warmUp: 5_000, measured: 50_000 } : { warmUp: 200, measured: 2_000 };
}
