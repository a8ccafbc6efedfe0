import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { errorLine, errorTrace } from '../../src/cli/error-line.js';
import { splitStream } from '../../src/cli/inputs.js';
import { duration, Pace } from '../../src/cli/pace.js';
import { ResultLines } from '../../src/cli/result-lines.js';

async function split(chunks: readonly (string | Buffer)[], separator: '\n' | '\0' = '\n'): Promise<string[]> {
  const texts: string[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const text of splitStream(stream, separator)) texts.push(text);
  return texts;
}

test('splitStream puts together what the chunks of a stream tear apart', async () => {
  assert.deepEqual(await split(['ab', 'c\nd', '\n', '\nlast']), ['abc', 'd', '', 'last']);
  assert.deepEqual(await split(['a\r', '\nb\r\n']), ['a', 'b']);
  const euro = Buffer.from('€\n');
  assert.deepEqual(await split([euro.subarray(0, 1), euro.subarray(1)]), ['€']);
  assert.deepEqual(await split(['a\nb\0c\r\0'], '\0'), ['a\nb', 'c\r']);
  assert.deepEqual(await split([]), []);
});

test('Pace tells rate and remaining time by what was done lately', () => {
  const pace = new Pace(1000, 0);
  assert.equal(pace.draw(0), `${'╌'.repeat(24)} 0 of 1,000`);
  pace.note(100, 1000);
  assert.equal(pace.draw(0), `━━${'╌'.repeat(22)} 100 of 1,000 · 100/s · 9 s left`);
  // A fast start is forgotten.
  for (let second = 2; second <= 30; second++) pace.note(100 + second, second * 1000);
  assert.equal(pace.rate, 1);
  assert.match(pace.draw(2), / 130 of 1,000 · 1\.0\/s · 14 min 30 s left · 2 failed$/);
});

test('Pace draws no bar where nobody knows how much there is', () => {
  const pace = new Pace(null, 0);
  pace.note(5000, 2000);
  assert.equal(pace.draw(0), '5,000 done · 2,500/s');
});

test('duration names the two largest units', () => {
  assert.deepEqual([0.2, 59, 61, 3600, 86_399].map(duration), [
    '1 s',
    '59 s',
    '1 min 01 s',
    '1 h 00 min',
    '23 h 59 min',
  ]);
});

test('ResultLines asks to wait while the reader is behind', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 });
  const lines = new ResultLines(stream);
  assert.equal(lines.write('short'), undefined);
  const behind = lines.write('x'.repeat(40_000));
  assert.ok(behind instanceof Promise);
  stream.resume();
  await behind;
  assert.equal(lines.write('more'), undefined);
  await lines.end();
});

test('ResultLines.end hands over what has gathered', async () => {
  const stream = new PassThrough();
  const lines = new ResultLines(stream);
  lines.write('a');
  lines.write('b');
  await lines.end();
  assert.equal(String(stream.read()), 'a\nb\n');
});

test('errorLine is one line: name, message and place, or the value that was thrown', () => {
  assert.match(
    errorLine(new RangeError('a\n  b')),
    /^RangeError: a \\n b \(.*cli\.parts\.test\.js:\d+:\d+\)$/,
  );
  assert.equal(errorLine({ status: 404 }), 'threw { status: 404 }');
  assert.equal(errorLine(null), 'threw null');
});

test('errorTrace tells causes too', () => {
  const error = new Error('outside', { cause: new TypeError('inside') });
  assert.match(errorTrace(error), /^Error: outside\n[\s\S]*\ncaused by TypeError: inside\n/);
});
