import type { StartMethod } from '../../src/index.js';
import { assertNothingLeft, takeBaseline } from '../harness/leaks.js';
import { outcome } from '../harness/outcome.js';
import { hasAllBells } from '../harness/warm.js';
import { guarded } from '../harness/watchdog.js';
import type { ProcessCase } from './process-case.js';
import { cases as ends } from './process-ends.js';
import { cases as families } from './process-families.js';
import { cases as handles } from './process-handles.js';
import { cases as machinery } from './process-machinery.js';
import { cases as objects } from './process-objects.js';
import { cases as starts } from './process-starts.js';
import { cases as surroundings } from './process-surroundings.js';

/** Every behaviour of a process, whichever way it is started. */
export const processCases: readonly ProcessCase[] = [
  starts,
  ends,
  objects,
  surroundings,
  families,
  machinery,
  handles,
].flat();

let isWarm = false;

/** What a process opens once and keeps is opened before anything is counted. When that is depends on who happens to be asleep. */
async function warmUp(method: StartMethod): Promise<void> {
  if (isWarm) return;
  await guarded('The warm-up', async () => {
    do await outcome(method, () => new Promise((resolve) => setTimeout(resolve, 100)), []);
    while (!hasAllBells());
  });
  isWarm = true;
}

/** Runs one case and proves that it left nothing behind. */
export async function runCase(at: number, method: StartMethod): Promise<void> {
  const { title, run } = processCases[at] as ProcessCase;
  await warmUp(method);
  const baseline = takeBaseline();
  await guarded(title, () => run(method));
  await assertNothingLeft(baseline);
}
