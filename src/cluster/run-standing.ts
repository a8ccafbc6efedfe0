import type { Redis } from 'ioredis';
import { jobIdOf } from './envelopes.js';
import type { Names } from './names.js';

/** How far a run is, as the engine knows. */
export interface RunStanding {
  /** Chunks that its caller was about to submit, as it had noted before. */
  readonly chunks: number;
  /** Chunks that have a result. */
  readonly done: number;
  /** Results that nobody has taken. */
  readonly waiting: number;
  /** Some chunk without a result may still have one: the engine has its job. */
  readonly hasJobs: boolean;
  /** Items that its caller had read. */
  readonly submitted: number;
  /** Items there are; `undefined` if its caller had not read all of them. */
  readonly total: number | undefined;
}

/** Attempts of a chunk whose jobs are looked for. */
const ATTEMPTS = 4;
/** Chunks whose jobs are looked for at a time: more are not under way. */
const AT_A_TIME = 512;

export async function standingOf(
  redis: Redis,
  names: Names,
  queue: string,
  runId: string,
): Promise<RunStanding> {
  const state = await redis.hgetall(names.run(runId));
  // Read before the bits: a result that comes meanwhile is then counted as done, and not as taken.
  const chunks = Number(state['chunks'] ?? 0);
  const bits = (await redis.getBuffer(names.done(runId))) ?? Buffer.alloc(0);
  const undone = Array.from({ length: chunks }, (_, chunk) => chunk).filter(
    (chunk) => (((bits[chunk >> 3] ?? 0) >> (7 - (chunk & 7))) & 1) === 0,
  );
  const total = state['total'];
  return {
    chunks,
    done: chunks - undone.length,
    waiting: await redis.xlen(names.results(runId)),
    hasJobs: undone.length > 0 && (await hasJobs(redis, names, queue, runId, undone.slice(0, AT_A_TIME))),
    submitted: Number(state['submitted'] ?? 0),
    total: total === undefined ? undefined : Number(total),
  };
}

async function hasJobs(
  redis: Redis,
  names: Names,
  queue: string,
  run: string,
  chunks: readonly number[],
): Promise<boolean> {
  const pipeline = redis.pipeline();
  for (const chunk of chunks) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
      pipeline.hmget(names.job(queue, jobIdOf({ run, chunk, attempt })), 'timestamp', 'finishedOn');
  }
  const answers = (await pipeline.exec()) ?? [];
  // One that has ended without a result was refused or given up.
  return answers.some(([, fields]) => {
    const [addedAt, finishedOn] = (fields ?? []) as readonly (string | null)[];
    return addedAt != null && finishedOn == null;
  });
}
