import type { WaitOptions } from '../arena/parking.js';
import { badOption, tooLate } from './failures.js';
import type { Future } from './future.js';

/** When {@link wait} returns. */
export type ReturnWhen = 'FIRST_COMPLETED' | 'FIRST_EXCEPTION' | 'ALL_COMPLETED';

const WHENS: readonly ReturnWhen[] = ['FIRST_COMPLETED', 'FIRST_EXCEPTION', 'ALL_COMPLETED'];

/** The futures that are done, and the others. */
export interface DoneAndNotDone<Result> {
  readonly done: ReadonlySet<Future<Result>>;
  readonly notDone: ReadonlySet<Future<Result>>;
}

/**
 * Waits for futures, of whatever executors. The same one twice counts once. Time that is up is no error.
 *
 * @param options.returnWhen - Default `'ALL_COMPLETED'`.
 * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
 *
 * @example
 * const [a, b] = [new Future<number>(), new Future<number>()];
 * a.setResult(1);
 * const { done, notDone } = await wait([a, b], { returnWhen: 'FIRST_COMPLETED' });
 * [done.size, notDone.size]; // => [1, 1]
 */
export async function wait<Result>(
  futures: Iterable<Future<Result>>,
  options: WaitOptions & { readonly returnWhen?: ReturnWhen } = {},
): Promise<DoneAndNotDone<Result>> {
  const { returnWhen = 'ALL_COMPLETED', timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
  if (!WHENS.includes(returnWhen)) throw badOption('returnWhen', `one of ${WHENS.join(', ')}`);
  const all = new Set(futures);
  if (signal?.aborted === true) throw signal.reason;
  await new Promise<void>((resolve, reject) => {
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(() => end(resolve), Math.max(0, timeoutMs))
      : undefined;
    const onAbort = (): void => end(() => reject(signal?.reason));
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    let left = all.size;
    if (left === 0) end(resolve);
    for (const future of all) {
      future.addDoneCallback(() => {
        left--;
        void isEnough(future, returnWhen).then((isIt) => {
          if (isIt || left === 0) end(resolve);
        });
      });
    }
  });
  const done = new Set([...all].filter((future) => future.done()));
  return { done, notDone: new Set([...all].filter((one) => !done.has(one))) };
}

async function isEnough(future: Future<unknown>, returnWhen: ReturnWhen): Promise<boolean> {
  if (returnWhen === 'ALL_COMPLETED') return false;
  if (returnWhen === 'FIRST_COMPLETED') return true;
  return !future.cancelled() && (await future.exception()) !== undefined;
}

/**
 * Yields futures as they are done, those that are first. The same one twice counts once.
 *
 * @param options.timeoutMs - Longest time for all, in milliseconds. Default `Infinity`.
 * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`, after those that were done in time.
 */
export function asCompleted<Result>(
  futures: Iterable<Future<Result>>,
  options: { readonly timeoutMs?: number } = {},
): AsyncIterableIterator<Future<Result>> {
  return new Completed(new Set(futures), options.timeoutMs ?? Number.POSITIVE_INFINITY);
}

class Completed<Result> implements AsyncIterableIterator<Future<Result>> {
  readonly #ready: Future<Result>[] = [];
  readonly #count: number;
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #left: number;
  #isLate: boolean;
  #wake: () => void = () => {};

  constructor(futures: ReadonlySet<Future<Result>>, timeoutMs: number) {
    this.#count = futures.size;
    this.#left = futures.size;
    this.#timeoutMs = timeoutMs;
    this.#isLate = timeoutMs <= 0;
    for (const future of futures) {
      future.addDoneCallback(() => {
        this.#ready.push(future);
        this.#wake();
      });
    }
    if (!Number.isFinite(timeoutMs)) return;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#wake();
    }, timeoutMs);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Future<Result>, undefined>> {
    while (this.#left > 0) {
      const future = this.#ready.shift();
      if (future !== undefined) {
        this.#left--;
        if (this.#left === 0) clearTimeout(this.#timer);
        return { done: false, value: future };
      }
      if (this.#isLate) {
        const left = this.#left;
        this.#left = 0;
        throw tooLate('Waiting for futures', this.#timeoutMs, left, this.#count);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Future<Result>, undefined>> {
    this.#left = 0;
    clearTimeout(this.#timer);
    return { done: true, value: undefined };
  }
}
