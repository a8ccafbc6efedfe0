import type { WaitOptions } from '../arena/parking.js';
import { badArgument, timedOut } from './failures.js';

export type { WaitOptions } from '../arena/parking.js';

/** Longer waits than a timer of Node can have are waits without end. */
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * Refuses options that are no object.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function assertOptionsObject(doing: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) throw badArgument(doing, 'options', 'an object');
}

/**
 * Refuses a `timeoutMs` that is no number. A negative one is 0, as in Python.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function checkedTimeoutMs(doing: string, timeoutMs: unknown): number {
  if (timeoutMs === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
    throw badArgument(doing, 'timeoutMs', 'a number of milliseconds');
  }
  return Math.max(0, timeoutMs);
}

/**
 * Calls `act` once the event loop has taken in all that the kernel has for it by now: after a whole turn. Answers how to stop that.
 *
 * The first `setImmediate` may come right after the phase that reads sockets, the second comes after one that began later than this call.
 */
export function afterTurn(act: () => void): () => void {
  let immediate = setImmediate(() => {
    immediate = setImmediate(act);
  });
  return () => clearImmediate(immediate);
}

/**
 * Calls `act` in `timeoutMs`, and not before a turn of the event loop: what is waited for may have come to a process that had no CPU
 * until its time was up. Answers how to stop that.
 */
export function after(timeoutMs: number, act: () => void): () => void {
  if (timeoutMs === 0) return afterTurn(act);
  if (timeoutMs > MAX_TIMER_MS) return () => {};
  let stop = (): void => clearTimeout(timer);
  const timer = setTimeout(() => {
    stop = afterTurn(act);
  }, timeoutMs);
  return () => stop();
}

/** What a wait can do about itself. */
export interface Settle<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/**
 * A wait that ends by itself, by `timeoutMs` or by `signal`, whichever comes first.
 *
 * @param begin - Begins the wait; what it returns gives it up, and is called in each of the cases.
 * @param onTimeout - What the wait gives at `timeoutMs`. Default: rejects with {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
 */
export function waiting<T>(
  doing: string,
  { timeoutMs, signal }: WaitOptions,
  begin: (settle: Settle<T>) => () => void,
  onTimeout?: () => T,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const longestMs = checkedTimeoutMs(doing, timeoutMs);
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw badArgument(doing, 'signal', 'an AbortSignal');
    }
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    let stop: (() => void) | undefined;
    let isSettled = false;
    const settle = (finish: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
      stop?.();
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const stopTimer = after(longestMs, () =>
      settle(() => (onTimeout === undefined ? reject(timedOut(doing, longestMs)) : resolve(onTimeout()))),
    );
    signal?.addEventListener('abort', onAbort);
    try {
      stop = begin({
        resolve: (value) => settle(() => resolve(value)),
        reject: (reason) => settle(() => reject(reason)),
      });
    } catch (error) {
      settle(() => reject(error));
      return;
    }
    // It may have been over before `begin` returned.
    if (isSettled) stop();
  });
}
