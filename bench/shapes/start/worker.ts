import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Mode, Observation } from '../../runner/plan.js';
import { observeStarts } from './sequence.js';

const CHILD = new URL('./worker-child.js', import.meta.url);

/** `new Worker` up to the first `message` event. */
export function observe(mode: Mode): Promise<Observation> {
  return observeStarts(mode, async () => {
    const started = performance.now();
    const worker = new Worker(CHILD);
    const exited = once(worker, 'exit');
    await once(worker, 'message');
    const elapsed = performance.now() - started;
    await exited;
    return elapsed;
  });
}
