import { once } from 'node:events';

import { Process, setStartMethod } from 'furca';

import type { Mode, Observation } from '../../runner/plan.js';
import { firstByte } from '../../tasks.js';
import { observeStarts } from './sequence.js';

export type FurcaStartMethod = 'forkserver' | 'fork' | 'spawn';

/** A furca `Process` up to the first byte it writes; the clock starts before the object is made. */
export function observe(mode: Mode, method: FurcaStartMethod): Promise<Observation> {
  setStartMethod(method);
  return observeStarts(mode, async () => {
    const started = performance.now();
    const child = new Process({ target: firstByte, stdio: ['ignore', 'pipe', 'inherit'] });
    await child.start();
    if (!child.stdout) throw new Error("stdio 'pipe' gave no stdout.");
    await once(child.stdout, 'data');
    const elapsed = performance.now() - started;
    await child.join();
    return elapsed;
  });
}
