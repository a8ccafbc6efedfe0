import { median, quantile } from '../../report/figures.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { startsOf } from './counts.js';

/** Starts one child, waits for its first message and for its end; returns milliseconds up to the message. */
export type OneStart = () => Promise<number>;

/** Starts children one after another: the first start of a fresh process by itself, then the ones after it. */
export async function observeStarts(mode: Mode, oneStart: OneStart): Promise<Observation> {
  const samples: number[] = [];
  for (let index = 0; index < startsOf(mode); index++) samples.push(await oneStart());
  const [first = Number.NaN, ...later] = samples;
  return { metrics: { first, p50: median(later), p95: quantile(later, 0.95) }, samples };
}
