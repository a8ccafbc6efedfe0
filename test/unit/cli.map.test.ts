import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ended, fixture, furca, source, startFurca } from '../fixtures/cli-command.js';

const LENGTH = fixture('cli-length.js');

test('furca map prints one line of JSON for each input, in the order of the inputs', async () => {
  const words = Array.from({ length: 40 }, (_, index) => 'x'.repeat(index));
  const { code, stdout, stderr } = await furca(['map', LENGTH, ...words]);
  assert.equal(stdout, words.map((word) => `${word.length}\n`).join(''));
  assert.deepEqual([code, stderr], [0, '']);
});

test('furca map reads lines from stdin when it is given no input, the last one ended or not', async () => {
  const { code, stdout } = await furca(['map', LENGTH], 'a\r\nbb\n\nccc');
  assert.deepEqual([code, stdout], [0, '1\n2\n0\n3\n']);
});

test('furca map reads stdin where - stands, and inputs ended by zero bytes with --null', async () => {
  const { stdout } = await furca(['map', LENGTH, '-0', 'four', '-', 'seventy'], 'a\0b\nc\0');
  assert.equal(stdout, '4\n1\n3\n7\n');
});

test('furca map answers the first lines of a stream that is still open', async () => {
  const child = startFurca(['map', LENGTH]);
  child.stdin.write('abc\n');
  const [first] = (await new Promise((resolve) => child.stdout.once('data', (data) => resolve([data])))) as [
    Buffer,
  ];
  assert.equal(String(first), '3\n');
  assert.equal((await ended(child, 'de\n')).stdout, '2\n');
});

test('furca map --unordered and --with-input name the input of each result', async () => {
  const { stdout } = await furca(['map', LENGTH, '--with-input', 'a', '"b"']);
  assert.equal(stdout, '{"index":0,"input":"a","value":1}\n{"index":1,"input":"\\"b\\"","value":3}\n');
  const unordered = await furca(['map', LENGTH, '--unordered', 'a', 'bb', 'ccc']);
  const lines = unordered.stdout.trim().split('\n').sort();
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    ['a', 'bb', 'ccc'].map((input, index) => ({ index, input, value: input.length })),
  );
});

test('furca map expands patterns, sorted, and takes them as texts with --no-glob', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-cli-'));
  try {
    for (const name of ['b.txt', 'a.txt', '[c].txt', 'd.md']) writeFileSync(join(folder, name), '');
    const inputs = async (...args: string[]) => {
      const { stdout } = await furca(['map', LENGTH, '--with-input', ...args], '', folder);
      return stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { input: string }).input);
    };
    assert.deepEqual(await inputs('*.txt', 'plain'), ['[c].txt', 'a.txt', 'b.txt', 'plain']);
    assert.deepEqual(await inputs('[c].txt'), ['[c].txt']);
    assert.deepEqual(await inputs(`${folder}/?.md`), [join(folder, 'd.md')]);
    assert.deepEqual(await inputs('--no-glob', '*.txt'), ['*.txt']);
    assert.deepEqual(await inputs('http://host/?q=*'), ['http://host/?q=*']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('furca map --allow-empty lets a pattern match nothing', async () => {
  assert.deepEqual(await furca(['map', LENGTH, '--allow-empty', 'no-such-*']), {
    code: 0,
    signal: null,
    stdout: '',
    stderr: '',
  });
});

test('furca map finds the function: default, the only one, a named one, CommonJS, a built-in module', async () => {
  const line = async (module: string) => (await furca(['map', module, '/a/bc'])).stdout;
  assert.equal(await line(LENGTH), '5\n');
  assert.equal(await line(fixture('cli-results.js')), 'null\n');
  assert.equal(await line(`${fixture('cli-several.js')}#last`), '"c"\n');
  assert.equal(await line(fixture('cli-only.cjs')), '"/A/BC"\n');
  assert.equal(await line('node:path#basename'), '"bc"\n');
});

test('furca map runs TypeScript where Node can, and elsewhere says what to do', async () => {
  const { code, stdout, stderr } = await furca(['map', source('cli-length.ts'), 'abc']);
  if ((process.features as { typescript?: unknown }).typescript) {
    assert.deepEqual([code, stdout], [0, '3\n']);
  } else {
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^furca map: .*cli-length\.ts: Node .* does not run TypeScript; use Node 22\.18 .*tsx.*\n$/,
    );
  }
});

