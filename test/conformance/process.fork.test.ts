import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FORK_READY, startProgram } from '../harness/programs.js';
import { processCases } from './process.js';

// A process under the test runner is not fork-ready: the cases run in a program that is, and each test waits for its line.
const cases = fileURLToPath(new URL('../fixtures/process-fork-cases.js', import.meta.url));
const program = startProgram(cases, { flags: FORK_READY, hangMs: 500_000 });

for (const [at, { title }] of processCases.entries()) {
  test(`fork: ${title}`, async () => {
    const [line] = await program.saw(new RegExp(`^\\{"at":${at},.*$`, 'm'));
    const { error } = JSON.parse(line) as { error: string | null };
    assert.equal(error, null, `${error}\nstderr of the program:\n${program.stderr()}`);
  });
}

test('fork: the program that ran the cases ends by itself with exit code 0', async () => {
  const { code, signal } = await program.result;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});
