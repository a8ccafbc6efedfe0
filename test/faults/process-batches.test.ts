import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FORK_READY, runProgram } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

const soak = fileURLToPath(new URL('../../../scripts/soak.mjs', import.meta.url));

// The long form, 1,000 processes, is `node scripts/soak.mjs`.
for (const [method, count] of [
  ['forkserver', '200'],
  ['fork', '200'],
  ['spawn', '20'],
] as const) {
  test(`${method}: ${count} processes in batches end with the right exit codes and leave no zombie, descriptor or memory behind`, async () => {
    const { code, stdout, stderr } = await runProgram(soak, {
      flags: method === 'fork' ? FORK_READY : [],
      args: [method, count, '10'],
      hangMs: 110_000,
    });
    assert.equal(code, 0, stdout + stderr);
  });
}
