import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixture, furca } from '../fixtures/cli-command.js';

const SEVERAL = fixture('cli-several.js');
const LENGTH = fixture('cli-length.js');

/** A mistake of the caller: one line on stderr, exit code 2, nothing on stdout. */
async function mistake(args: readonly string[], said: RegExp): Promise<void> {
  const { code, stdout, stderr } = await furca(args);
  assert.match(stderr, said);
  assert.match(stderr, /^furca.*\n$/);
  assert.deepEqual([code, stdout], [2, '']);
}

test('furca --version prints the version of the package', async () => {
  const { version } = createRequire(import.meta.url)('furca/package.json') as { version: string };
  assert.deepEqual(await furca(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
});

test('furca --help names the verbs, and furca help map their options and exit codes', async () => {
  const general = await furca(['--help']);
  assert.equal(general.code, 0);
  assert.match(general.stdout, /\bmap\b[\s\S]*\brun\b/);
  const map = await furca(['help', 'map']);
  assert.equal(map.code, 0);
  for (const word of ['--jobs', '--unordered', '--keep-going', '--retries', 'stdin', 'Exit code']) {
    assert.ok(map.stdout.includes(word), word);
  }
  assert.equal((await furca(['map', '--help'])).stdout, map.stdout);
  assert.match((await furca(['run', '--help'])).stdout, /furca run \[node flags\] <script>/);
});

test('furca without a verb prints its help on stderr with code 2', async () => {
  const { code, stdout, stderr } = await furca([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^Usage: furca/);
});

test('an unknown verb, an unknown option and a bad number are told in one line with code 2', async () => {
  await mistake(['mapp'], /unknown command 'mapp'.*map/);
  await mistake(['map', LENGTH, '--job', '3'], /unknown option '--job'.*--jobs/);
  await mistake(['map'], /missing required argument 'module/);
  for (const jobs of ['0', '-1', '1.5', 'many', '']) {
    await mistake(['map', LENGTH, '--jobs', jobs], /--jobs.*whole number from 1/);
  }
});

test('a module that is not there is told with the one that was meant', async () => {
  await mistake(['map', './no-such.js', 'a'], /there is no module '\.\/no-such\.js'/);
  await mistake(['map', 'no-such-package', 'a'], /there is no module 'no-such-package'/);
  await mistake(['map', LENGTH.replace(/\.js$/, ''), 'a'], /did you mean .*cli-length\.js\?/);
  await mistake(['map', '.', 'a'], /'\.' is a folder/);
});

test('an export that is not there, is no function, or is one of several is told with the names there are', async () => {
  await mistake(['map', `${SEVERAL}#third`, 'a'], /has no export 'third': it exports first, last/);
  await mistake(['map', `${SEVERAL}#LIMIT`, 'a'], /#LIMIT is a number, not a function/);
  await mistake(['map', `${SEVERAL}#Shape`, 'a'], /#Shape is a class, not a function/);
  await mistake(
    ['map', SEVERAL, 'a'],
    /exports several functions: say which, such as .*#first \(there are first, last\)/,
  );
  await mistake(['map', `${SEVERAL}#`, 'a'], /names no function/);
});

test('a module that does not load is told once, with its error and its place', async () => {
  const inputs = ['--keep-going', '--jobs', '2', 'a', 'b', 'c'];
  await mistake(
    ['map', fixture('cli-throws-on-load.js'), ...inputs],
    /does not load: TypeError: not today \(.*cli-throws-on-load\.js:\d+:\d+\)/,
  );
  const folder = mkdtempSync(join(tmpdir(), 'furca-cli-'));
  try {
    writeFileSync(join(folder, 'wrong.mjs'), 'export default 1;\nconst = 2;\n');
    writeFileSync(join(folder, 'lonely.mjs'), "import './nowhere.mjs';\n");
    await mistake(
      ['map', join(folder, 'wrong.mjs'), ...inputs],
      /does not load: SyntaxError: .* \(.*wrong\.mjs:2\)/,
    );
    await mistake(
      ['map', join(folder, 'lonely.mjs'), ...inputs],
      /does not load: Error: Cannot find module .*nowhere\.mjs/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a pattern that matches nothing, and stdin asked for twice, are mistakes', async () => {
  await mistake(['map', LENGTH, 'no-such-*'], /no file matches 'no-such-\*'.*--no-glob.*--allow-empty/);
  await mistake(['map', LENGTH, '-', '-'], /'-' \(stdin\) is given twice/);
});
