import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Mode, Observation } from '../../runner/plan.js';
import { observeLoopTrips } from './event-loop.js';

const CHILD = join(import.meta.dirname, 'child-process-child.js');

export async function observe(mode: Mode): Promise<Observation> {
  const child = fork(CHILD);
  const exited = once(child, 'exit');
  await once(child, 'message');
  const observation = await observeLoopTrips(mode, {
    send: (value) => void child.send(value),
    onMessage: (listener) => void child.on('message', listener),
  });
  child.disconnect();
  await exited;
  return observation;
}
