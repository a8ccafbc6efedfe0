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
  const iterator: AsyncIterableIterator<Result> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const item = await job.next();
      return item === undefined ? { done: true, value: undefined } : { done: false, value: read(item) };
    },
    async return() {
      await job.cancel();
      return { done: true, value: undefined };
    },
  };
  abandoned.register(iterator, job);
  return iterator;
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
