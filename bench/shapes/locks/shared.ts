import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Event, Process, SharedArray } from '../../../src/index.js';
import type { Mode, Observation } from '../../runner/plan.js';

const BYTES = 64 * 1024 ** 2;
const ROUNDS = 5;
const CHILD = fileURLToPath(new URL('./shared-child.js', import.meta.url));

/** Changes what it is told of, in place. */
export function change(array: SharedArray<'uint8'>, go: Event, done: Event, rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    go.waitSync();
    go.clear();
    array.view[round] = 1;
    done.set();
  }
}

export async function furca(_mode: Mode): Promise<Observation> {
  const array = new SharedArray('uint8', BYTES, { lock: false });
  array.view.fill(7);
  const [go, done] = [new Event(), new Event()];
  const child = new Process({ target: change, args: [array, go, done, ROUNDS] });
  await child.start();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    go.set();
    done.waitSync();
    done.clear();
    if (array.view[round] !== 1 || array.view[BYTES - 1] !== 7) throw new Error('the change is not seen');
    times.push(performance.now() - began);
  }
  await child.join();
  return { metrics: { trip: median(times) } };
}

export async function childProcess(_mode: Mode): Promise<Observation> {
  const child = fork(CHILD, { serialization: 'advanced' });
  let bytes = new Uint8Array(BYTES).fill(7);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    child.send({ bytes, round });
    [bytes] = (await once(child, 'message')) as [Uint8Array<ArrayBuffer>];
    if (bytes[round] !== 1 || bytes[BYTES - 1] !== 7) throw new Error('the change is not seen');
    times.push(performance.now() - began);
  }
  child.disconnect();
  await once(child, 'exit');
  return { metrics: { trip: median(times) } };
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] as number;
}
