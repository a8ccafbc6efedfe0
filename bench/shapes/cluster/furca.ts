import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'furca';
import { ClusterPool } from 'furca/cluster';
import { TestRedis } from '../../../test/harness/redis.js';
import { median } from '../../report/figures.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { noop, tenMs } from '../../tasks.js';
import { checkSum } from '../pool/counts.js';
import { end, start } from './children.js';
import { countsOf } from './counts.js';

const APP = join(import.meta.dirname, '../..');
const QUEUE = 'bench';

type Mapped = (x: number) => number;

/** Whatever has `map`: a cluster, or a local pool. */
interface Mapper {
  map(fn: Mapped, items: readonly number[]): Promise<number[]>;
}

async function perSecond(pool: Mapper, fn: Mapped, warmUp: number, count: number): Promise<number> {
  const items = Array.from({ length: count }, (_, at) => at);
  await pool.map(fn, items.slice(0, warmUp));
  const started = performance.now();
  const results = await pool.map(fn, items);
  const elapsed = performance.now() - started;
  checkSum(
    results.reduce((sum, value) => sum + value, 0),
    count,
  );
  return (count / elapsed) * 1_000;
}

/** Runs `body` with a caller of so many hosts, each a worker of one process, all of them seen. */
async function withCluster<T>(
  hosts: number,
  execArgv: readonly string[],
  body: (pool: ClusterPool, hosts: readonly ChildProcess[]) => Promise<T>,
): Promise<T> {
  const redis = await TestRedis.start();
  const workers: ChildProcess[] = [];
  for (let at = 0; at < hosts; at++) workers.push(await start('host', [redis.url, QUEUE, APP], execArgv));
  const pool = new ClusterPool({ connection: redis.url, queue: QUEUE, app: APP });
  await pool.warmUp();
  while (pool.stats().workers < hosts) await delay(20);
  const result = await body(pool, workers);
  await pool.close();
  for (const worker of workers) await end(worker);
  await redis.stop();
  return result;
}

/** No-op items through one `map`. */
export async function observeNoop(hosts: number, mode: Mode): Promise<Observation> {
  const { noopWarmUp, noopItems } = countsOf(mode);
  return await withCluster(hosts, [], async (pool) => {
    return { metrics: { perSecond: await perSecond(pool, noop, noopWarmUp, noopItems) } };
  });
}

/** Items of 10 ms through one `map`. */
export async function observeTimed(hosts: number, mode: Mode): Promise<Observation> {
  const { timedWarmUp, timedItems } = countsOf(mode);
  return await withCluster(hosts, [], async (pool) => {
    return { metrics: { perSecond: await perSecond(pool, tenMs, timedWarmUp, timedItems) } };
  });
}

/** The same in a local pool of as many processes. */
export async function observeLocal(processes: number, mode: Mode): Promise<Observation> {
  const { timedWarmUp, timedItems } = countsOf(mode);
  const pool = new Pool(processes);
  await pool.warmUp();
  const rate = await perSecond(pool, tenMs, timedWarmUp, timedItems);
  await pool.close();
  await pool.join();
  return { metrics: { perSecond: rate } };
}

function residentMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return sum + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }, 0);
}

/** Resident memory of a host: its worker, after a collection, and the process beneath it. */
async function memoryOf(host: ChildProcess): Promise<number> {
  const answer = once(host, 'message') as Promise<[{ readonly pids: readonly number[] }]>;
  host.send('memory');
  const [{ pids }] = await answer;
  return residentMb(pids);
}

/** How much more the last third of the looks shows than the first. */
function growthOf(looks: readonly number[]): number {
  const third = Math.floor(looks.length / 3);
  return median(looks.slice(-third)) - median(looks.slice(0, third));
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let x = 0; x < count; x++) yield x;
}

/** Memory of caller and hosts while no-op items come from an async iterable and go to a loop. */
export async function observeMemory(hosts: number, mode: Mode): Promise<Observation> {
  const { memoryWarmUp, memoryStep, memoryLooks } = countsOf(mode);
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('memory is looked at after a collection: --expose-gc.');
  return await withCluster(hosts, ['--expose-gc'], async (pool, workers) => {
    const caller: number[] = [];
    const others: number[][] = workers.map(() => []);
    let taken = 0;
    for await (const value of pool.imap(noop, numbers(memoryWarmUp + memoryStep * (memoryLooks - 1)))) {
      if (value !== taken) throw new Error(`item ${taken} was answered by ${value}.`);
      taken += 1;
      if (taken < memoryWarmUp || (taken - memoryWarmUp) % memoryStep !== 0) continue;
      gc();
      caller.push(residentMb([process.pid]));
      for (const [at, worker] of workers.entries()) others[at]?.push(await memoryOf(worker));
    }
    return {
      metrics: { caller: growthOf(caller), host: Math.max(...others.map(growthOf)) },
      samples: [...caller, ...others.flat()],
    };
  });
}
