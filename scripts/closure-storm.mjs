// Sends many different functions through one pool and watches the memory of both sides:
// `npm run build && node scripts/closure-storm.mjs [count]`, by default 100,000. Every tenth is of a text of its own.
import { readFileSync } from 'node:fs';
import { Pool } from '../dist/lib/index.js';

const count = Number(process.argv[2] ?? 100_000);
const ROUNDS = 10;
const IN_FLIGHT = 64;
/** Growth allowed from the second round to the last, in MiB: caches fill, heaps breathe. */
const ALLOWED_MIB = 40;

const factor = 2;
const pool = new Pool(1);
await pool.apply(() => factor, []);
const [pid] = pool.stats().pids;

function residentMib(of) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${of}/status`, 'utf8'));
  return Number(kib) / 1024;
}

function makeTask(i) {
  if (i % 10 === 0) return [new Function('x', `return x + ${i}`), i + 1];
  class Local {
    value = i;
  }
  if (i % 100 === 1) return [(x) => new Local().value + x, i + 1];
  return [(x) => x * factor + i, i + 2];
}

async function send(i) {
  const [task, expected] = makeTask(i);
  const got = await pool.apply(task, [1]);
  if (got !== expected) throw new Error(`Function ${i} gave ${got}, not ${expected}.`);
}

const seen = [];
let next = 0;
for (let round = 1; round <= ROUNDS; round += 1) {
  const end = Math.round((count * round) / ROUNDS);
  const runner = async () => {
    while (next < end) {
      next += 1;
      await send(next);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, runner));
  globalThis.gc?.();
  seen.push([residentMib(process.pid), residentMib(pid)]);
  console.log(
    `${next} functions: parent ${seen.at(-1)[0].toFixed(0)} MiB, worker ${seen.at(-1)[1].toFixed(0)} MiB`,
  );
}
await pool.close();
for (const [side, name] of ['parent', 'worker'].entries()) {
  const growth = seen.at(-1)[side] - seen[1][side];
  if (growth > ALLOWED_MIB) {
    console.error(`The ${name} grew by ${growth.toFixed(0)} MiB.`);
    process.exitCode = 1;
  }
}
