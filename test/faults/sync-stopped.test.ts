import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WAITING } from '../../src/arena/layout.js';
import type { Handle } from '../../src/arena/local-handles.js';
import { ownMembership } from '../../src/arena/member.js';
import { Lock, type Process, RLock, Semaphore, Value } from '../../src/index.js';
import { startChild } from '../harness/children.js';
import { eventually, watchTests } from '../harness/watchdog.js';

// A member that is stopped (SIGSTOP) while it waits keeps others waiting for a moment, and not until it is continued.

watchTests(60_000);

type Gate = Lock | RLock | Semaphore;

/** Whom what comes free is kept for: one that has waited for long. */
function hungry(gate: Gate): number {
  const { word } = (gate as unknown as { readonly handle: Handle }).handle;
  return Atomics.load(ownMembership().arena.words, word + WAITING.HUNGRY);
}

function visit(gate: Gate, visits: Value<'int32'>): void {
  gate.acquireSync();
  visits.add(1);
  gate.release();
}

async function visitAsync(gate: Gate, visits: Value<'int32'>): Promise<void> {
  await gate.acquire();
  visits.add(1);
  gate.release();
}

const KINDS: readonly [name: string, make: () => Gate][] = [
  ['Lock', () => new Lock()],
  ['RLock', () => new RLock()],
  ['Semaphore', () => new Semaphore(1)],
];

for (const [name, make] of KINDS) {
  test(`A free ${name} that is kept for a stopped waiter comes to the others, and to that one once it goes on`, async () => {
    const gate = make();
    const visits = new Value('int32', 0, { lock: false });
    gate.acquireSync();
    const stopped = await startChild(visit, [gate, visits]);
    let others: Process[] = [];
    try {
      await eventually('the child has waited for too long', () => hungry(gate) !== 0);
      const turn = hungry(gate);
      process.kill(stopped.pid as number, 'SIGSTOP');
      others = await Promise.all([visit, visitAsync].map((target) => startChild(target, [gate, visits])));
      await eventually('all three wait', () => gate.stats().waiters === 3);
      assert.equal(hungry(gate), turn);
      gate.release();
      await eventually('the two others have had it', () => visits.value === 2);
      await eventually('it is free for one that does not wait', () => gate.tryAcquire());
      gate.release();
      await gate.acquire();
      gate.release();
      assert.equal(visits.value, 2);
    } finally {
      process.kill(stopped.pid as number, 'SIGCONT');
    }
    for (const child of [stopped, ...others]) {
      await child.join();
      assert.equal(child.exitCode, 0);
    }
    assert.equal(visits.value, 3);
    assert.equal(gate.stats().waiters, 0);
    gate.close();
  });
}
