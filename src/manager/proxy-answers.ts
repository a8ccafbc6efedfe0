/** How Python's answers become JavaScript's: seconds, exceptions that stand for a timeout or a missing entry. */
import { TimeoutError } from '../base/errors.js';
import { checkedTimeoutMs } from '../connection/waiting.js';
import type { Reducible, Reduction } from '../pickle/reduction.js';

/** A `timeout` of Python: seconds, or None for ever. */
export function seconds(doing: string, timeoutMs: number | undefined): number | null {
  const checkedMs = checkedTimeoutMs(doing, timeoutMs);
  return checkedMs === Number.POSITIVE_INFINITY ? null : checkedMs / 1000;
}

/** Tells whether an error is an exception of this name, from Python or from a server of furca. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

/** What a call gives; the exceptions named mean that it timed out. */
export async function inTime<T>(
  doing: string,
  timeoutMs: number | undefined,
  call: Promise<T>,
  ...names: readonly string[]
): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isNamed(error, ...names)) throw error;
    throw timedOut(doing, timeoutMs ?? 0);
  }
}

export function timedOut(doing: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`${doing} failed: not within ${timeoutMs} ms.`, timeoutMs);
}

/** Which items of a list: a slice of Python. */
export class PythonSlice implements Reducible {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;

  constructor(start: number | null = null, stop: number | null = null, step: number | null = null) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  'furca:reduce'(): Reduction {
    return { module: 'builtins', name: 'slice', args: [this.start, this.stop, this.step] };
  }
}
