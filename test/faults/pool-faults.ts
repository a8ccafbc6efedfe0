import { age } from '../fixtures/pool-clock.js';

export const GUILTY = 5;

/** So long that no honest item takes it; one that never ends says that it has run for longer. */
export const LIMIT_MS = 600_000;

/** What may go wrong in a worker with item 5; all other items give their double. */
export const faults: Readonly<Record<string, (x: number) => unknown>> = {
  throws: (x) => {
    if (x === 5) throw Object.assign(new RangeError('item five'), { code: 'E_FIVE' });
    return x * 2;
  },
  exits: (x) => {
    if (x === 5) process.exit(3);
    return x * 2;
  },
  'exits while it awaits': async (x) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (x === 5) process.exit(3);
    return x * 2;
  },
  'is killed': (x) => {
    if (x === 5) process.kill(process.pid, 'SIGKILL');
    return x * 2;
  },
  'is killed while it awaits': async (x) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (x === 5) process.kill(process.pid, 'SIGKILL');
    return x * 2;
  },
  'stops and is then killed': (x) => {
    if (x === 5) process.kill(process.pid, 'SIGSTOP');
    return x * 2;
  },
  aborts: (x) => {
    if (x === 5) process.abort();
    return x * 2;
  },
  hangs: (x) => {
    if (x === 5) age(2 * LIMIT_MS);
    while (x === 5);
    return x * 2;
  },
  'awaits for ever': async (x) => {
    if (x === 5) {
      age(2 * LIMIT_MS);
      await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
    }
    return x * 2;
  },
  'awaits what nothing can settle': async (x) => {
    if (x === 5) await new Promise(() => {});
    return x * 2;
  },
  'returns what cannot be sent': (x) => (x === 5 ? { weak: new WeakMap() } : x * 2),
  'throws what cannot be sent': (x) => {
    if (x === 5) throw new WeakSet();
    return x * 2;
  },
};
