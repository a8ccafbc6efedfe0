import { once } from 'node:events';

import { Process, setStartMethod } from 'furca';

import type { Observation } from '../../runner/plan.js';
import { stayIdle, workThenStayIdle } from '../../tasks.js';
import type { FurcaStartMethod } from './furca.js';
import { type Life, observeMemory } from './memory.js';

export function observe(method: FurcaStartMethod, count: number, life: Life): Promise<Observation> {
  setStartMethod(method);
  const target = life === 'idle' ? stayIdle : workThenStayIdle;
  return observeMemory(count, async () => {
    const child = new Process({ target, daemon: true, stdio: ['ignore', 'pipe', 'inherit'] });
    await child.start();
    if (!child.stdout || !child.pid) throw new Error('a started child has no stdout or pid.');
    await once(child.stdout, 'data');
    return {
      pid: child.pid,
      end: async () => {
        child.kill();
        await child.join();
      },
    };
  });
}
