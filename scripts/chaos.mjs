// Chaos: tasks on 8 workers, one of which is killed every 50 ms; every task must be answered, and rightly.
// Usage: node scripts/chaos.mjs [tasks] ; FURCA_SEED repeats a run. Build first.
import { Pool } from '../dist/src/index.js';

const count = Number(process.argv[2] ?? 10_000);
const seed = Number(process.env.FURCA_SEED ?? Date.now() % 1e6);
console.log(`FURCA_SEED=${seed}`);
let state = seed;
const random = () => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return state / 2 ** 31;
};
const task = (x) => {
  const end = performance.now() + 2;
  while (performance.now() < end);
  return x * 2;
};

const pool = new Pool(8, { retries: 10 });
await pool.warmUp();
let kills = 0;
const killing = setInterval(() => {
  const { pids } = pool.stats();
  try {
    process.kill(pids[Math.floor(random() * pids.length)], 'SIGKILL');
    kills++;
  } catch {
    // It ended by itself.
  }
}, 50);
const half = Array.from({ length: count / 2 }, (_, x) => x);
const startedAt = performance.now();
const [calls, mapped] = await Promise.all([
  Promise.allSettled(half.map((x) => pool.apply(task, [x]))),
  (async () => {
    const out = [];
    for await (const one of pool.imapSettled(task, half)) out.push(one);
    return out;
  })(),
]);
clearInterval(killing);
const wrong = [...calls, ...mapped].filter(
  (one, at) => one.status === 'fulfilled' && one.value !== (at % half.length) * 2,
).length;
const failures = [...calls, ...mapped].filter(({ status }) => status === 'rejected');
const rejected = failures.length;
for (const { reason } of failures.slice(0, 5)) console.log(`rejected: ${reason.code} ${reason.message}`);
const { lost } = pool.stats();
await pool.close();
console.log(
  `${count} tasks in ${Math.round(performance.now() - startedAt)} ms: ${kills} kills, ${lost} workers lost, ${rejected} rejected, ${wrong} wrong, ${calls.length + mapped.length} answered`,
);
process.exitCode = wrong > 0 || rejected > 0 || calls.length + mapped.length !== count ? 1 : 0;
