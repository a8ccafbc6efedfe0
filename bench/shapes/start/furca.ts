import { once } from 'node:events';

import { functionIn, Process, setStartMethod } from 'furca';

import type { Mode, Observation } from '../../runner/plan.js';
import type { firstByte } from '../../tasks.js';
import { observeStarts } from './sequence.js';

/** Named, not passed: to find where a function is exported takes V8's inspector some 30 ms once, which is no part of a start. */
const target = functionIn<typeof firstByte>(new URL('../../tasks.js', import.meta.url), 'firstByte');

export type FurcaStartMethod = 'forkserver' | 'fork' | 'spawn';

/** A furca `Process` up to the first byte it writes; the clock starts before the object is made. */
export function observe(mode: Mode, method: FurcaStartMethod): Promise<Observation> {
  setStartMethod(method);
  return observeStarts(mode, async () => {
    const started = performance.now();
    const child = new Process({ target, stdio: ['ignore', 'pipe', 'inherit'] });
    await child.start();
    if (!child.stdout) throw new Error("stdio 'pipe' gave no stdout.");
    await once(child.stdout, 'data');
    const elapsed = performance.now() - started;
    await child.join();
    return elapsed;
  });
}
