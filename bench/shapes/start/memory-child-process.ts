import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Observation } from '../../runner/plan.js';
import { type Life, observeMemory } from './memory.js';

const CHILD = join(import.meta.dirname, 'memory-child-process-child.js');

export function observe(count: number, life: Life): Promise<Observation> {
  return observeMemory(count, async () => {
    const child = fork(CHILD, [life]);
    await once(child, 'message');
    return {
      pid: child.pid!,
      end: async () => {
        const exited = once(child, 'exit');
        child.disconnect();
        await exited;
      },
    };
  });
}
