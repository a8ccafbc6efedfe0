import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Process } from 'furca';

const FORKS = 20;
const NODES = 3;

/** What processes cost here. */
export interface ForkCost {
  /** The first one, which starts the zygote too. */
  readonly firstMs: number;
  /** Median of the others, from start to end of a process that does nothing. */
  readonly forkMs: number;
  /** The same with `child_process.fork` and an empty module. */
  readonly nodeMs: number;
  /** Memory that an idle child shares with nobody; `null` where the system does not tell. */
  readonly ownBytes: number | null;
}

/** Starts and ends processes, one after the other. */
export async function measureForks(): Promise<ForkCost> {
  const firstMs = await timed(startAndJoin);
  const forks: number[] = [];
  for (let i = 0; i < FORKS; i++) forks.push(await timed(startAndJoin));
  const nodes: number[] = [];
  for (let i = 0; i < NODES; i++) nodes.push(await timed(startNode));
  return { firstMs, forkMs: median(forks), nodeMs: median(nodes), ownBytes: await ownBytesOfChild() };
}

async function startAndJoin(): Promise<void> {
  const child = new Process({ target: () => {} });
  await child.start();
  await child.join();
}

async function startNode(): Promise<void> {
  await once(fork(fileURLToPath(new URL('./nothing.js', import.meta.url))), 'exit');
}

async function ownBytesOfChild(): Promise<number | null> {
  const child = new Process({
    target: async () => {
      process.stdout.write('up');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    daemon: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await child.start();
  if (child.stdout !== null) await once(child.stdout, 'data');
  const bytes = privateBytes(child.pid);
  child.kill();
  await child.join();
  child.close();
  return bytes;
}

/** Pages of a process that were written and are its own: proc_pid_smaps(5). */
function privateBytes(pid: number | undefined): number | null {
  try {
    const [, kib] =
      /^Private_Dirty:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
