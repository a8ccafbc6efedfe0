import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { iterateRun, unwrapped } from '../../src/cluster/outcomes.js';
import type { Outcome } from '../../src/cluster/run.js';
import { iterate } from '../../src/pool/jobs/iteration.js';
import type { StreamJob } from '../../src/pool/jobs/stream-job.js';
import { eventually } from '../harness/watchdog.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A source whose answer comes when it is told to, or nothing once it was cancelled. */
class Slow<T> {
  cancelled = 0;
  takeReady(): undefined {}
  #answer: (value: T | undefined) => void = () => {};

  next(): Promise<T | undefined> {
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  answer(value: T): void {
    this.#answer(value);
  }

  cancel(): void {
    this.cancelled++;
    this.#answer(undefined);
  }
}

async function collectOnce(): Promise<void> {
  collect();
  await delay(5);
}

test('A call of next() whose iterator nobody holds is answered all the same, on a cluster and here', async () => {
  const far = new Slow<Outcome>();
  const near = new Slow<{ index: number; status: 'fulfilled'; value: number }>();
  const asked = [
    iterateRun(far, unwrapped<number>('ClusterPool.imap')).next(),
    iterate(near as unknown as StreamJob, (item) => (item.status === 'fulfilled' ? item.value : null)).next(),
  ];
  for (let round = 0; round < 10; round++) await collectOnce();
  assert.deepEqual([far.cancelled, near.cancelled], [0, 0]);
  far.answer({ first: 0, values: [7], failures: [], meanMs: 1, entry: null });
  near.answer({ index: 0, status: 'fulfilled', value: 8 });
  assert.deepEqual(await Promise.all(asked), [
    { done: false, value: 7 },
    { done: false, value: 8 },
  ]);
  await eventually('nobody can ask any more', async () => {
    await collectOnce();
    return near.cancelled > 0 && far.cancelled > 0;
  });
  assert.deepEqual([far.cancelled, near.cancelled], [1, 1]);
});
