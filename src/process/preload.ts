import { promises as fs, readdirSync } from 'node:fs';
import { watchDraws } from '../kernel/randomness.js';
import { whileLoading } from './bootstrap.js';

/** Longest time a module may take to load in a zygote; one that takes longer is loaded in the children. */
const LOAD_WITHIN_MS = 10_000;
/** Turns of the event loop in which requests of the loader itself may still end. */
const SETTLE_TURNS = 16;

/**
 * What loading a module did to the zygote: `clean`; `failed`, which the child shall find out and report; else why the zygote
 * can no longer be forked as it is.
 */
export type PreloadVerdict = 'clean' | 'failed' | { readonly polluted: string };

/** Starts libuv's thread pool, which every import uses, so that its threads are part of every later count. */
export async function startThreadPool(): Promise<void> {
  await fs.stat('/');
}

export function countThreads(): number {
  return readdirSync('/proc/self/task').length;
}

/** Loads a module into this process and judges what that left behind besides code. */
export async function preload(url: string): Promise<PreloadVerdict> {
  const threadsBefore = countThreads();
  let drew = false;
  watchDraws(() => {
    drew = true;
  });
  let outcome: 'loaded' | 'failed' | 'late';
  try {
    outcome = await loadInTime(url);
  } finally {
    watchDraws(undefined);
  }
  if (outcome === 'late') return { polluted: `it did not load within ${LOAD_WITHIN_MS} ms` };
  if (drew) return { polluted: 'it drew random values while loading, which all children would share' };
  const open = await openResources();
  if (open.length > 0) return { polluted: `it left open: ${[...new Set(open)].join(', ')}` };
  if (countThreads() > threadsBefore) return { polluted: 'it started a thread' };
  return outcome === 'failed' ? 'failed' : 'clean';
}

async function loadInTime(url: string): Promise<'loaded' | 'failed' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), LOAD_WITHIN_MS);
  });
  const loaded = whileLoading(() => import(url)).then(
    () => 'loaded' as const,
    () => 'failed' as const,
  );
  const outcome = await Promise.race([loaded, late]);
  clearTimeout(timer);
  return outcome;
}

async function openResources(): Promise<readonly string[]> {
  let open: readonly string[] = [];
  for (let turn = 0; turn < SETTLE_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    open = process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate');
    if (open.length === 0) break;
  }
  return open;
}
