import { Event, Lock, Process } from '../../../src/index.js';
import { percentiles } from '../../percentiles.js';
import type { Mode, Observation } from '../../runner/plan.js';

/** Takes the lock and sits on it. */
export async function sit(lock: Lock, taken: Event): Promise<void> {
  lock.acquireSync();
  taken.set();
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** Kills owners; the time is from the kill until this process, which waits in its event loop, has the lock. */
export async function regained(mode: Mode): Promise<Observation> {
  const lock = new Lock();
  const times: number[] = [];
  for (let kill = 0; kill < (mode === 'full' ? 200 : 10); kill++) {
    const taken = new Event();
    const owner = new Process({ target: sit, args: [lock, taken] });
    await owner.start();
    await taken.wait();
    const waiting = lock.guard();
    const began = performance.now();
    owner.kill();
    const guard = await waiting;
    times.push(performance.now() - began);
    if (guard.deadPid !== owner.pid) throw new Error('the waiter was not told who died');
    guard.release();
    await owner.join();
    taken.close();
  }
  const { p50, p99 } = percentiles(times);
  return { metrics: { p50, p99 }, samples: times };
}
