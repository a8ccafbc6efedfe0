import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WorkerLostError } from '../../src/index.js';
import { makePool } from '../fixtures/pool-made.js';
import { failureOf, range } from '../fixtures/pool-outcomes.js';

function makeFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'furca-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'runs');
  appendFileSync(file, '');
  return file;
}

async function lossOf(work: Promise<unknown>): Promise<WorkerLostError> {
  const error = await failureOf(work);
  assert.ok(error instanceof WorkerLostError, String(error));
  return error;
}

test('a loss says what the worker wrote to stderr last, at most 4 KiB of it', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1);
  const quiet = await lossOf(pool.apply(() => process.exit(3)));
  assert.deepEqual([quiet.reason, quiet.exitCode, quiet.stderrTail, quiet.index], ['exit', 3, '', 0]);
  const loud = await lossOf(
    pool.apply(() => {
      process.stderr.write(`${'x'.repeat(10_000)}the end of the test's text\n`);
      process.exit(4);
    }),
  );
  assert.equal(loud.stderrTail.length, 4096);
  assert.ok(loud.stderrTail.endsWith("the end of the test's text\n"));
  assert.equal(loud.startMethod, 'forkserver');
});

test('a loss by a signal, by the heap limit, and by the pool itself are told apart', {
  timeout: 90_000,
}, async (t) => {
  const killed = await lossOf(makePool(t, 1).apply(() => process.kill(process.pid, 'SIGKILL')));
  assert.deepEqual([killed.reason, killed.signal], ['signal', 'SIGKILL']);
  for (const startMethod of ['forkserver', 'spawn'] as const) {
    const limited = makePool(t, 1, { startMethod, resourceLimits: { maxOldGenerationSizeMb: 40 } });
    const full = await lossOf(
      limited.apply(() => {
        const all: number[][] = [];
        for (;;) all.push(new Array<number>(1000).fill(1.5));
      }),
    );
    assert.deepEqual([full.reason, full.signal, full.startMethod], ['heap', 'SIGABRT', startMethod]);
    assert.match(full.stderrTail, /heap/);
  }
  const late = await failureOf(
    makePool(t, 1, { taskTimeoutMs: 50 }).apply(() => {
      for (;;);
    }),
  );
  assert.equal(late.code, 'ERR_FURCA_TASK_TIMEOUT');
  assert.equal((late.cause as WorkerLostError).reason, 'timeout');
});

/** Notes each run of an item, and kills its worker at the items that `poison` names. */
const note = ({
  x,
  file,
  poison,
  kind,
}: {
  x: number;
  file: string;
  poison: number[];
  kind: string;
}): unknown => {
  const { appendFileSync: append } = process.getBuiltinModule('node:fs');
  append(file, `${x}\n`);
  if (poison.includes(x)) process.kill(process.pid, 'SIGKILL');
  return kind === 'number' ? x : kind === 'text' ? `text ${x}` : { x };
};

for (const kind of ['number', 'text', 'object']) {
  test(`without retries no item is begun twice, and one poison item costs itself alone: results are ${kind}s`, {
    timeout: 90_000,
  }, async (t) => {
    for (const chunkSize of [1, 50, 200]) {
      const pool = makePool(t, 2);
      const file = makeFile(t);
      const poison = [7, 49, 50, 120];
      const items = range(200).map((x) => ({ x, file, poison, kind }));
      const failed: number[] = [];
      let index = 0;
      for await (const { status } of pool.imapSettled(note, items, { chunkSize })) {
        if (status === 'rejected') failed.push(index);
        index++;
      }
      assert.deepEqual(failed, poison);
      const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
      assert.deepEqual(
        runs.sort((a, b) => a - b),
        range(200),
      );
      await pool.close();
    }
  });
}

test('calls that were finished and not yet sent when their worker is lost are answered, and not run again', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1);
  const file = makeFile(t);
  // The pool learns that this is quick, and sends ahead.
  await Promise.all(range(300).map((x) => pool.apply(note, [{ x: -x, file, poison: [], kind: 'number' }])));
  const outcomes = await Promise.allSettled(
    range(100).map((x) => pool.apply(note, [{ x: x + 1, file, poison: [60], kind: 'number' }])),
  );
  assert.deepEqual(
    outcomes.flatMap(({ status }, at) => (status === 'rejected' ? [at + 1] : [])),
    [60],
  );
  const runs = readFileSync(file, 'utf8').trim().split('\n');
  assert.equal(new Set(runs).size, 400 - 0);
  assert.equal(runs.length, 400);
});

test('a task that kills its workers is set aside after poisonAfter of them, and the pause before each try doubles', {
  timeout: 90_000,
}, async (t) => {
  const file = makeFile(t);
  const pool = makePool(t, 1, { retries: 9, poisonAfter: 3, backoffMs: 40 });
  const startedAt = performance.now();
  const error = await lossOf(pool.apply(note, [{ x: 1, file, poison: [1], kind: 'number' }]));
  assert.deepEqual([error.code, error.attempts], ['ERR_FURCA_POISONED', 3]);
  assert.ok(performance.now() - startedAt >= 40 + 80);
  assert.equal(readFileSync(file, 'utf8'), '1\n1\n1\n');
});

test('a worker that is too large after a task is replaced, and no task is lost', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1, { maxMemoryPerChildBytes: 160e6 });
  const before = await pool.apply(() => process.pid);
  await pool.apply(() => {
    (globalThis as { kept?: Buffer }).kept = Buffer.alloc(200e6, 1);
  });
  assert.notEqual(await pool.apply(() => process.pid), before);
  assert.equal(pool.stats().lost, 0);
});

test('a copy of a pool in a forked process refuses tasks by name of the reason', {
  timeout: 90_000,
}, async (t) => {
  const pool = makePool(t, 1);
  const ownPid = process.pid;
  Object.defineProperty(process, 'pid', { value: ownPid + 1, configurable: true });
  const error = await failureOf(pool.apply(() => 1));
  Object.defineProperty(process, 'pid', { value: ownPid, configurable: true });
  assert.equal(error.code, 'ERR_FURCA_STARVATION');
  assert.equal(await pool.apply(() => 2), 2);
});
