import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownMembership } from '../../src/arena/member.js';
import { countSlots } from '../../src/arena/slots.js';
import { Process, type StartMethod } from '../../src/index.js';
import { haveChildren, wait } from '../fixtures/process-parent.js';
import { processEntry } from '../harness/proc.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests();

const isGone = (pid: number): boolean => [undefined, 'Z'].includes(processEntry(pid)?.state);

// How the parent was started decides who buries it; how its children were, who would have buried them.
const CASES: readonly (readonly [StartMethod, StartMethod])[] = [
  ['forkserver', 'fork'],
  ['forkserver', 'spawn'],
  ['forkserver', 'forkserver'],
  ['spawn', 'spawn'],
  ['spawn', 'forkserver'],
];

for (const [method, childMethod] of CASES) {
  test(`SIGKILL of a parent (${method}) ends its daemons (${childMethod}), leaves its other children, and all are cleared up`, async () => {
    const first = new Process({ target: wait });
    await first.start();
    const { arena } = ownMembership();
    const before = countSlots(arena);
    const parent = new Process({
      target: haveChildren,
      args: [childMethod],
      startMethod: method,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await parent.start();
    try {
      let heard = '';
      parent.stdout?.on('data', (text) => {
        heard += text;
      });
      await eventually('the children are up', () => /\+.*\+/s.test(heard) && heard.includes(']'));
      const [daemon = 0, other = 0] = JSON.parse(heard.replaceAll('+', '')) as number[];
      parent.kill();
      await parent.join();
      await eventually('the daemon has ended', () => isGone(daemon));
      assert.equal(isGone(other), false);
      process.kill(other, 'SIGKILL');
      await eventually('all slots are free again', () => countSlots(arena) === before);
    } finally {
      for (const child of [first, parent]) child.kill();
      await first.join();
    }
  });
}
