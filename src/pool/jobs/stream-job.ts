import type { TaskSource } from '../dispatch/task-queue.js';
import type { CallPlan } from '../options/call-plan.js';
import { AsTheyCome, type FinishedItems, type FinishedRun, InOrder } from './finished-items.js';
import { chunkSizeFor } from './jobs.js';
import type { ProgressMeter } from './progress-meter.js';
import { EACH_ITEM, type Job, makeTask, nextJobId, type Task, type TaskFunction } from './task.js';

/** How one item of a stream ended. */
export type SettledItem<Result> =
  | { readonly index: number; readonly status: 'fulfilled'; readonly value: Result }
  | { readonly index: number; readonly status: 'rejected'; readonly reason: unknown };

/** How a stream is wanted. */
export interface StreamSettings {
  readonly isOrdered: boolean;
  readonly chunkSize: number | undefined;
  /** Items that may be read, but not yet taken by the consumer; `undefined` lets it follow the chunks. */
  readonly bufferItems: number | undefined;
  readonly workers: number;
  readonly plan: CallPlan;
  readonly progress: ProgressMeter | undefined;
}

/** Chunks for each worker that an automatic buffer holds: one running, one waiting, two finished. */
const CHUNKS_PER_WORKER = 4;

interface Waiting {
  resolve(item: SettledItem<unknown> | undefined): void;
  reject(error: unknown): void;
}

/**
 * The work behind `imap` and its relatives: reads its input only as fast as the results are taken, so that neither an endless input nor
 * a slow consumer fills the memory.
 */
export class StreamJob implements Job, TaskSource {
  readonly id: number = nextJobId();
  readonly plan: CallPlan;
  readonly #fn: TaskFunction;
  readonly #settings: StreamSettings;
  readonly #changed: () => void;
  readonly #input: AsyncIterator<unknown> | Iterator<unknown>;
  /** Read, and not yet made into a task. */
  #read: unknown[] = [];
  #readCount = 0;
  #takenCount = 0;
  /** How many must have been taken before the input is looked at again. */
  #readOnAt = 0;
  #isReading = false;
  #isInputOver = false;
  #inputError: { readonly error: unknown } | undefined;
  readonly #finished: FinishedItems;
  /** A look at the input is due that has come since the last one. */
  #isAnnounced = false;
  readonly #waiting: Waiting[] = [];
  onOver: (() => void) | undefined = undefined;
  isOver = false;

  /** @param changed - Called when there may be a task where there was none. */
  constructor(
    fn: TaskFunction,
    input: Iterable<unknown> | AsyncIterable<unknown>,
    settings: StreamSettings,
    changed: () => void,
  ) {
    this.#fn = fn;
    this.#settings = settings;
    this.#finished = settings.isOrdered ? new InOrder() : new AsTheyCome();
    this.plan = settings.plan;
    this.#changed = changed;
    this.#input = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
    void this.#fill();
  }

  get hasSettled(): boolean {
    return this.#takenCount > 0 || this.#finished.size > 0;
  }

