import type { Redis } from 'ioredis';
import { encode } from '../wire/codec.js';
import type { AnyFunction } from '../wire/functions.js';
import type { App } from './app.js';
import { CALLS } from './calls-run.js';
import { type CodeFault, findCode } from './code.js';
import {
  decodeJob,
  encodeRefusal,
  encodeResult,
  type JobEnvelope,
  jobIdOf,
  listIn,
  namedByJobId,
} from './envelopes.js';
import type { HostPools, HostResult } from './host-pools.js';
import type { Names } from './names.js';
import { deliver, REPEATED, RUN_GONE, refuse } from './scripts.js';
import { digestOf, type Seal } from './sealing.js';

/** Why a worker does not run a chunk. */
export type RefusalReason = CodeFault['reason'] | 'signature' | 'oversized' | 'replayed' | 'code' | 'result';

/** What became of a job. */
export type ChunkVerdict =
  | { readonly kind: 'ran'; readonly items: number; readonly failed: number }
  /** Its run is over or given up, or it has a result already. */
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly text: string };

/** What a runner works with. */
export interface RunnerPlaces {
  readonly redis: Redis;
  readonly names: Names;
  readonly seal: Seal;
  readonly app: App;
  readonly pools: HostPools;
  readonly workerId: string;
  readonly maxJobBytes: number;
  readonly keepMs: number;
}

/** A chunk that is being run. */
export interface ActiveChunk {
  readonly run: string;
  readonly chunk: number;
  readonly controller: AbortController;
}

/** Functions that are kept. */
const MOST_KEPT = 256;

class Refusal {
  readonly reason: RefusalReason;
  readonly text: string;
  constructor(reason: RefusalReason, text: string) {
    this.reason = reason;
    this.text = text;
  }
}

const SEAL_FAULTS = {
  unsigned: 'it is not signed, and this worker has a key',
  signature: 'its signature is not of this worker’s key',
  malformed: 'it is damaged',
} as const;

/** Opens, checks and runs the chunks that the engine gives to a worker. Believes nothing that is not signed or checked. */
export class ChunkRunner {
  readonly #places: RunnerPlaces;
  readonly #functions = new Map<string, AnyFunction>();
  readonly active: Set<ActiveChunk> = new Set();

  constructor(places: RunnerPlaces) {
    this.#places = places;
  }

  /** @param data - What stands in the job, whoever wrote it. */
  async run(jobId: string, data: unknown): Promise<ChunkVerdict> {
    try {
      return await this.#run(jobId, data);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { reason, text } = error;
      await this.#tell(jobId, error);
      return { kind: 'refused', reason, text };
    }
  }

