// What a cluster of two worker processes does here, beside plain BullMQ with one item for each job and the local pool, in one run:
// `node scripts/measure-cluster.mjs [result file] [share of the items] [rounds]` after a build. Only the ratios within a run mean anything.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { ClusterPool } from '../dist/lib/cluster.js';
import { Pool } from '../dist/lib/index.js';
import { echo, tenMs } from '../dist/test/fixtures/cluster-tasks.js';
import { TestRedis, whyNoRedis } from '../dist/test/harness/redis.js';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const app = at('dist/test');
const [, , file, share = '1', rounds = '3'] = process.argv;
const RAW_JOBS = 10_000 * Number(share);
const ITEMS = 1_000_000 * Number(share);
const TIMED_ITEMS = 2000 * Number(share);
const ROUNDS = Number(rounds);

const why = whyNoRedis();
if (why !== false) {
  console.error(why);
  process.exit(1);
}
const redis = await TestRedis.start();
const started = [];
const result = {
  node: process.version,
  cpus: cpus().length,
  model: cpus()[0]?.model,
  at: new Date().toISOString(),
  rounds: [],
};

async function start(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]);
  return child;
}

async function end(child) {
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

async function perSecond(count, work) {
  const began = performance.now();
  await work();
  return Math.round((count * 1000) / (performance.now() - began));
}

async function raw() {
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue('raw', { connection });
  const events = new QueueEvents('raw', { connection });
  await events.waitUntilReady();
  const workers = [
    await start([at('scripts/cluster/raw-worker.mjs'), redis.port]),
    await start([at('scripts/cluster/raw-worker.mjs'), redis.port]),
  ];
  const run = async (count) => {
    let left = count;
    const done = new Promise((resolve) => {
      const onCompleted = () => {
        left -= 1;
        if (left === 0) {
          events.off('completed', onCompleted);
          resolve();
        }
      };
      events.on('completed', onCompleted);
    });
    for (let first = 0; first < count; first += 1000)
      await queue.addBulk(
        Array.from({ length: Math.min(1000, count - first) }, (_, i) => ({ name: 'item', data: first + i })),
      );
    await done;
  };
  await run(1000);
  const rate = await perSecond(RAW_JOBS, () => run(RAW_JOBS));
  for (const worker of workers) await end(worker);
  await events.close();
  await queue.close();
  console.error(`raw ${rate}/s`);
  return rate;
}

const rssOf = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function cluster(jobs) {
  const queue = `measured-${started.length}`;
  const args = [
    at('dist/lib/cli/main.js'),
    'worker',
    '--broker',
    redis.url,
    '--queue',
    queue,
    '--app',
    app,
    '--jobs',
    '1',
  ];
  const workers = [];
  for (let i = 0; i < jobs; i++) workers.push(await start(args));
  const pool = new ClusterPool({ connection: redis.url, queue, app });
  while (pool.stats().workers < jobs) {
    await pool.warmUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const items = Array.from({ length: ITEMS }, (_, i) => i);
  await pool.map(echo, items.slice(0, 20_000));
  const before = pool.stats().completed;
  const noop = await perSecond(ITEMS, () => pool.map(echo, items));
  const chunks = pool.stats().completed - before;
  await pool.map(tenMs, items.slice(0, 100));
  const timed = await perSecond(TIMED_ITEMS, () => pool.map(tenMs, items.slice(0, TIMED_ITEMS)));
  const memory = [];
  let taken = 0;
  for await (const value of pool.imap(echo, endless())) {
    if (value !== taken) throw new Error(`${value} instead of ${taken}`);
    taken += 1;
    if (taken % (ITEMS / 5) === 0)
      memory.push([process.pid, ...workers.map(({ pid }) => pid)].map((pid) => Math.round(rssOf(pid))));
    if (taken === ITEMS) break;
  }
  await pool.close();
  for (const worker of workers) await end(worker);
  console.error(`cluster of ${jobs}: ${noop}/s no-op, ${timed}/s timed`);
  return { noop, chunks, timed, memoryMb: memory };
}

async function* endless() {
  for (let i = 0; ; i++) yield i;
}

async function local(jobs) {
  const pool = new Pool(jobs);
  await pool.warmUp();
  const items = Array.from({ length: TIMED_ITEMS }, (_, i) => i);
  await pool.map(tenMs, items.slice(0, 100));
  const timed = await perSecond(TIMED_ITEMS, () => pool.map(tenMs, items));
  await pool.close();
  return timed;
}

try {
  for (let round = 0; round < ROUNDS; round++) {
    const one = { load: loadavg().map((x) => Math.round(x * 10) / 10), raw: await raw() };
    one.cluster2 = await cluster(2);
    one.local2 = await local(2);
    one.local1 = await local(1);
    one.cluster1 = await cluster(1);
    one.noopOverRaw = Math.round((one.cluster2.noop / one.raw) * 10) / 10;
    one.timedOverLocal = [one.cluster1.timed / one.local1, one.cluster2.timed / one.local2].map(
      (x) => Math.round(x * 1000) / 1000,
    );
    result.rounds.push(one);
    console.log(JSON.stringify(one));
  }
  if (file !== undefined && file !== '-') writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  for (const child of started)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await redis.stop();
}
