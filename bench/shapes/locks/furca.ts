import { Lock, Process, SharedArray } from '../../../src/index.js';
import type { Mode, Observation } from '../../runner/plan.js';

const WORDS = { LAST: 0, CHANGES: 1, STOP: 2, TOTAL: 3, READY: 4 } as const;

export async function uncontended(mode: Mode): Promise<Observation> {
  const lock = new Lock();
  const count = mode === 'full' ? 3_000_000 : 100_000;
  const run = (): number => {
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      lock.tryAcquire();
      lock.release();
    }
    return ((performance.now() - began) * 1e6) / count;
  };
  run();
  return { metrics: { pair: run() } };
}

/** Takes the lock all the time, and notes when the other has had it in between. */
export function contend(lock: Lock, words: SharedArray<'int32'>, me: number): void {
  const { view } = words;
  words.add(WORDS.READY, 1);
  while (words.get(WORDS.READY) < 2);
  while (words.get(WORDS.STOP) === 0) {
    lock.acquireSync();
    if (view[WORDS.LAST] !== me) {
      view[WORDS.LAST] = me;
      view[WORDS.CHANGES] = (view[WORDS.CHANGES] as number) + 1;
    }
    view[WORDS.TOTAL] = (view[WORDS.TOTAL] as number) + 1;
    lock.release();
  }
}

export async function contended(mode: Mode): Promise<Observation> {
  const lock = new Lock();
  const words = new SharedArray('int32', 8, { lock: false });
  const children = [1, 2].map((me) => new Process({ target: contend, args: [lock, words, me] }));
  await Promise.all(children.map((child) => child.start()));
  while (words.get(WORDS.READY) < 2) await pause(1);
  await pause(100);
  const before = [words.get(WORDS.CHANGES), words.get(WORDS.TOTAL)] as const;
  const began = performance.now();
  await pause(mode === 'full' ? 3000 : 200);
  const seconds = (performance.now() - began) / 1000;
  const changes = (words.get(WORDS.CHANGES) - before[0]) / seconds;
  const total = (words.get(WORDS.TOTAL) - before[1]) / seconds;
  words.set(WORDS.STOP, 1);
  await Promise.all(children.map((child) => child.join()));
  return { metrics: { changes, total } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
