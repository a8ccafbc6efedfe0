import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Mode, Observation } from '../../runner/plan.js';
import { observeLoopTrips } from '../pingpong/event-loop.js';
import { countsOf, mebibytes, perSecond } from './counts.js';

const CHILD = join(import.meta.dirname, 'child-process-child.js');

async function open(): Promise<ChildProcess> {
  const child = fork(CHILD, { serialization: 'advanced' });
  await once(child, 'message');
  return child;
}

/** How long `count` messages take that the children send when asked. */
async function receive(children: readonly ChildProcess[], count: number, bytes: number): Promise<number> {
  let left = count * children.length;
  const done = new Promise<void>((resolve) => {
    for (const child of children)
      child.on('message', () => {
        if (--left === 0) resolve();
      });
  });
  const began = performance.now();
  for (const child of children) child.send({ count, bytes });
  await done;
  const elapsedMs = performance.now() - began;
  for (const child of children) {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
  return elapsedMs;
}

/** Small items from some children, each over its own channel. */
export async function observeItems(mode: Mode, producers: number): Promise<Observation> {
  const { items } = countsOf(mode);
  const children: ChildProcess[] = [];
  for (let n = 0; n < producers; n++) children.push(await open());
  return { metrics: perSecond(items, await receive(children, items / producers, 0)) };
}

/** Large buffers one way. */
export async function observeVolume(mode: Mode, bytes: number): Promise<Observation> {
  // An eighth of what the others move: it is that much slower.
  const count = Math.max(4, countsOf(mode).volumeBytes / bytes / 8);
  return { metrics: mebibytes(count, bytes, await receive([await open()], count, bytes)) };
}

/** Round trips of a small integer, both sides in their event loops. */
export async function observeTrips(mode: Mode): Promise<Observation> {
  const child = await open();
  const observation = await observeLoopTrips(mode, {
    send: (value) => void child.send(value),
    onMessage: (listener) => void child.on('message', listener),
  });
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
  return observation;
}
