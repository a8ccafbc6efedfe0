// Kills workers every second, Redis twice, and cuts it off for 30 s, while 100,000 items run: `node scripts/chaos-cluster.mjs [items] [cut ms]` after a
// build. Every result must come once, right, in order.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ClusterPool } from '../dist/src/cluster.js';
import { slowly } from '../dist/test/fixtures/cluster-tasks.js';
import { TestRedis } from '../dist/test/harness/redis.js';

const [items = 100_000, cutMs = 30_000] = process.argv.slice(2).map(Number);
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const redis = await TestRedis.start();
const queue = 'chaos';
const workers = [];
let isOver = false;
let kills = 0;

async function startWorker() {
  const worker = spawn(process.execPath, [at('dist/test/fixtures/cluster-worker.js'), redis.url, queue], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  workers.push(worker);
  await Promise.race([once(worker.stdout, 'data'), once(worker, 'close')]);
}

async function storm() {
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const victim = workers.shift();
    victim?.kill('SIGKILL');
    kills += 1;
    await Promise.race([startWorker(), new Promise((resolve) => setTimeout(resolve, 5000))]);
  }
}

const pool = new ClusterPool({ connection: redis.url, queue, app: at('dist/test'), poisonAfter: 50 });
for (let i = 0; i < 3; i++) await startWorker();
const storming = storm();
const began = performance.now();
async function restart() {
  await redis.kill();
  await redis.run();
}

const events = [
  [0.2, 'Redis killed', restart],
  [
    0.4,
    `Redis cut off for ${cutMs} ms`,
    async () => {
      const { serverPid } = redis;
      process.kill(serverPid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, cutMs));
      process.kill(serverPid, 'SIGCONT');
    },
  ],
  [0.6, 'Redis killed', restart],
];
let taken = 0;
let code = 1;
try {
  for await (const value of pool.imap(
    slowly,
    Array.from({ length: items }, (_, i) => i),
    { chunkSize: 25 },
  )) {
    if (value !== taken * 2) throw new Error(`item ${taken} gave ${value}`);
    taken += 1;
    if (events.length > 0 && taken >= items * events[0][0]) {
      const [, what, act] = events.shift();
      console.log(`${Math.round((performance.now() - began) / 1000)} s, ${taken} items: ${what}`);
      await act();
    }
  }
  code = taken === items ? 0 : 1;
} finally {
  isOver = true;
  console.log(
    `${taken} of ${items} items, each once, right, in order; ${kills} workers killed; ${Math.round((performance.now() - began) / 1000)} s`,
    pool.stats(),
  );
  await pool.terminate();
  await storming;
  for (const worker of workers) worker.kill('SIGKILL');
  await redis.stop();
}
process.exitCode = code;
