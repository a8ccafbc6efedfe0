import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../harness/programs.js';
import { poolCases } from './pool-cases.js';

const cases = fileURLToPath(new URL('../fixtures/pool-fork-cases.js', import.meta.url));

/**
 * Runs the cases from index `from` to before `end` with forked workers. A process can be forked only if it runs nothing beside; so they run
 * one after another in a program of their own, and each test waits for its line.
 */
export function testForkedPools(from: number, end: number): void {
  const args = [String(from), String(end)];
  const program = startProgram(cases, { args, hangMs: 560_000 });
  for (const [at, { title }] of poolCases.entries()) {
    if (at < from || at >= end) continue;
    test(`fork: ${title}`, async () => {
      const [line] = await program.saw(new RegExp(`^\\{"at":${at},.*$`, 'm'));
      const { error } = JSON.parse(line) as { error: string | null };
      assert.equal(error, null, `${error}\nstderr of the program:\n${program.stderr()}`);
    });
  }
  test('fork: the program that ran the cases ends by itself with exit code 0', async () => {
    const { code, signal } = await program.result;
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, program.stderr());
  });
}
