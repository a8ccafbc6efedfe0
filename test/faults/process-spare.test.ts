import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process } from '../../src/index.js';
import { pickSeed, randomFrom } from '../fixtures/arena-stage.js';
import { descendants, processEntry, zygoteOf } from '../harness/proc.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests();

const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);

const exit = (code: number): never => process.exit(code);

async function run(code: number): Promise<number | null> {
  const child = new Process({ target: exit, args: [code] });
  await child.start();
  await child.join();
  return child.exitCode;
}

/** Children of the zygote, of which this process knows nothing. */
function spares(): number[] {
  const zygote = zygoteOf(process.pid);
  return zygote === undefined
    ? []
    : descendants(zygote.pid)
        .filter(({ state }) => state !== 'Z')
        .map(({ pid }) => pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}

async function haveSpare(): Promise<number> {
  for (let i = 0; i < 100; i++) {
    assert.equal(await run(i), i);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [spare] = spares();
    if (spare !== undefined) return spare;
  }
  throw new Error('The zygote made no spare child.');
}

test('starts that follow one another call for a spare child, which becomes the next one', async () => {
  const spare = await haveSpare();
  const child = new Process({ target: exit, args: [0] });
  await child.start();
  assert.equal(child.pid, spare);
  await child.join();
  assert.equal(child.exitCode, 0);
});

test('a spare child that nobody asks for ends by itself', async () => {
  const spare = await haveSpare();
  await eventually('the spare child has ended', () => processEntry(spare) === undefined);
  assert.equal(await run(3), 3);
});

test('SIGKILL of the spare child costs nobody anything', async () => {
  const next = randomFrom(seed);
  for (let round = 0; round < 30; round++) {
    const spare = await haveSpare();
    const code = 1 + next(100);
    const started = run(code);
    // Before, while or after it is made the child of this start. As a child it may die of it, or have ended already.
    const killAt = performance.now() + next(2000) / 1000;
    while (performance.now() < killAt);
    kill(spare);
    const ended = await started;
    assert.ok(ended === code || ended === -9, `${ended} for ${code}`);
    assert.equal(await run(7), 7);
  }
});

test('a spare child ends with its zygote', async () => {
  const spare = await haveSpare();
  process.kill(zygoteOf(process.pid)?.pid ?? 0, 'SIGKILL');
  await eventually('the spare child has ended', () => processEntry(spare) === undefined);
  assert.equal(await run(5), 5);
});

test('sixteen starts at once, again and again, give each child its own orders', async () => {
  for (let round = 0; round < 12; round++) {
    const codes = Array.from({ length: 16 }, (_, index) => round * 16 + index);
    assert.deepEqual(await Promise.all(codes.map(run)), codes);
  }
});