  async #run(jobId: string, data: unknown): Promise<ChunkVerdict> {
    const job = this.#open(jobId, data);
    const { redis, names } = this.#places;
    const [isThere, isDone] = await Promise.all([
      redis.exists(names.run(job.run)),
      redis.getbit(names.done(job.run), job.chunk),
    ]);
    if (isThere === 0 || isDone === 1) return { kind: 'unwanted' };
    const fn = await this.#function(job);
    const items = listIn(job.items);
    if (items === undefined) throw new Refusal('malformed', 'its items are damaged');
    const active: ActiveChunk = { run: job.run, chunk: job.chunk, controller: new AbortController() };
    this.active.add(active);
    try {
      return await this.#runItems(job, fn, items, active.controller.signal);
    } finally {
      this.active.delete(active);
    }
  }

  #open(jobId: string, data: unknown): JobEnvelope {
    const { seal, maxJobBytes } = this.#places;
    const text = typeof data === 'object' && data !== null ? (data as { readonly e?: unknown }).e : undefined;
    if (typeof text !== 'string') throw new Refusal('malformed', SEAL_FAULTS.malformed);
    if (text.length > maxJobBytes * 1.34)
      throw new Refusal('oversized', `it has more than ${maxJobBytes} bytes (maxJobBytes)`);
    const opened = seal.open('job', Buffer.from(text, 'base64'));
    if (opened.bytes === undefined) throw new Refusal(opened.fault, SEAL_FAULTS[opened.fault]);
    const job = decodeJob(opened.bytes);
    if (job === undefined) throw new Refusal('malformed', SEAL_FAULTS.malformed);
    if (jobIdOf(job) !== jobId) throw new Refusal('replayed', 'it belongs to another run, chunk or attempt');
    return job;
  }

  async #function(job: JobEnvelope): Promise<AnyFunction> {
    const { redis, names, app, seal } = this.#places;
    let fn = this.#functions.get(job.codeId);
    if (fn === undefined) {
      const code = await redis.getBuffer(names.code(job.codeId));
      if (code === null) throw new Refusal('code', 'its function is not there');
      // What the job names is signed; bytes with this digest are the ones that were meant.
      if (digestOf(code) !== job.codeId)
        throw new Refusal('signature', 'its function was changed on the way');
      const found = await findCode(code, app, seal.hasKey);
      if (found.fn === undefined) throw new Refusal(found.fault.reason, found.fault.text);
      fn = found.fn;
    }
    const build = await app.build();
    if (build !== job.build)
      throw new Refusal(
        'build',
        `it has build ${build.slice(0, 12)} of the app, and the caller ${job.build.slice(0, 12)}`,
      );
    this.#functions.delete(job.codeId);
    this.#functions.set(job.codeId, fn);
    if (this.#functions.size > MOST_KEPT)
      this.#functions.delete(this.#functions.keys().next().value as string);
    return fn;
  }

  async #runItems(
    job: JobEnvelope,
    fn: AnyFunction,
    items: readonly unknown[],
    signal: AbortSignal,
  ): Promise<ChunkVerdict> {
    const { pools, redis, names, seal, workerId, keepMs } = this.#places;
    const { run, chunk, attempt, first, isSpread } = job;
    const origin = run.startsWith(CALLS)
      ? { key: `${run}-${first}`, first: 0, attempt }
      : { key: run, first, attempt };
    let result: HostResult;
    try {
      result = await pools.run(fn, isSpread, items, job, origin, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'unwanted' };
      // A function that its processes cannot be given fails every item.
      const failures = items.map((_, index) => [index, error] as const);
      result = { values: new Array(items.length), failures, meanMs: undefined };
    }
    const { values, failures } = packed(result);
    const bytes = seal.close(
      'result',
      encodeResult({
        ...{ run, chunk, attempt, first, values, worker: workerId },
        // With memory of its own: two views of one buffer would bring all of it along.
        failures: encode(failures).slice(),
        count: items.length,
        meanMs: result.meanMs ?? -1,
      }),
    );
    const keys = {
      run: names.run(run),
      done: names.done(run),
      results: names.results(run),
      large: names.large(run, chunk),
    };
    const delivered = await deliver(redis, keys, chunk, bytes, keepMs);
    if (delivered === REPEATED || delivered === RUN_GONE) return { kind: 'unwanted' };
    return { kind: 'ran', items: items.length, failed: failures.length };
  }

  async #tell(jobId: string, { reason, text }: Refusal): Promise<void> {
    const named = namedByJobId(jobId);
    if (named === undefined) return;
    const { redis, names, seal, workerId, keepMs } = this.#places;
    const bytes = seal.close('refusal', encodeRefusal({ ...named, worker: workerId, reason, text }));
    const keys = { run: names.run(named.run), results: names.results(named.run) };
    await refuse(redis, keys, named.chunk, bytes, keepMs);
  }

  /** Stops the chunks that nobody wants any more. */
  async checkActive(): Promise<void> {
    const { redis, names } = this.#places;
    const active = [...this.active];
    if (active.length === 0) return;
    const pipeline = redis.pipeline();
    for (const { run, chunk } of active) {
      pipeline.exists(names.run(run));
      pipeline.getbit(names.done(run), chunk);
    }
    const answers = (await pipeline.exec()) ?? [];
    for (const [at, { controller }] of active.entries()) {
      const isGone = answers[at * 2]?.[1] === 0 || answers[at * 2 + 1]?.[1] === 1;
      if (isGone) controller.abort();
    }
  }
}

/** Values that can travel; an item whose value cannot has failed for that. */
function packed({ values, failures }: HostResult): {
  readonly values: Uint8Array;
  readonly failures: (readonly [number, unknown])[];
} {
  // In the order of the items: the first of them is what a map rejects with.
  const all = [...failures].sort(([a], [b]) => a - b);
  for (const [index] of failures) values[index] = undefined;
  try {
    return { values: encode(values, 'result'), failures: all };
  } catch {
    // One of them: which is found by trying each.
  }
  for (let index = 0; index < values.length; index++) {
    try {
      encode(values[index], 'result');
    } catch (error) {
      all.push([index, error]);
      values[index] = undefined;
    }
  }
  all.sort(([a], [b]) => a - b);
  return { values: encode(values, 'result'), failures: all };
}
