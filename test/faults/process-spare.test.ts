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
  let spare: number | undefined;
  await eventually('the zygote has a spare child', async () => {
    assert.equal(await run(3), 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    [spare] = spares();
    return spare !== undefined;
  });
  return spare as number;
}

/** Gone, or dead and only waiting for the machine's first process to take note. */
function isGone(pid: number): boolean {
  return (processEntry(pid)?.state ?? 'Z') === 'Z';
}

test('starts that follow one another call for a spare child, which becomes the next one', async () => {
  // One that is asked for too late has been let go.
  await eventually('a spare child became the next one', async () => {
    const spare = await haveSpare();
    const child = new Process({ target: exit, args: [0] });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 0);
    return child.pid === spare;
  });
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
  const zygote = zygoteOf(process.pid);
  assert.ok(zygote !== undefined);
  kill(zygote.pid);
  await eventually('the spare child has ended', () => isGone(spare));
  assert.equal(await run(5), 5);
});

test('sixteen starts at once, again and again, give each child its own orders', async () => {
  for (let round = 0; round < 12; round++) {
    const codes = Array.from({ length: 16 }, (_, index) => round * 16 + index);
    assert.deepEqual(await Promise.all(codes.map(run)), codes);
  }
});
