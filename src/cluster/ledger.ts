import type { Redis } from 'ioredis';
import { encode } from '../wire/codec.js';
import { jobIdOf } from './envelopes.js';
import { poisonedItem } from './failures.js';
import type { Names } from './names.js';
import { type ChunkWork, failedOutcome, type Outcome, type Run } from './run.js';

/** A chunk that was submitted and has no outcome. */
export interface PendingChunk {
  readonly run: Run;
  readonly chunk: number;
  readonly work: ChunkWork;
  /** How often it was submitted, from 1. */
  attempt: number;
  /** Times it was looked for and seemed lost. */
  misses: number;
  /** Whole workers that were lost with it. */
  deaths: number;
  checkedAt: number;
  /** The engine has had it, in this attempt. */
  isSent: boolean;
}

/** What the ledger has done about a chunk. */
export interface LedgerActions {
  resubmit(pending: PendingChunk): void;
  settle(pending: PendingChunk, outcome: Outcome): void;
  reread(): void;
}

/** A chunk without an outcome is looked for so often, in milliseconds. */
const CHECK_MS = 2000;
/** Chunks that are looked for at a time. */
const CHECK_AT_A_TIME = 256;
/** A chunk is lost if it seemed so this many times. */
const MISSES = 2;

/**
 * The chunks that a caller waits for. The engine may lose the last second when it dies; whoever submitted a chunk still has it, looks
 * for it, and submits it again.
 */
export class Ledger {
  readonly #names: Names;
  readonly #queue: string;
  readonly #poisonAfter: number;
  readonly #actions: LedgerActions;
  readonly #pending = new Map<string, PendingChunk>();
  readonly #foreign = new Set<string>();

  constructor(names: Names, queue: string, poisonAfter: number, actions: LedgerActions) {
    this.#names = names;
    this.#queue = queue;
    this.#poisonAfter = poisonAfter;
    this.#actions = actions;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(run: Run, chunk: number, work: ChunkWork, deaths: number = 0): PendingChunk {
    const checkedAt = performance.now();
    const seen = { attempt: 1, misses: 0, deaths, checkedAt, isSent: false };
    const pending: PendingChunk = { run, chunk, work, ...seen };
    this.#pending.set(keyOf(run.id, chunk), pending);
    return pending;
  }

  find(runId: string, chunk: number): PendingChunk | undefined {
    return this.#pending.get(keyOf(runId, chunk));
  }

  holds({ run, chunk }: PendingChunk): boolean {
    return this.#pending.has(keyOf(run.id, chunk));
  }

  /** @returns whether it was there. */
  remove({ run, chunk }: PendingChunk): boolean {
    return this.#pending.delete(keyOf(run.id, chunk));
  }

  drop(runId: string): readonly PendingChunk[] {
    const dropped = [...this.#pending.values()].filter(({ run }) => run.id === runId);
    for (const pending of dropped) this.remove(pending);
    this.#foreign.delete(runId);
    return dropped;
  }

  markForeign(runId: string): void {
    this.#foreign.add(runId);
  }

  isForeign(runId: string): boolean {
    return this.#foreign.has(runId);
  }

  /** The engine has a chunk: from now on it may be missed. */
  sent(pending: PendingChunk): void {
    pending.isSent = true;
    pending.checkedAt = performance.now();
  }

  /** Submits a chunk once more. */
  again(pending: PendingChunk): void {
    pending.attempt += 1;
    pending.misses = 0;
    pending.isSent = false;
    this.#actions.resubmit(pending);
  }

  /** Looks for chunks that have been without an outcome for a while. */
  async check(redis: Redis): Promise<void> {
    const now = performance.now();
    const due: PendingChunk[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.isSent && now - pending.checkedAt >= CHECK_MS) due.push(pending);
      if (due.length >= CHECK_AT_A_TIME) break;
    }
    if (due.length === 0) return;
    const pipeline = redis.pipeline();
    for (const pending of due) {
      pending.checkedAt = now;
      const jobId = jobOf(pending);
      pipeline.exists(this.#names.job(this.#queue, jobId));
      pipeline.getbit(this.#names.done(pending.run.id), pending.chunk);
      pipeline.zscore(this.#names.failed(this.#queue), jobId);
    }
    const answers = (await pipeline.exec()) ?? [];
    for (const [at, pending] of due.entries()) {
      const [exists, isDone, failedAt] = answers.slice(at * 3, at * 3 + 3).map((answer) => answer[1]);
      if (!this.holds(pending)) continue;
      if (isDone === 1) await this.#missResult(redis, pending);
      else if (failedAt !== null && failedAt !== undefined) await this.#bury(redis, pending);
      else if (exists === 0) this.#missJob(pending);
      else pending.misses = 0;
    }
  }

  /** The chunk is done, and its result has not come: it is on its way, or its bytes are gone. */
  async #missResult(redis: Redis, pending: PendingChunk): Promise<void> {
    pending.misses += 1;
    this.#actions.reread();
    if (pending.misses <= MISSES) return;
    await redis.setbit(this.#names.done(pending.run.id), pending.chunk, 0);
    this.again(pending);
  }

  #missJob(pending: PendingChunk): void {
    pending.misses += 1;
    if (pending.misses >= MISSES) this.again(pending);
  }

  /**
   * The engine has given the chunk up: the workers that had it were lost, one after another. Which of its items did it is found by
   * halves.
   */
  async #bury(redis: Redis, pending: PendingChunk): Promise<void> {
    const jobId = jobOf(pending);
    const reason = await redis.hget(this.#names.job(this.#queue, jobId), 'failedReason');
    // A refusal is on its way by itself.
    if (reason?.startsWith('refused') === true) return this.#missJob(pending);
    const { run, work } = pending;
    pending.deaths += 1;
    if (work.items.length === 1) {
      if (pending.deaths < this.#poisonAfter) return this.again(pending);
      this.remove(pending);
      this.#actions.settle(
        pending,
        failedOutcome(work.first, 1, () => poisonedItem(pending.deaths)),
      );
      return;
    }
    this.remove(pending);
    const middle = Math.ceil(work.items.length / 2);
    for (const [from, to] of [
      [0, middle],
      [middle, work.items.length],
    ] as const) {
      const items = work.items.slice(from, to);
      const half = { ...work, items, first: work.first + from, bytes: encode(items) };
      const added = this.add(run, run.nextChunk, half);
      run.nextChunk += 1;
      this.#actions.resubmit(added);
    }
  }
}

function keyOf(runId: string, chunk: number): string {
  return `${runId}-${chunk}`;
}

function jobOf({ run, chunk, attempt }: PendingChunk): string {
  return jobIdOf({ run: run.id, chunk, attempt });
}
