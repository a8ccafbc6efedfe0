import { setTimeout as delay } from 'node:timers/promises';

import type { Observation } from '../../runner/plan.js';
import { memoryMetrics } from './smaps.js';

/** `idle`: came up and waits. `worked`: did one small task before. */
export type Life = 'idle' | 'worked';

/** A child that has come up and, if so asked, done its task. */
export interface LiveChild {
  readonly pid: number;
  readonly end: () => Promise<void>;
}

/** What a child still does after its first message is no part of being idle. */
const SETTLE_MS = 500;

/** Memory of `count` children that live at the same time. */
export async function observeMemory(count: number, bear: () => Promise<LiveChild>): Promise<Observation> {
  const children: LiveChild[] = [];
  for (let index = 0; index < count; index++) children.push(await bear());
  await delay(SETTLE_MS);
  const metrics = memoryMetrics(children.map(({ pid }) => pid));
  await Promise.all(children.map((child) => child.end()));
  return { metrics };
}
