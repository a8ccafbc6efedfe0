import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { COMMAND, fixture, furca, startFurca } from '../fixtures/cli-command.js';

/** Starts a run whose two workers never end, and resolves with their pids once both work. */
async function startEndless(): Promise<{ child: ChildProcessWithoutNullStreams; pids: number[] }> {
  const child = startFurca([
    'map',
    fixture('cli-endless.js'),
    '--jobs',
    '2',
    '--chunk-size',
    '1',
    'a',
    'b',
    'c',
  ]);
  let stderr = '';
  for await (const data of child.stderr) {
    stderr += data;
    const pids = [...stderr.matchAll(/pid (\d+)\n/g)].map(([, pid]) => Number(pid));
    if (pids.length === 2) return { child, pids };
  }
  throw new Error(`The command ended: ${stderr}`);
}

async function gone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`furca map ends with code ${code} at ${signal}, and its workers with it, whatever they do`, async () => {
    const { child, pids } = await startEndless();
    child.kill(signal);
    assert.deepEqual(await once(child, 'exit'), [code, null]);
    await gone(pids);
  });
}

test('furca map takes its workers along when it is killed', async () => {
  const { child, pids } = await startEndless();
  child.kill('SIGKILL');
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  await gone(pids);
});

test('furca map ends quietly with code 0 when its stdout is closed', async () => {
  const child = startFurca(['map', fixture('cli-length.js')]);
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.on('error', () => {});
  const feeding = setInterval(() => child.stdin.write('line\n'.repeat(100)), 1);
  child.stdout.once('data', () => child.stdout.destroy());
  const end = await once(child, 'close');
  clearInterval(feeding);
  assert.deepEqual(end, [0, null]);
  assert.equal(stderr, '');
});

test('furca map says so, with code 1, when its stdout cannot be written', async (t) => {
  if (!existsSync('/dev/full')) return t.skip('there is no /dev/full');
  const child = spawn(process.execPath, [COMMAND, 'map', fixture('cli-length.js'), 'a'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  let stderr = '';
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(stderr, /^furca map: stdout cannot be written: ENOSPC.*\n$/);
});

test('furca map reads its inputs no faster than its results are read', async () => {
  const child = startFurca(['map', fixture('cli-length.js')]);
  let written = 0;
  let isDone = false;
  const line = `${'x'.repeat(99)}\n`.repeat(1000);
  const feed = (): void => {
    // Resolves when the pipe is full, and the command reads no more.
    while (!isDone && child.stdin.write(line)) written += line.length;
  };
  child.stdin.on('drain', feed);
  child.stdin.on('error', () => {});
  feed();
  let before = -1;
  while (before !== written || written === 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  isDone = true;
  // Results are 3 bytes for 100: the pipe to the reader holds 64 KiB, the rest is what lies between.
  assert.ok(written < 64_000_000, `${written} bytes were read`);
  child.stdout.resume();
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('furca map gives every one of 100,000 inputs its line', async () => {
  const { code, stdout } = await furca(['map', fixture('cli-length.js')], 'x\n'.repeat(100_000));
  assert.equal(code, 0);
  assert.equal(stdout, '1\n'.repeat(100_000));
});
