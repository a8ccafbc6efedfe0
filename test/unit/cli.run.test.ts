import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ended, fixture, furca, source, startFurca, startNode } from '../fixtures/cli-command.js';

const SCRIPT = fixture('cli-script.js');
const READY = ['--single-threaded', '--v8-pool-size=1', '--max-semi-space-size=32'];

/** Both ways to run a script fork-ready; each gets flags of Node, then what the script is given. */
const WAYS = {
  'furca run': {
    script: SCRIPT,
    start: (flags: string[], args: string[]) => startFurca(['run', ...flags, SCRIPT, ...args]),
  },
  'furca/fork-ready': {
    script: fixture('cli-becomes-ready.js'),
    start: (flags: string[], args: string[]) =>
      startNode([...flags, fixture('cli-becomes-ready.js'), ...args]),
  },
};

for (const [way, { script, start }] of Object.entries(WAYS)) {
  test(`${way} runs the script fork-ready in the same process, with its arguments and flags of Node`, async () => {
    const child = start(['--stack-trace-limit=7', '--import', 'node:path'], ['a', '--flag', '-x']);
    const { code, stdout } = await ended(child);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      pid: child.pid,
      script,
      how: 'a',
      rest: ['--flag', '-x'],
      execArgv: [...READY, '--stack-trace-limit=7', '--import', 'node:path'],
    });
  });

  test(`${way} lets the script read stdin and set the exit code`, async () => {
    assert.match((await ended(start([], ['input']), 'from outside')).stdout, /\}\nfrom outside$/);
    assert.equal((await ended(start([], ['exit']))).code, 5);
  });

  test(`${way} ends by the signal that ends the script, and hands signals to it`, async () => {
    const { code, signal } = await ended(start([], ['kill']));
    assert.deepEqual([code, signal], [null, 'SIGUSR2']);
    const waiting = start([], ['wait']);
    await once(waiting.stdout, 'data');
    waiting.kill('SIGTERM');
    assert.deepEqual(await once(waiting, 'exit'), [9, null]);
  });
}

test('furca/fork-ready leaves a process alone that is fork-ready already', async () => {
  const { stdout } = await ended(startNode([...READY.slice(0, 2), fixture('cli-becomes-ready.js')]));
  assert.deepEqual((JSON.parse(stdout) as { execArgv: string[] }).execArgv, READY.slice(0, 2));
});

test('furca/fork-ready works in code given to node --eval', async () => {
  const url = import.meta.resolve('furca/fork-ready');
  const program = `import ${JSON.stringify(url)}; console.log(process.argv.slice(1).join());`;
  const { stdout } = await ended(startNode(['--input-type=module', '--eval', program, 'a', 'b']));
  assert.equal(stdout, 'a,b\n');
});

test('a program that imports furca/fork-ready can start a process by fork', async () => {
  const { code, stdout, stderr } = await ended(startNode([fixture('cli-forks-ready.js')]));
  assert.deepEqual([code, stdout, stderr], [0, '7\n', '']);
});

test('furca run without a script, or with one that is not there, is a mistake told in one line', async () => {
  const none = await furca(['run']);
  assert.deepEqual([none.code, none.stderr], [2, "furca: missing required argument 'script'\n"]);
  const missing = await furca(['run', 'no-such.js']);
  assert.deepEqual([missing.code, missing.stderr], [2, "furca run: there is no script 'no-such.js'\n"]);
});

test('furca run runs TypeScript where Node can, and elsewhere says what to do', async () => {
  const { code, stderr } = await furca(['run', source('cli-script.ts'), 'exit']);
  if ((process.features as { typescript?: unknown }).typescript) return assert.equal(code, 5);
  assert.equal(code, 2);
  assert.match(stderr, /^furca run: .*cli-script\.ts: Node .* does not run TypeScript.*\n$/);
});
