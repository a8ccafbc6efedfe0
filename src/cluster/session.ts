import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { App } from './app.js';
import { Census } from './census.js';
import { connect, type EnginePackages, isOfConnection, loadEngine } from './engine.js';
import { decodeRefusal, decodeResult, encodeJob, failuresIn, jobIdOf, listIn } from './envelopes.js';
import { notAuthentic, refusedByWorker, runTaken, runUnknown } from './failures.js';
import { Ledger, type PendingChunk } from './ledger.js';
import { Names } from './names.js';
import { enginePriority, type PoolSettings } from './options.js';
import { type ResultEntry, ResultReader } from './result-reader.js';
import { type ChunkWork, failedOutcome, type Outcome, type Run, type RunOwner } from './run.js';
import { type RunStanding, standingOf } from './run-standing.js';
import { Seal } from './sealing.js';

/** A function is stored again when it was last stored so long ago: it is kept for an hour. */
const CODE_AGAIN_MS = 20 * 60_000;
const CODE_KEPT_MS = 60 * 60_000;
/** Chunks that are handed to the engine in one message. */
const AT_A_TIME = 64;
/** What a cut interrupted is tried again after this time. */
const AGAIN_MS = 100;
/** How often runs say that their caller lives, and how many workers there are is asked. */
const UPKEEP_MS = 1000;

/** Everything that is there once the engine was reached. */
interface Reached {
  readonly packages: EnginePackages;
  readonly redis: Redis;
  readonly queue: Queue;
  readonly reader: ResultReader;
  readonly build: string;
}

/** Counts of a session, for `stats()`. */
export interface SessionCounts {
  completed: number;
  resubmitted: number;
  repeated: number;
  refused: number;
}

