import { readFileSync } from 'node:fs';
import { ClusterWorker, type ClusterWorkerOptions } from '../cluster.js';
import { FurcaError } from '../index.js';
import { errorLine } from './error-line.js';
import { EXIT, Mistake } from './mistake.js';
import { serveHealth } from './worker-health.js';

/** Options of `furca worker`, as its help names them. */
export interface WorkerOptions {
  readonly broker: string;
  readonly queue: string;
  readonly app: string;
  readonly jobs?: number;
  readonly tags?: string;
  readonly keyFile?: string;
  readonly http?: string;
  readonly maxMemoryMb?: number;
  readonly lostAfterMs?: number;
}

const KEY_VARIABLE = 'FURCA_CLUSTER_KEY';

/**
 * Runs the work of some queues until it is asked to end.
 *
 * @returns the exit code.
 * @throws {@link Mistake} the command was used wrongly; nothing was begun.
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const workers = makeWorkers(options);
  for (const worker of workers) {
    worker.on('refused', ({ jobId, reason, text }) => say(`job ${jobId} refused (${reason}): ${text}`));
    worker.on('trouble', sayOnce());
  }
  const health = options.http === undefined ? undefined : await serveHealth(options.http, workers);
  const ended = untilAsked();
  try {
    for (const worker of workers) await worker.start();
  } catch (error) {
    await health?.close();
    if (FurcaError.is(error) && error.code === 'ERR_FURCA_MISSING_PACKAGE') throw new Mistake(error.message);
    throw error;
  }
  for (const worker of workers) say(`worker ${worker.id} takes work from ${options.queue}`);
  if (health !== undefined) say(`health and metrics at ${health.url}`);
  const signal = await ended;
  say(`${signal}: finishing what is begun`);
  await Promise.all(workers.map((worker) => worker.close()));
  await health?.close();
  return EXIT.OK;
}

function makeWorkers(options: WorkerOptions): ClusterWorker[] {
  const { broker, queue, app, jobs, tags, maxMemoryMb, lostAfterMs } = options;
  const key = keyOf(options);
  const shared: Omit<ClusterWorkerOptions, 'queue'> = {
    connection: broker,
    app,
    ...(key === undefined ? {} : { key }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(tags === undefined ? {} : { tags: tags.split(',') }),
    ...(maxMemoryMb === undefined ? {} : { maxMemoryPerChildBytes: maxMemoryMb * 1024 * 1024 }),
    ...(lostAfterMs === undefined ? {} : { lostAfterMs }),
  };
  try {
    return queue.split(',').map((name) => new ClusterWorker({ ...shared, queue: name }));
  } catch (error) {
    if (FurcaError.is(error)) throw new Mistake(error.message);
    throw error;
  }
}

/** Not an argument: those are for everybody on the machine to see. */
function keyOf({ keyFile }: WorkerOptions): string | undefined {
  if (keyFile === undefined) return process.env[KEY_VARIABLE];
  try {
    return readFileSync(keyFile, 'utf8').trim();
  } catch (error) {
    throw new Mistake(`the key cannot be read: ${(error as Error).message}`);
  }
}

/** Resolves at the first signal that asks the worker to end; the second ends it at once. */
function untilAsked(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isAsked = false;
    const ask = (signal: NodeJS.Signals): void => {
      if (isAsked) process.exit(signal === 'SIGINT' ? EXIT.SIGINT : EXIT.SIGTERM);
      isAsked = true;
      resolve(signal);
    };
    process.on('SIGTERM', () => ask('SIGTERM'));
    process.on('SIGINT', () => ask('SIGINT'));
  });
}

function say(text: string): void {
  process.stderr.write(`furca worker: ${text}\n`);
}

/** A broker that is away says so many times a second. */
function sayOnce(): (error: Error) => void {
  let last = '';
  return (error) => {
    const line = errorLine(error);
    if (line !== last) say(line);
    last = line;
  };
}