  get isDry(): boolean {
    return this.isOver || (this.#isInputOver && this.#read.length === 0);
  }

  nextTask(workers: number): Task | undefined {
    if (this.isOver || this.#read.length === 0) return undefined;
    const left = this.#isInputOver ? this.#read.length : Number.POSITIVE_INFINITY;
    const { chunkSize, bufferItems = Number.POSITIVE_INFINITY } = this.#settings;
    const wanted = Math.min(chunkSizeFor(this.#fn, chunkSize, left, workers), bufferItems);
    // A chunk that was asked for is waited for, unless no more input will come.
    if (this.#read.length < wanted && chunkSize !== undefined && !this.#isInputOver) return undefined;
    const items = this.#read.splice(0, wanted);
    const first = this.#readCount - this.#read.length - items.length;
    void this.#fill();
    const task = makeTask(this, this.#fn, EACH_ITEM, items, first);
    task.queued = { ms: performance.now() };
    return task;
  }

  resolve(index: number, value: unknown): void {
    this.#finish({ first: index, status: 'fulfilled', outcomes: [value] });
  }

  resolveMany(first: number, values: readonly unknown[]): void {
    this.#finish({ first, status: 'fulfilled', outcomes: values });
  }

  reject(index: number, error: unknown): void {
    this.#finish({ first: index, status: 'rejected', outcomes: [error] });
  }

  /** The next item, if it is there and nobody else waits for it; what `next` gives without a promise of its own. */
  takeReady(): SettledItem<unknown> | undefined {
    if (this.#waiting.length > 0) return undefined;
    const item = this.#finished.take();
    if (item !== undefined) this.#taken();
    return item;
  }

  /** The next item; `undefined` when all were taken; rejects with the input's own error after the items before it. */
  next(): Promise<SettledItem<unknown> | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  /** The consumer wants no more: nothing further is read or started. */
  async cancel(): Promise<void> {
    if (this.isOver) return;
    const isReading = this.#isReading;
    this.#end();
    const returning = Promise.resolve(this.#input.return?.());
    // A generator answers `return` only after the read that is under way, which may never end.
    if (isReading) returning.catch(() => {});
    else await returning;
  }

  fail(error: unknown): void {
    this.#isInputOver = true;
    this.#inputError = { error };
    this.#read = [];
    void this.cancel();
  }

  #finish(run: FinishedRun): void {
    if (this.isOver || run.outcomes.length === 0) return;
    const count = run.outcomes.length;
    this.#settings.progress?.settled(count, run.status === 'rejected' ? count : 0);
    this.#finished.add(run);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const item = this.#finished.take();
      if (item !== undefined) {
        this.#waiting.shift()?.resolve(item);
        this.#taken();
        continue;
      }
      const isThrough = this.#isInputOver && this.#takenCount === this.#readCount;
      if (!isThrough && !this.isOver) return;
      const failure = this.#inputError;
      this.#inputError = undefined;
      const waiting = this.#waiting.shift();
      if (failure === undefined) waiting?.resolve(undefined);
      else waiting?.reject(failure.error);
      if (!this.isOver) this.#end();
    }
  }

  #taken(): void {
    this.#takenCount++;
    if (this.#takenCount >= this.#readOnAt) void this.#fill();
  }

  #end(): void {
    this.isOver = true;
    this.onOver?.();
    this.#settings.progress?.end();
    this.#read = [];
    this.#finished.clear();
    if (this.#waiting.length > 0) this.#serve();
    this.#changed();
  }

  /** How many items travel together, how many may be read and not yet be taken, and how many are read at a time. */
  get #measures(): { readonly chunk: number; readonly limit: number; readonly batch: number } {
    const { bufferItems, workers, chunkSize } = this.#settings;
    const chunk = chunkSizeFor(this.#fn, chunkSize, Number.POSITIVE_INFINITY, workers);
    if (bufferItems !== undefined) return { chunk, limit: bufferItems, batch: 1 };
    // As many as one round of chunks at a time: each look at the input costs something.
    const batch = Math.max(1, chunk * workers);
    return { chunk, limit: batch * CHUNKS_PER_WORKER, batch };
  }

  async #fill(): Promise<void> {
    if (this.#isReading || this.#isInputOver || this.isOver) return;
    this.#isReading = true;
    const before = this.#readCount;
    let measures = this.#measures;
    try {
      while (!this.isOver) {
        if (this.#readCount - this.#takenCount >= measures.limit) {
          measures = this.#measures;
          this.#readOnAt = this.#readCount - measures.limit + measures.batch;
          if (this.#readCount - this.#takenCount >= measures.limit) break;
        }
        const step = this.#input.next();
        const result = 'then' in step ? await step : step;
        if (result.done === true) {
          this.#isInputOver = true;
          break;
        }
        // The items of a synchronous iterable may be promises, as in `for await`.
        const value: unknown = isThenable(result.value) ? await result.value : result.value;
        this.#read.push(value);
        this.#readCount++;
        if ('then' in step) this.#announce(measures.chunk);
      }
    } catch (error) {
      this.#isInputOver = true;
      this.#inputError = { error };
    }
    this.#isReading = false;
    if (this.#readCount !== before || this.#isInputOver) this.#changed();
    if (this.#isInputOver) this.#serve();
  }

  /** Input that comes slowly is worked on as it comes, and what comes at once goes together. */
  #announce(chunk: number): void {
    if (this.#read.length >= chunk) {
      if (this.#read.length % chunk === 0) this.#changed();
      return;
    }
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    // A tick comes when no promise is left to be settled: then nothing more is there at once.
    process.nextTick(() => {
      this.#isAnnounced = false;
      this.#changed();
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
