import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Mode, Observation } from '../../runner/plan.js';
import { observeLoopTrips } from './event-loop.js';

const CHILD = new URL('./worker-child.js', import.meta.url);

export async function observe(mode: Mode): Promise<Observation> {
  const worker = new Worker(CHILD);
  await once(worker, 'message');
  const observation = await observeLoopTrips(mode, {
    send: (value) => worker.postMessage(value),
    onMessage: (listener) => void worker.on('message', listener),
  });
  await worker.terminate();
  return observation;
}
