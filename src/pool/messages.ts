import type { ErrorRecord } from '../wire/errors.js';

/** Kinds of messages between a pool and its workers: the first element of each. */
export const DEFINE = 0;
export const CALL = 1;
export const CHUNK = 2;
export const RESUME = 3;
export const STOP = 4;

/** What a pool tells a worker. Numbers count the calls and chunks sent to this worker; see arena/progress.ts. */
export type ToWorker =
  /** Function `id` is this one from now on: a packed message of its own. */
  | readonly [typeof DEFINE, id: number, packed: Uint8Array]
  /** Call the function with these arguments. */
  | readonly [typeof CALL, number: number, id: number, args: readonly unknown[]]
  /** Call the function with each of these items. */
  | readonly [typeof CHUNK, number: number, id: number, items: readonly unknown[]]
  /** Everything between the message you were running and this one is recalled. */
  | readonly [typeof RESUME]
  /** End when everything before is done. */
  | readonly [typeof STOP];

export const RETURNED = 10;
export const VALUES = 11;
export const THREW = 12;
export const DONE = 13;

/** What a worker tells its pool. */
export type FromWorker =
  /** Calls returned: the time they took together in milliseconds, then number and value of each. */
  | readonly [typeof RETURNED, elapsedMs: number, ...numbersAndValues: unknown[]]
  /** Items `start` and on of a chunk returned. */
  | readonly [typeof VALUES, number: number, start: number, values: readonly unknown[]]
  /** Item `index` of a chunk, or call (index 0), threw. */
  | readonly [typeof THREW, number: number, index: number, error: ErrorRecord]
  /** A chunk is through: its last values, and the time it took in milliseconds. */
  | readonly [typeof DONE, number: number, start: number, values: readonly unknown[], elapsedMs: number];
