import type { Mode } from '../../runner/plan.js';

/** Starts per observation; the first one is told apart from the others. */
export function startsOf(mode: Mode): number {
  return mode === 'full' ? 31 : 4;
}