test('furca map keeps stdout for results: what the module prints goes to stderr', async () => {
  const { stdout, stderr } = await furca(['map', fixture('cli-prints.js'), '--jobs', '1', 'a']);
  assert.equal(stdout, '"a"\n');
  assert.equal(stderr, 'printed while loading\nprinted a\n');
});

test('furca map prints null for no result, and fails an input whose result JSON cannot hold', async () => {
  const args = ['map', fixture('cli-results.js'), '--keep-going', 'nothing', 'date', 'big', 'cycle', 'fn'];
  const { code, stdout, stderr } = await furca(args);
  assert.equal(stdout, 'null\n{"at":"1970-01-01T00:00:00.000Z","list":[1,"b",null]}\n');
  assert.match(stderr, /"big" failed: TypeError: .*BigInt/);
  assert.match(stderr, /"cycle" failed: TypeError: .*circular/);
  assert.match(stderr, /"fn" failed: TypeError: The result is a function/);
  assert.match(stderr, /\n?furca map: 3 of 5 inputs failed\n$/);
  assert.equal(code, 1);
});

test('furca map --keep-going reports each failed input in one line and does all others', async () => {
  const inputs = ['a', 'throw', 'text', 'kill', 'exit', 'b'];
  const { code, stdout, stderr } = await furca(['map', fixture('cli-fails.js'), '--keep-going', ...inputs]);
  assert.equal(stdout, '"a"\n"b"\n');
  assert.match(stderr, /^furca map: "throw" failed: RangeError: two \\n lines \(.*cli-fails\.js:\d+:\d+\)$/m);
  assert.match(stderr, /^furca map: "text" failed: threw 'no error'$/m);
  assert.match(stderr, /^furca map: "kill" failed: its process \d+ was ended by SIGKILL$/m);
  assert.match(stderr, /^furca map: "exit" failed: its process \d+ exited with code 3$/m);
  assert.equal(stderr.split('\n').length, 6, stderr);
  assert.equal(code, 1);
});

test('furca map stops at the first failure without waiting for stdin to end', async () => {
  const child = startFurca(['map', fixture('cli-fails.js')]);
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.write('a\nthrow\nb\n');
  // Not its exit, after which there may still be something to be read.
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 1);
  assert.match(stderr, /^furca map: "throw" failed: RangeError: .*\n$/);
});

test("furca map --stack prints the part of the trace that is the user's", async () => {
  const { stderr } = await furca(['map', fixture('cli-fails.js'), '--stack', 'throw']);
  assert.match(stderr, /RangeError: two\nlines\n\s+at .*fail .*cli-fails\.js/);
  assert.doesNotMatch(stderr, /\/(src|lib)\//);
});

test('furca map --task-timeout-ms ends an input that runs too long, and the next ones run', async () => {
  // The limit is that of both inputs: long enough for the one that is to be in time, whatever else the machine does.
  const args = ['map', fixture('cli-fails.js'), '--task-timeout-ms', '10000', '--keep-going', 'spin', 'a'];
  const { code, stdout, stderr } = await furca(args);
  assert.deepEqual([code, stdout], [1, '"a"\n']);
  assert.match(stderr, /"spin" failed: it ran longer than 10000 ms and was ended\n/);
});

test('furca map --retries tries an input again when its process died', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-cli-'));
  try {
    const args = ['map', fixture('cli-flaky.js'), '--retries', '1', join(folder, 'mark')];
    assert.deepEqual(await furca(args), { code: 0, signal: null, stdout: '"second try"\n', stderr: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
