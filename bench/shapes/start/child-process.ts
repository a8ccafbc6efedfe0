import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Mode, Observation } from '../../runner/plan.js';
import { observeStarts } from './sequence.js';

const CHILD = join(import.meta.dirname, 'child-process-child.js');

/** `child_process.fork` up to the first `message` event. */
export function observe(mode: Mode): Promise<Observation> {
  return observeStarts(mode, async () => {
    const started = performance.now();
    const child = fork(CHILD);
    await once(child, 'message');
    const elapsed = performance.now() - started;
    await once(child, 'exit');
    return elapsed;
  });
}
