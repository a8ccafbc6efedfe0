import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

const POOLS = `
import { Pool } from 'furca';
import { getHeapStatistics } from 'node:v8';
/** Megabytes that this process may use, and who started it. */
const look = () => [Math.round(getHeapStatistics().heap_size_limit / 2 ** 20), process.ppid];
const makePool = (maxOldGenerationSizeMb) =>
  new Pool(1, maxOldGenerationSizeMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb } });
const lookFrom = async (...sizes) => {
  const pools = sizes.map(makePool);
  const seen = await Promise.all(pools.map((pool) => pool.apply(look)));
  await Promise.all(pools.map((pool) => pool.terminate()));
  return seen;
};
const print = (value) => console.log(JSON.stringify(value));
`;

async function linesOf(program: string): Promise<unknown[]> {
  const { code, stdout, stderr } = await runProgram(POOLS + program);
  assert.equal(code, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

test('Workers with limits come from a zygote with these limits: one for all pools that have the same', async () => {
  const [seen] = (await linesOf('print(await lookFrom(undefined, 200, 300, 200, undefined));')) as [
    number[][],
  ];
  const limits = seen.map(([limit = 0]) => limit);
  const zygotes = seen.map(([, zygote]) => zygote);
  assert.equal((limits[2] as number) - (limits[1] as number), 100);
  assert.deepEqual([limits[3], limits[4]], [limits[1], limits[0]]);
  assert.deepEqual([zygotes[3], zygotes[4]], [zygotes[1], zygotes[0]]);
  assert.equal(new Set(zygotes).size, 3);
});

test('What a worker with limits starts has them, too, and the same zygote', async () => {
  const [[outer, inner, plain]] = (await linesOf(`
    const nest = async () => {
      const pool = makePool();
      try {
        return [look(), await pool.apply(look)];
      } finally {
        await pool.terminate();
      }
    };
    const pool = makePool(200);
    print([...(await pool.apply(nest)), ...(await lookFrom(undefined))]);
    await pool.terminate();
  `)) as [[number[], number[], number[]]];
  assert.deepEqual(inner, outer);
  assert.notDeepEqual(plain, outer);
});

test('A zygote with limits that is killed has a successor with the same; the others are left alone', async () => {
  const [before, after] = (await linesOf(`
    const before = await lookFrom(undefined, 200);
    print(before);
    process.kill(before[1][1], 'SIGKILL');
    print(await lookFrom(undefined, 200));
  `)) as [number[][], number[][]];
  assert.deepEqual(after[0], before[0]);
  assert.equal(after[1]?.[0], before[1]?.[0]);
  assert.notEqual(after[1]?.[1], before[1]?.[1]);
});

test('Where a family has all the zygotes it can have, workers with other limits are spawned', async () => {
  const [[seen, main]] = (await linesOf(`
    const seen = [];
    for (let size = 200; size < 209; size++) seen.push(...(await lookFrom(size)));
    print([seen, process.pid]);
  `)) as [[number[][], number]];
  const first = seen[0]?.[0] as number;
  assert.deepEqual(
    seen.map(([limit]) => limit),
    Array.from({ length: 9 }, (_, index) => first + index),
  );
  assert.deepEqual(
    seen.map(([, parent]) => parent === main),
    [...new Array<boolean>(8).fill(false), true],
  );
});
