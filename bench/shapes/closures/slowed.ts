/** Whether the program is slower once functions have been looked at by V8's inspector: the same loops before and after. */
import { Console } from 'node:console';
import { createWriteStream } from 'node:fs';
import { Pool } from 'furca';

import type { Mode, Observation } from '../../runner/plan.js';
import { noop } from '../../tasks.js';

type Loop = (turns: number) => void | Promise<void>;

const { log } = new Console(createWriteStream('/dev/null'));

const LOOPS: Readonly<Record<string, Loop>> = {
  log: (turns) => {
    for (let i = 0; i < turns; i += 20) log('turn', i);
  },
  await: async (turns) => {
    for (let i = 0; i < turns; i++) await null;
  },
  throw: (turns) => {
    for (let i = 0; i < turns; i += 5) {
      try {
        throw new Error(`${i}`);
      } catch {
        // Only the throwing counts.
      }
    }
  },
};

/** Times as long as before, after fifty functions were sent that the inspector had to look at. */
export function lookedAt(mode: Mode): Promise<Observation> {
  let offset = 0;
  return observe(mode, (pool) => {
    offset++;
    return pool.apply((x: number) => x + offset, [1]);
  });
}

/** The same with a function that nobody has to look at: what the machine and the compiler do in the meantime. */
export function untouched(mode: Mode): Promise<Observation> {
  return observe(mode, (pool) => pool.apply(noop, [1]));
}

async function observe(mode: Mode, call: (pool: Pool) => Promise<number>): Promise<Observation> {
  const turns = mode === 'full' ? 200_000 : 2_000;
  const before = await times(turns);
  const pool = new Pool(1);
  for (let i = 0; i < 50; i++) await call(pool);
  await pool.close();
  await pool.join();
  const after = await times(turns);
  const metrics: Record<string, number> = {};
  for (const name of Object.keys(LOOPS)) metrics[name] = (after[name] as number) / (before[name] as number);
  return { metrics };
}

/** The best of several, after a warm-up: what the loop takes when nothing disturbs it. */
async function times(turns: number): Promise<Record<string, number>> {
  const best: Record<string, number> = {};
  for (const [name, loop] of Object.entries(LOOPS)) {
    for (let round = 0; round < 8; round++) {
      const began = performance.now();
      await loop(turns);
      const took = performance.now() - began;
      if (round > 0) best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, took);
    }
  }
  return best;
}
