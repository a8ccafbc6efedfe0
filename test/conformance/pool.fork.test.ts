import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Line {
  readonly title: string;
  readonly error?: string;
}

const program = fileURLToPath(new URL('../fixtures/pool-fork-cases.js', import.meta.url));

/** A process can be forked only if it runs nothing beside; so the cases run one after another in a program of their own. */
test('fork: every case of the pool holds in a process that is fork-ready', {
  timeout: 520_000,
}, async (t) => {
  const run = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    timeout: 500_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const lines = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  for (const { title, error } of lines) {
    await t.test(`fork: ${title}`, () => assert.equal(error, undefined));
  }
  assert.equal(run.signal, null, `It hung after: ${lines.at(-1)?.title}\n${run.stderr}`);
  assert.equal(run.status, 0, run.stderr);
  assert.ok(lines.length > 0, run.stderr);
});
