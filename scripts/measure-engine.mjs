// Measures what a chunk costs Redis and its caller: `node scripts/measure-engine.mjs` after a build. One worker process runs chunks of a known
// size; Redis tells how much time of its thread, and how many commands, they took. Writes bench/results/cluster-constants.json.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { ClusterPool } from '../dist/lib/cluster.js';
import { Pool } from '../dist/lib/index.js';
import { echo, slowly } from '../dist/test/fixtures/cluster-tasks.js';
import { TestRedis } from '../dist/test/harness/redis.js';
import { simulate } from './cluster/simulator.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const redis = await TestRedis.start();
const args = ['worker', '--broker', redis.url, '--queue', 'engine', '--app', at('dist/test'), '--jobs', '1'];
const workers = [];
async function startWorker() {
  const worker = spawn(process.execPath, [at('dist/lib/cli/main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  workers.push(worker);
  await once(worker.stderr, 'data');
}
await startWorker();
const client = new Redis(redis.port, '127.0.0.1', {});
const pool = new ClusterPool({ connection: redis.url, queue: 'engine', app: at('dist/test') });

async function cpu() {
  const [stats, used] = [await client.info('stats'), await client.info('cpu')];
  const read = (text, name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(text)?.[1]);
  const engine = (read(used, 'used_cpu_user_main_thread') + read(used, 'used_cpu_sys_main_thread')) * 1000;
  const own = process.cpuUsage();
  return {
    engine,
    commands: read(stats, 'total_commands_processed'),
    bytes: read(stats, 'total_net_input_bytes') + read(stats, 'total_net_output_bytes'),
    caller: (own.user + own.system) / 1000,
  };
}

async function chunks(count, chunkSize) {
  const items = Array.from({ length: count * chunkSize }, (_, i) => i + 0.5);
  const before = await cpu();
  const began = performance.now();
  await pool.map(echo, items, { chunkSize });
  const ms = performance.now() - began;
  const after = await cpu();
  const each = (name) => (after[name] - before[name]) / count;
  return {
    engine: each('engine'),
    commands: each('commands'),
    bytes: each('bytes'),
    caller: each('caller'),
    perSecond: (count * 1000) / ms,
  };
}

try {
  await pool.map(
    echo,
    Array.from({ length: 1000 }, (_, i) => i),
    { chunkSize: 10 },
  );
  const small = await chunks(2000, 1);
  const large = await chunks(200, 8192);
  const engineUsPerByte = (Math.max(0, large.engine - small.engine) * 1000) / (large.bytes - small.bytes);
  const constants = {
    engineMs: small.engine - (small.bytes * engineUsPerByte) / 1000,
    engineUsPerByte,
    callerMs: small.caller,
    commandsPerChunk: small.commands,
    bytesPerChunk: small.bytes,
    measured: { small, large },
  };
  // The bound of what one process can do here, and what this run did.
  const predicted = simulate({
    hosts: 1,
    processes: 1,
    itemMs: 0.001,
    items: 1,
    ...constants,
    bytes: small.bytes,
  }).chunksPerSecond;
  constants.prediction = {
    engineBoundPerSecond: Math.round(predicted),
    seenPerSecond: Math.round(small.perSecond),
  };
  // Items that wait 5 ms by a timer leave the CPUs to the rest: what the simulator says of 1 and 2 hosts, and what they do.
  const items = Array.from({ length: 2000 }, (_, i) => i);
  const chunkSize = 20;
  constants.checked = [];
  for (const hosts of [1, 2]) {
    if (hosts > 1) await startWorker();
    while (pool.stats().workers < hosts) await new Promise((resolve) => setTimeout(resolve, 50));
    const local = new Pool(1);
    await local.map(slowly, items.slice(0, 100));
    let began = performance.now();
    await local.map(slowly, items.slice(0, 500));
    const itemMs = (performance.now() - began) / 500;
    await local.close();
    await pool.map(slowly, items.slice(0, 200), { chunkSize });
    began = performance.now();
    await pool.map(slowly, items, { chunkSize });
    const seen = (items.length * 1000) / (performance.now() - began);
    const bytes = small.bytes + chunkSize * 20;
    const { itemsPerSecond } = simulate({
      hosts,
      processes: 1,
      itemMs,
      items: chunkSize,
      ...constants,
      bytes,
    });
    constants.checked.push({
      hosts,
      itemMs,
      predictedPerSecond: Math.round(itemsPerSecond),
      seenPerSecond: Math.round(seen),
    });
  }
  constants.load = loadavg();
  writeFileSync(at('bench/results/cluster-constants.json'), `${JSON.stringify(constants, null, 2)}\n`);
  console.log(constants);
} finally {
  await pool.close();
  client.disconnect();
  for (const worker of workers) {
    const ended = once(worker, 'close');
    worker.kill('SIGTERM');
    await ended;
  }
  await redis.stop();
}
