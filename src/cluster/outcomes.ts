import type { SettledItem } from '../pool/jobs/stream-job.js';
import { continuedHere } from '../pool/pool-core.js';
import type { ItemsRun } from './items-run.js';
import type { Outcome } from './run.js';

/** All values of a run in order; the first failure rejects. */
export async function collectRun(run: ItemsRun): Promise<unknown[]> {
  const all: unknown[] = [];
  for (;;) {
    const outcome = await run.next();
    if (outcome === undefined) return all;
    const failure = outcome.failures[0];
    if (failure !== undefined) {
      run.cancel();
      throw failure[1];
    }
    const { first, values } = outcome;
    for (let i = 0; i < values.length; i++) all[first + i] = values[i];
  }
}

/** The items of a chunk, each as it ended. */
export function* itemsOf({
  first,
  values,
  failures,
}: Outcome): Generator<SettledItem<unknown>, void, undefined> {
  const reasons = new Map(failures);
  for (let at = 0; at < values.length; at++) {
    yield reasons.has(at)
      ? { index: first + at, status: 'rejected', reason: reasons.get(at) }
      : { index: first + at, status: 'fulfilled', value: values[at] };
  }
}

/** What gives out chunks, one after another. */
export interface OutcomeSource {
  next(): Promise<Outcome | undefined>;
  /** So many items of what was given out have been consumed. */
  took?(count: number): void;
  cancel(): void;
}

/** Ends the run of who dropped its iterator in the middle. */
const abandoned = new FinalizationRegistry<OutcomeSource>((source) => source.cancel());

/** Iterators that were asked for an item and have not answered: who waits for the answer alone need not hold the iterator. */
const asked = new Map<object, number>();

function noteAsked(iterator: object, more: 1 | -1): void {
  const count = (asked.get(iterator) ?? 0) + more;
  if (count === 0) asked.delete(iterator);
  else asked.set(iterator, count);
}

/** The items of a run as `read` shows them, one at a time, in the order in which they are asked for. */
export function iterateRun<Result>(
  source: OutcomeSource,
  read: (item: SettledItem<unknown>) => Result,
): AsyncIterableIterator<Result> {
  let items: Iterator<SettledItem<unknown>, void> | undefined;
  let isOver = false;
  let turn: Promise<unknown> = Promise.resolve();
  const take = async (): Promise<IteratorResult<Result, undefined>> => {
    while (!isOver) {
      const item = items?.next();
      if (item?.done === false) {
        source.took?.(1);
        return { done: false, value: read(item.value) };
      }
      const outcome = await source.next();
      if (outcome === undefined) isOver = true;
      else items = itemsOf(outcome);
    }
    return { done: true, value: undefined };
  };
  const iterator: AsyncIterableIterator<Result> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      noteAsked(iterator, 1);
      const taken = turn.then(take, take).finally(() => noteAsked(iterator, -1));
      turn = taken;
      return taken;
    },
    return() {
      isOver = true;
      source.cancel();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  abandoned.register(iterator, source);
  return iterator;
}

/** The value of an item, or what it threw. */
export function unwrapped<Result>(via: string): (item: SettledItem<unknown>) => Result {
  return (item) => {
    if (item.status === 'rejected') throw continuedHere(item.reason, via);
    return item.value as Result;
  };
}
