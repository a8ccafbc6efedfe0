import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ThreadPool, Value } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import { outcomesOf, range, toArray } from '../fixtures/pool-outcomes.js';

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

const results: Readonly<Record<string, (x: number) => unknown>> = {
  numbers: (x) => x,
  objects: (x) => ({ x }),
};

for (const [kind, make] of Object.entries(results)) {
  for (const retries of [0, 3]) {
    for (const startMethod of ['forkserver', 'thread'] as const) {
      test(`${startMethod}: results that are ${kind} do not wait for a long item behind them, with ${retries} retries`, {
        timeout: 90_000,
      }, async (t) => {
        const pool = startMethod === 'thread' ? new ThreadPool(1, { retries }) : makePool(t, 1, { retries });
        t.after(() => pool.terminate());
        const gate = makeGate();
        const item = (x: number, last: number, shut: Gate): unknown => {
          while (x === last && shut.value === 0);
          return make(x);
        };
        // The pool learns that this function is quick, and sends ahead.
        for (let round = 0; round < 5; round++)
          await Promise.all(range(100).map((x) => pool.apply(item, [x, -1, gate])));

        const calls = range(20).map((x) => pool.apply(item, [x, 19, gate]));
        assert.deepEqual(await Promise.all(calls.slice(0, 19)), range(19).map(make));
        gate.value = OPEN;
        assert.deepEqual(await calls[19], make(19));

        gate.value = 0;
        const chunk = pool.imapUnordered((x: number) => item(x, 19, gate), range(20), { chunkSize: 20 });
        for (const x of range(19)) assert.deepEqual((await chunk.next()).value, make(x));
        gate.value = OPEN;
        assert.deepEqual((await chunk.next()).value, make(19));
        assert.equal((await chunk.next()).done, true);

        gate.value = 0;
        const mapped = pool.map((x: number) => item(x, 19, gate), range(40), { chunkSize: 40 });
        // Long enough for several looks.
        await new Promise((resolve) => setTimeout(resolve, 100));
        gate.value = OPEN;
        assert.deepEqual(await mapped, range(40).map(make));
      });
    }
  }
}

test('what was found while a long item ran counts once, also when its batch is then sent in single results', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1);
  const gate = makeGate();
  const item = (x: number): unknown => {
    if (x < 10) return x;
    while (gate.value === 0);
    return x === 10 ? new WeakMap() : x;
  };
  const results = pool.imapUnordered(item, range(20), { chunkSize: 20 });
  for (const x of range(10)) assert.equal((await results.next()).value, x);
  gate.value = OPEN;
  const rest = await outcomesOf(results);
  assert.deepEqual(
    rest.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'rejected')),
    ['rejected', ...range(20).slice(11)],
  );
  assert.deepEqual(await pool.map((x: number) => x, range(50)), range(50));
});
