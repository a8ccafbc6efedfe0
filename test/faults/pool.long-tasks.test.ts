import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Value } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import { range, toArray } from '../fixtures/pool-outcomes.js';

/** Shut at first: a long task is one that lasts until it is opened, so that whatever has to wait for one waits for ever. */
type Gate = Value<'int32'>;

const makeGate = (): Gate => new Value('int32', 0, { lock: false });
const OPEN = 1;

/** Short without a gate. */
const busyUntil = (gate: Gate | null): string => {
  if (gate === null) return 'short';
  while (gate.value === 0);
  return 'long';
};
const square = (x: number): number => x * x;
const shorts = (count: number): null[] => new Array<null>(count).fill(null);

test('with one worker stuck in a long task the other does all the rest, every time', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  await pool.map(busyUntil, shorts(200));
  const gate = makeGate();
  const long = pool.apply(busyUntil, [gate]);
  for (let round = 0; round < 5; round++) {
    const expected = shorts(60).map(() => 'short');
    assert.deepEqual(await Promise.all(shorts(60).map((short) => pool.apply(busyUntil, [short]))), expected);
    assert.equal((await pool.map(busyUntil, shorts(300))).length, 300);
    assert.equal((await toArray(pool.imap(busyUntil, shorts(50)))).length, 50);
  }
  gate.value = OPEN;
  assert.equal(await long, 'long');
});

test('short tasks that were sent behind a long one before it was known to be long are taken back', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 2);
  // The pool learns that this function is quick, and sends ahead.
  await Promise.all(shorts(500).map((short) => pool.apply(busyUntil, [short])));
  const gate = makeGate();
  const [long, ...others] = [gate, ...shorts(100)].map((task) => pool.apply(busyUntil, [task]));
  assert.deepEqual(
    await Promise.all(others),
    shorts(100).map(() => 'short'),
  );
  gate.value = OPEN;
  assert.equal(await long, 'long');
  assert.deepEqual(await pool.map(square, range(50)), range(50).map(square));
});

test('long asynchronous tasks hold up nothing either, and what was taken back runs once', {
  timeout: 90_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'runs');
  const pool = makePool(t, 2);
  const note = async (path: string, x: number, gate: Gate | null): Promise<number> => {
    const { appendFileSync } = await import('node:fs');
    appendFileSync(path, `${x}\n`);
    while (gate?.value === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return x;
  };
  await Promise.all(range(300).map((x) => pool.apply(note, [file, -1 - x, null])));
  const gate = makeGate();
  const [long, ...others] = range(101).map((x) => pool.apply(note, [file, x, x === 0 ? gate : null]));
  assert.deepEqual(await Promise.all(others), range(101).slice(1));
  gate.value = OPEN;
  assert.equal(await long, 0);
  const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  assert.equal(runs.length, 401);
  assert.equal(new Set(runs).size, 401);
});
