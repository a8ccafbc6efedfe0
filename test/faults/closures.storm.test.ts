import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../harness/programs.js';

test('thousands of different functions through one pool leave the memory of both sides flat', async () => {
  const script = fileURLToPath(new URL('../../../scripts/closure-storm.mjs', import.meta.url));
  const { code, stdout, stderr } = await runProgram(script, { flags: ['--expose-gc'], args: ['4000'] });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /4000 functions: parent \d+ MiB, worker \d+ MiB/);
});
