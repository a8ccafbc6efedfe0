import { decode, encode } from '../wire/codec.js';
import type { ItemRules } from './options.js';

/** One chunk of work, as it travels to a worker. */
export interface JobEnvelope extends ItemRules {
  readonly run: string;
  readonly chunk: number;
  /** How often the caller has submitted it, from 1. */
  readonly attempt: number;
  readonly codeId: string;
  /** The build of the app that the caller has. */
  readonly build: string;
  /** Each item is the list of the arguments. */
  readonly isSpread: boolean;
  /** Index in the run of the first item. */
  readonly first: number;
  /** The items, encoded. */
  readonly items: Uint8Array;
  readonly poisonAfter: number;
}

/** What became of a chunk, as it travels back. */
export interface ResultEnvelope {
  readonly run: string;
  readonly chunk: number;
  readonly attempt: number;
  readonly first: number;
  readonly count: number;
  readonly worker: string;
  /** Mean time of an item in its process, in milliseconds; negative where it is not known. */
  readonly meanMs: number;
  /** The list of the values, encoded; the place of an item that failed is empty. */
  readonly values: Uint8Array;
  /** Index in the chunk and reason of each item that failed, encoded. */
  readonly failures: Uint8Array;
}

/** A worker will not run a chunk. */
export interface RefusalEnvelope {
  readonly run: string;
  readonly chunk: number;
  readonly attempt: number;
  readonly worker: string;
  /** See {@link RefusalReason}. */
  readonly reason: string;
  readonly text: string;
}

/** Name of a chunk's job: the engine takes each name once. */
export function jobIdOf({ run, chunk, attempt }: Pick<JobEnvelope, 'run' | 'chunk' | 'attempt'>): string {
  return `${run}-${chunk}-${attempt}`;
}

/** What a job's name says. It is nobody's promise: good for telling whom a refusal may interest. */
export function namedByJobId(jobId: string): Pick<JobEnvelope, 'run' | 'chunk' | 'attempt'> | undefined {
  const [, run, chunk, attempt] = /^([\w.-]+)-(\d{1,10})-(\d{1,10})$/.exec(jobId) ?? [];
  if (run === undefined) return undefined;
  return { run, chunk: Number(chunk), attempt: Number(attempt) };
}

export function encodeJob(job: JobEnvelope): Uint8Array {
  const { run, chunk, attempt, codeId, build, isSpread, first, items, retries } = job;
  return encode([
    run,
    chunk,
    attempt,
    codeId,
    build,
    isSpread,
    first,
    items,
    retries,
    job.taskTimeoutMs,
    job.poisonAfter,
  ]);
}

/** @returns `undefined` for bytes that are no job. */
export function decodeJob(bytes: Uint8Array): JobEnvelope | undefined {
  const parts = listIn(bytes, 11);
  if (parts === undefined) return undefined;
  const [run, chunk, attempt, codeId, build, isSpread, first, items, retries, taskTimeoutMs, poisonAfter] =
    parts;
  const isRight =
    typeof run === 'string' &&
    isCount(chunk) &&
    isCount(attempt) &&
    typeof codeId === 'string' &&
    /^[0-9a-f]{64}$/.test(codeId) &&
    typeof build === 'string' &&
    typeof isSpread === 'boolean' &&
    isCount(first) &&
    items instanceof Uint8Array &&
    isCount(retries) &&
    (taskTimeoutMs === null || (typeof taskTimeoutMs === 'number' && taskTimeoutMs > 0)) &&
    isCount(poisonAfter) &&
    poisonAfter >= 1;
  if (!isRight) return undefined;
  return { run, chunk, attempt, codeId, build, isSpread, first, items, retries, taskTimeoutMs, poisonAfter };
}

export function encodeResult(result: ResultEnvelope): Uint8Array {
  const { run, chunk, attempt, first, count, worker, meanMs, values, failures } = result;
  return encode([run, chunk, attempt, first, count, worker, meanMs, values, failures]);
}

/** @returns `undefined` for bytes that are no result. */
export function decodeResult(bytes: Uint8Array): ResultEnvelope | undefined {
  const parts = listIn(bytes, 9);
  if (parts === undefined) return undefined;
  const [run, chunk, attempt, first, count, worker, meanMs, values, failures] = parts;
  const isRight =
    typeof run === 'string' &&
    isCount(chunk) &&
    isCount(attempt) &&
    isCount(first) &&
    isCount(count) &&
    typeof worker === 'string' &&
    typeof meanMs === 'number' &&
    values instanceof Uint8Array &&
    failures instanceof Uint8Array;
  if (!isRight) return undefined;
  return { run, chunk, attempt, first, count, worker, meanMs, values, failures };
}

export function encodeRefusal(refusal: RefusalEnvelope): Uint8Array {
  const { run, chunk, attempt, worker, reason, text } = refusal;
  return encode([run, chunk, attempt, worker, reason, text]);
}

/** @returns `undefined` for bytes that are no refusal. */
export function decodeRefusal(bytes: Uint8Array): RefusalEnvelope | undefined {
  const parts = listIn(bytes, 6);
  if (parts === undefined) return undefined;
  const [run, chunk, attempt, worker, reason, text] = parts;
  const isRight =
    typeof run === 'string' &&
    isCount(chunk) &&
    isCount(attempt) &&
    typeof worker === 'string' &&
    typeof reason === 'string' &&
    typeof text === 'string';
  return isRight ? { run, chunk, attempt, worker, reason, text } : undefined;
}

/** The list that bytes hold; `undefined` where they hold anything else. */
export function listIn(bytes: Uint8Array, length?: number): readonly unknown[] | undefined {
  try {
    const value = decode(bytes);
    if (Array.isArray(value) && (length === undefined || value.length === length)) return value;
  } catch {
    // Whatever is wrong with them: they are no list.
  }
  return undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Index in the chunk and reason of each item that failed. */
export type Failures = readonly (readonly [index: number, reason: unknown])[];

/** Index and reason of each item that failed; `undefined` where the bytes hold anything else. */
export function failuresIn(bytes: Uint8Array, count: number): Failures | undefined {
  const list = listIn(bytes);
  const isRight = list?.every(
    (one) =>
      Array.isArray(one) && one.length === 2 && Number.isInteger(one[0]) && one[0] >= 0 && one[0] < count,
  );
  return isRight === true ? (list as Failures) : undefined;
}
