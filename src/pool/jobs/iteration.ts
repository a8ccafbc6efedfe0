import type { Dispatcher } from '../dispatch/dispatcher.js';
import { continuedHere } from '../pool-core.js';
import type { GeneratorJob } from './generator-job.js';
import type { SettledItem, StreamJob } from './stream-job.js';

/** The results of a stream; an item that failed rejects. */
export function valuesOf<Result>(job: StreamJob, via: string): AsyncIterableIterator<Result> {
  return iterate(job, (item) => {
    if (item.status === 'rejected') throw continuedHere(item.reason, via);
    return item.value as Result;
  });
}

/** Ends the stream of who dropped it in the middle, so that `close` need not wait for ever. */
const abandoned = new FinalizationRegistry<StreamJob>((job) => void job.cancel());

/** The items of a stream as `read` shows them. */
export function iterate<Result>(
  job: StreamJob,
  read: (item: SettledItem<unknown>) => Result,
): AsyncIterableIterator<Result> {
  const iterator = new StreamIterator(job, read);
  abandoned.register(iterator, job);
  return iterator;
}

class StreamIterator<Result> implements AsyncIterableIterator<Result> {
  readonly #job: StreamJob;
  readonly #read: (item: SettledItem<unknown>) => Result;

  constructor(job: StreamJob, read: (item: SettledItem<unknown>) => Result) {
    this.#job = job;
    this.#read = read;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Most items are there before they are asked for, and an async function would make three promises of each. */
  next(): Promise<IteratorResult<Result, undefined>> {
    const item = this.#job.takeReady();
    // Who waits for this alone need not hold the iterator: the callback does.
    if (item === undefined) return this.#job.next().then((late) => this.#shown(late));
    try {
      return Promise.resolve(this.#shown(item));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async return(): Promise<IteratorResult<Result, undefined>> {
    await this.#job.cancel();
    return { done: true, value: undefined };
  }

  #shown(item: SettledItem<unknown> | undefined): IteratorResult<Result, undefined> {
    return item === undefined ? { done: true, value: undefined } : { done: false, value: this.#read(item) };
  }
}

/** What a streaming task yields; who leaves stops the task. */
export function iterateGenerated<Value>(
  job: GeneratorJob,
  dispatcher: Dispatcher,
  via: string,
): AsyncIterableIterator<Value> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return (await job.next()) as IteratorResult<Value, undefined>;
      } catch (error) {
        throw continuedHere(error, via);
      }
    },
    async return() {
      if (!job.isOver) {
        job.cancel();
        dispatcher.stopJob(job);
      }
      return { done: true, value: undefined };
    },
  };
}
