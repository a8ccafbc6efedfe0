import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ClusterPool, type ClusterPoolStats } from '../../src/cluster.js';
import { briefly } from '../fixtures/cluster-tasks.js';
import { app } from './cluster.js';
import type { LinkedRedis } from './redis-links.js';
import { eventually } from './watchdog.js';

const program = fileURLToPath(new URL('../fixtures/cluster-worker.js', import.meta.url));

/** Something that happens once so many results have been taken. */
export interface Misfortune {
  readonly after: number;
  readonly what: 'worker killed' | 'Redis killed' | 'link cut';
}

export interface ChaosPlan {
  readonly items: number;
  readonly workers: number;
  readonly misfortunes: readonly Misfortune[];
  /** How long a cut lasts, in milliseconds. */
  readonly cutMs: number;
  /** Besides, a worker is killed so often, in milliseconds, as far as all have come up again; `Infinity` for never. */
  readonly killEveryMs: number;
  readonly say: (line: string) => void;
  /** Aborting it ends the run and its workers. */
  readonly signal?: AbortSignal;
}

export interface ChaosReport {
  readonly kills: number;
  readonly stats: ClusterPoolStats;
}

/** Worker processes, some of which are up. */
class Workers {
  readonly #url: string;
  readonly #queue: string;
  readonly #up: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();
  readonly #count: number;
  #isOver = false;
  kills = 0;

  constructor(url: string, queue: string, count: number) {
    this.#url = url;
    this.#queue = queue;
    this.#count = count;
    for (let at = 0; at < count; at++) this.#start();
  }

  #start(): void {
    const worker = spawn(process.execPath, [program, this.#url, this.#queue], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#all.add(worker);
    worker.once('close', () => this.#all.delete(worker));
    worker.stdout.once('data', () => this.#up.push(worker));
  }

  get areUp(): boolean {
    return this.#up.length === this.#count;
  }

  /** Kills the one that has been up for longest, if all of them are up, and starts another. */
  async kill(): Promise<void> {
    if (!this.areUp || this.#isOver) return;
    const victim = this.#up.shift() as ChildProcess;
    const ended = once(victim, 'close');
    victim.kill('SIGKILL');
    await ended;
    this.kills += 1;
    this.#start();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    const ended = [...this.#all].map((worker) => once(worker, 'close'));
    for (const worker of this.#all) worker.kill('SIGKILL');
    await Promise.all(ended);
  }
}

/**
 * Runs items through a cluster to which a plan happens.
 *
 * @throws Error when a result is wrong, missing, out of order or there twice.
 */
export async function runChaos(link: LinkedRedis, plan: ChaosPlan): Promise<ChaosReport> {
  const { items, cutMs, killEveryMs, say, signal } = plan;
  const queue = 'chaos';
  const workers = new Workers(link.url, queue, plan.workers);
  const pool = new ClusterPool({ connection: link.url, queue, app, poisonAfter: 1000 });
  const kills = Number.isFinite(killEveryMs)
    ? setInterval(() => void workers.kill(), killEveryMs)
    : undefined;
  const strike = async (what: Misfortune['what']): Promise<void> => {
    if (what === 'worker killed') {
      await eventually('all workers are up', () => workers.areUp, 60_000);
      await workers.kill();
    } else if (what === 'Redis killed') {
      await link.redis.kill();
      await link.redis.run();
    } else {
      link.cut();
      await delay(cutMs);
      link.mend();
    }
  };
  const ahead = [...plan.misfortunes].sort((a, b) => a.after - b.after);
  let taken = 0;
  try {
    const numbers = Array.from({ length: items }, (_, at) => at);
    for await (const value of pool.imap(briefly, numbers, { chunkSize: 50, ...(signal && { signal }) })) {
      if (value !== taken * 2) throw new Error(`item ${taken} gave ${value}`);
      taken += 1;
      if (taken % (items / 10) === 0) say(`${taken} results taken, ${workers.kills} workers killed`);
      while (ahead[0] !== undefined && taken >= ahead[0].after) {
        const { what } = ahead.shift() as Misfortune;
        say(`${taken} results taken: ${what}`);
        await strike(what);
      }
    }
    if (taken !== items) throw new Error(`${taken} results of ${items} items`);
    return { kills: workers.kills, stats: pool.stats() };
  } finally {
    clearInterval(kills);
    await pool.terminate();
    await workers.end();
  }
}
