/** How long, and until what, somebody waits. */
export interface Wait {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** `setTimeout` takes no more; a longer wait is one without end. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/**
 * Waits for `promise`, which goes on whatever happens to the wait.
 *
 * @param onTimeout - Makes the error for a wait that took too long, or gives `undefined` when it has come after all.
 */
export function waitFor<T>(
  promise: Promise<T>,
  { timeoutMs, signal }: Wait,
  onTimeout: () => Error | undefined,
): Promise<T> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (timeoutMs > LONGEST_TIMER_MS && signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    if (timeoutMs <= LONGEST_TIMER_MS) {
      timer = setTimeout(() => {
        const error = onTimeout();
        if (error !== undefined) settle(() => reject(error));
      }, timeoutMs);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