/** The caller's end of a queue: submits chunks, receives what became of them, and sees that none is forgotten. */
export class Session {
  readonly settings: PoolSettings;
  readonly app: App;
  readonly names: Names;
  readonly seal: Seal;
  readonly counts: SessionCounts = { completed: 0, resubmitted: 0, repeated: 0, refused: 0 };
  readonly #id = randomUUID();
  readonly #onTrouble: (error: Error) => void;
  readonly #runs = new Map<string, Run>();
  readonly #ledger: Ledger;
  readonly #unsent: PendingChunk[] = [];
  readonly #storedAt = new Map<string, number>();
  readonly census: Census;
  #reached: Promise<Reached> | undefined;
  #isSending = false;
  #upkeep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: PoolSettings, onTrouble: (error: Error) => void) {
    this.settings = settings;
    this.app = new App(settings.root);
    this.names = new Names(settings.queue);
    this.seal = new Seal(settings.key);
    this.#onTrouble = onTrouble;
    this.census = new Census(this.names, settings.requires);
    this.#ledger = new Ledger(this.names, this.names.chunks(settings.requires), settings.poisonAfter, {
      resubmit: (pending) => {
        this.counts.resubmitted += 1;
        this.#storedAt.delete(pending.work.fn.codeId);
        this.#send(pending);
      },
      settle: (pending, outcome) => this.#settle(pending, outcome),
      reread: () => void this.#reached?.then(({ reader }) => reader.rereadAll()),
    });
  }

  get pendingChunks(): number {
    return this.#ledger.size;
  }

  /** @throws {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`. */
  reach(): Promise<Reached> {
    this.#reached ??= this.#open();
    return this.#reached;
  }

  async #open(): Promise<Reached> {
    const packages = await loadEngine();
    const { connection, requires } = this.settings;
    const build = await this.app.build();
    const redis = connect(packages, connection, this.#onTrouble);
    const reading = connect(packages, connection, this.#onTrouble);
    // The client's type does not say that it may be shared; the engine's documentation does.
    const shared = new packages.engine.Queue(this.names.chunks(requires), {
      connection: redis as never,
      prefix: this.names.prefix,
      skipVersionCheck: true,
    });
    shared.on('error', this.#onTrouble);
    const wake = `${this.names.prefix}:wake:${this.#id}`;
    const reader = new ResultReader(reading, redis, this.names, wake, (runId, entry) =>
      this.#receive(runId, entry),
    );
    redis.on('ready', () => this.#storedAt.clear());
    this.#upkeep = setTimeout(() => void this.#keepUp(), UPKEEP_MS);
    return { packages, redis, queue: shared, reader, build };
  }

  /**
   * Begins a run.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_TAKEN`.
   */
  async begin(runId: string, owner: RunOwner): Promise<Run> {
    const { redis, reader } = await this.reach();
    const key = this.names.run(runId);
    const isNew = await redis.hsetnx(key, 'caller', this.#id);
    // A command that is sent again after a cut may find its own trace.
    if (isNew === 0 && (await redis.hget(key, 'caller')) !== this.#id) throw runTaken(runId);
    await redis.pexpire(key, this.settings.keepMs);
    const run: Run = { id: runId, owner, nextChunk: 0, large: new Set() };
    this.#runs.set(runId, run);
    reader.add(runId);
    return run;
  }

  /**
   * Takes over a run of a caller that is gone.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_UNKNOWN`.
   */
  async takeOver(
    runId: string,
    owner: RunOwner,
  ): Promise<{ readonly run: Run; readonly state: Record<string, string> }> {
    const { redis, reader } = await this.reach();
    const key = this.names.run(runId);
    const state = await redis.hgetall(key);
    if (state['caller'] === undefined) throw runUnknown(runId);
    await redis.hset(key, 'caller', this.#id);
    const run: Run = { id: runId, owner, nextChunk: Number(state['chunks'] ?? 0), large: new Set() };
    this.#runs.set(runId, run);
    reader.add(runId);
    return { run, state };
  }

  /** Notes in the engine how much of a run was handed over, for who takes it over. */
  async note(run: Run, facts: Readonly<Record<string, number>>): Promise<void> {
    const { redis } = await this.reach();
    if (this.#runs.has(run.id)) await redis.hset(this.names.run(run.id), facts);
  }

  /** @returns the number of the chunk. */
  submit(run: Run, work: ChunkWork): number {
    const chunk = run.nextChunk;
    run.nextChunk += 1;
    this.#send(this.#ledger.add(run, chunk, work));
    return chunk;
  }

  /** Nobody wants the outcome of a chunk any more: it is not begun, or stopped. */
  async giveUp(run: Run, chunk: number): Promise<void> {
    const pending = this.#ledger.find(run.id, chunk);
    if (pending === undefined) return;
    this.#ledger.remove(pending);
    const { redis, queue } = await this.reach();
    const done = this.names.done(run.id);
    await redis.pipeline().setbit(done, chunk, 1).pexpire(done, this.settings.keepMs).exec();
    // One that a worker has cannot be removed: the worker sees that it counts as done.
    await queue.remove(jobIdOf({ run: run.id, chunk, attempt: pending.attempt })).catch(() => 0);
  }

  #send(pending: PendingChunk): void {
    this.#unsent.push(pending);
    if (this.#isSending) return;
    this.#isSending = true;
    // What the same turn of the loop submits goes together.
    setImmediate(() => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#unsent.length > 0 && !this.#isClosed)
        await this.#sendSome(this.#unsent.splice(0, AT_A_TIME));
    } finally {
      this.#isSending = false;
    }
  }

  async #sendSome(batch: readonly PendingChunk[]): Promise<void> {
    try {
      const { redis, queue, build } = await this.reach();
      await Promise.all(batch.map(({ work }) => this.#store(redis, work.fn.codeId, work.fn.code)));
      const wanted = batch.filter((pending) => this.#ledger.holds(pending));
      await queue.addBulk(
        wanted.map((pending) => ({
          name: pending.work.fn.name === '' ? 'task' : pending.work.fn.name,
          data: { e: this.#envelope(pending, build).toString('base64') },
          opts: {
            jobId: jobIdOf({ run: pending.run.id, chunk: pending.chunk, attempt: pending.attempt }),
            priority: enginePriority(pending.work.priority),
            removeOnComplete: true,
            removeOnFail: { age: 24 * 3600, count: 1000 },
            attempts: 1,
          },
        })),
      );
      for (const pending of wanted) this.#ledger.sent(pending);
    } catch (error) {
      if (isOfConnection(error) && !this.#isClosed) {
        // It was cut in the middle of the answers. The engine takes each name once: what it has of these it does not take again.
        this.#unsent.unshift(...batch);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        return;
      }
      // The engine would not take them: nobody else will ever answer.
      for (const pending of batch) {
        const { first, items } = pending.work;
        if (this.#ledger.remove(pending))
          this.#settle(
            pending,
            failedOutcome(first, items.length, () => error),
          );
      }
    }
  }

  async #store(redis: Redis, codeId: string, code: Uint8Array): Promise<void> {
    const now = Date.now();
    if (now - (this.#storedAt.get(codeId) ?? 0) < CODE_AGAIN_MS) return;
    await redis.set(this.names.code(codeId), Buffer.from(code), 'PX', CODE_KEPT_MS);
    this.#storedAt.set(codeId, now);
  }

  #envelope({ run, chunk, attempt, work }: PendingChunk, build: string): Buffer {
    const { poisonAfter } = this.settings;
    const { fn, first, bytes, rules } = work;
    const { codeId, isSpread } = fn;
    const named = { run: run.id, chunk, attempt, codeId, build };
    return this.seal.close(
      'job',
      encodeJob({ ...named, isSpread, first, items: bytes, ...rules, poisonAfter }),
    );
  }

  #receive(runId: string, entry: ResultEntry): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    if (entry.isLarge) run.large.add(entry.chunk);
    if (entry.kind === 'refusal') this.#receiveRefusal(run, entry);
    else this.#receiveResult(run, entry);
  }

  #receiveRefusal(run: Run, entry: ResultEntry): void {
    this.acknowledge(run, [{ id: entry.id, chunk: entry.chunk }]);
    const pending = this.#ledger.find(run.id, entry.chunk);
    if (pending === undefined) return;
    this.counts.refused += 1;
    const opened = this.seal.open('refusal', entry.bytes);
    const refusal = opened.bytes === undefined ? undefined : decodeRefusal(opened.bytes);
    if (refusal?.run === run.id && refusal.chunk === entry.chunk && refusal.reason === 'code') {
      // The engine has forgotten the function: it is stored anew.
      if (refusal.attempt === pending.attempt) this.#ledger.again(pending);
      return;
    }
    const { first, items } = pending.work;
    this.#ledger.remove(pending);
    const isOurs = refusal?.run === run.id && refusal.chunk === entry.chunk;
    const makeError = (): unknown =>
      isOurs
        ? refusal.reason === 'signature' || refusal.reason === 'unsigned'
          ? notAuthentic(`worker ${refusal.worker} refused it: ${refusal.text}`)
          : refusedByWorker(refusal.worker, refusal.text)
        : notAuthentic('a worker refused it, in an answer that is not signed with this key');
    run.owner.settle(failedOutcome(first, items.length, makeError));
  }

  #receiveResult(run: Run, entry: ResultEntry): void {
    const pending = this.#ledger.find(run.id, entry.chunk);
    const opened = this.seal.open('result', entry.bytes);
    const result = opened.bytes === undefined ? undefined : decodeResult(opened.bytes);
    const isOurs = result?.run === run.id && result.chunk === entry.chunk;
    const values = isOurs ? listIn(result.values, result.count) : undefined;
    const failures = isOurs ? failuresIn(result.failures, result.count) : undefined;
    if (!isOurs || values === undefined || failures === undefined) {
      this.counts.refused += 1;
      if (pending === undefined || !this.#ledger.remove(pending)) return;
      const makeError = (): unknown => notAuthentic('its result is not signed with this key, or is damaged');
      run.owner.settle(failedOutcome(pending.work.first, pending.work.items.length, makeError));
      return;
    }
    const { meanMs, first } = result;
    const outcome: Outcome = {
      first,
      values,
      failures,
      meanMs: meanMs >= 0 ? meanMs : undefined,
      entry: { id: entry.id, chunk: entry.chunk },
    };
    if (pending !== undefined) {
      this.#ledger.remove(pending);
      this.#settle(pending, outcome);
    } else if (this.#ledger.isForeign(run.id)) {
      // Chunks of a run that was taken over: nobody here has submitted them.
      this.counts.completed += 1;
      run.owner.settle(outcome);
    } else {
      this.counts.repeated += 1;
    }
  }

  #settle(pending: PendingChunk, outcome: Outcome): void {
    this.counts.completed += 1;
    if (this.#runs.has(pending.run.id)) pending.run.owner.settle(outcome);
  }

  /** The run was taken over: results of chunks that nobody here has submitted count. */
  expectForeign(run: Run): void {
    this.#ledger.markForeign(run.id);
  }

  /** How far a run is, as the engine knows. */
  async standing(run: Run): Promise<RunStanding> {
    const { redis } = await this.reach();
    return await standingOf(redis, this.names, this.names.chunks(this.settings.requires), run.id);
  }

  /** Takes results off the engine, which its caller has. */
  acknowledge(run: Run, entries: readonly { readonly id: string; readonly chunk: number }[]): void {
    if (entries.length === 0) return;
    void this.#reached
      ?.then(async ({ redis }) => {
        await redis.xdel(this.names.results(run.id), ...entries.map(({ id }) => id));
        const large = entries.map(({ chunk }) => chunk).filter((chunk) => run.large.delete(chunk));
        if (large.length > 0) await redis.del(...large.map((chunk) => this.names.large(run.id, chunk)));
      })
      // What is not taken off now goes with its run.
      .catch(() => {});
  }

  /** Forgets a run, in the engine too: workers that have its chunks stop them. */
  async end(run: Run): Promise<void> {
    this.#runs.delete(run.id);
    const dropped = this.#ledger.drop(run.id);
    const { redis, reader, queue } = await this.reach();
    reader.drop(run.id);
    const { names } = this;
    const chunks = new Set([...run.large, ...dropped.map(({ chunk }) => chunk)]);
    const large = [...chunks].map((chunk) => names.large(run.id, chunk));
    await redis.del(names.run(run.id), names.done(run.id), names.results(run.id), ...large);
    await Promise.all(
      dropped.map((pending) =>
        queue
          .remove(jobIdOf({ run: run.id, chunk: pending.chunk, attempt: pending.attempt }))
          // One that a worker has cannot be removed: the worker finds its run gone.
          .catch(() => 0),
      ),
    );
  }

  async #keepUp(): Promise<void> {
    try {
      const { redis } = await this.reach();
      await this.census.take(redis);
      const pipeline = redis.pipeline();
      for (const runId of this.#runs.keys()) {
        pipeline.hset(this.names.run(runId), 'caller', this.#id);
        pipeline.pexpire(this.names.run(runId), this.settings.keepMs);
      }
      await pipeline.exec();
      await this.#ledger.check(redis);
    } catch (error) {
      if (!this.#isClosed) this.#onTrouble(error as Error);
    } finally {
      if (!this.#isClosed) this.#upkeep = setTimeout(() => void this.#keepUp(), UPKEEP_MS);
    }
  }

  /** Leaves the engine. Runs that are not over stay there for who takes them over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const reached = await this.#reached?.catch(() => undefined);
    if (reached === undefined) return;
    clearTimeout(this.#upkeep);
    const { redis, reader, queue } = reached;
    // What was acknowledged or ended before is done first: commands keep their order.
    if (redis.status === 'ready') await redis.ping().catch(() => {});
    if (redis.status === 'ready') await reader.close();
    else void reader.close();
    await queue.close().catch(() => {});
    redis.disconnect();
  }
}
