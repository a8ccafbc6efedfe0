import { Event, Pool } from 'furca';

import type { Mode, Observation } from '../../runner/plan.js';
import { noop } from '../../tasks.js';
import { observeLosses } from './losses.js';

/** Says that it has begun, and never ends. */
export async function hang(begun: Event): Promise<never> {
  begun.set();
  return new Promise(() => {
    setTimeout(() => {}, 3_600_000);
  });
}

export async function furca(mode: Mode): Promise<Observation> {
  const pool = new Pool(1);
  const begun = new Event();
  return observeLosses(mode, {
    occupy: async () => {
      begun.clear();
      const lost = pool.apply(hang, [begun]);
      lost.catch(() => {});
      await begun.wait();
      return { pid: pool.stats().pids[0] as number, lost };
    },
    call: () => pool.apply(noop, [1]),
    end: () => pool.terminate(),
  });
}
