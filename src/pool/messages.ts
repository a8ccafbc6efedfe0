import type { ErrorRecord } from '../wire/errors.js';
import type { TaskOrigin } from './jobs/task.js';

/** Kinds of messages between a pool and its workers: the first element of each. */
export const DEFINE = 0;
export const CALL = 1;
export const CHUNK = 2;
export const RESUME = 3;
export const STOP = 4;
export const INITIALIZE = 5;
export const STREAM = 6;

/** Flags of a message of work. Somebody watches how long each of its items takes. */
export const TIMED = 1;

/**
 * What a pool tells a worker. Numbers count the work sent to this worker; see arena/progress.ts. `job` is the number of the pool's
 * call behind it, `attempt` counts the runs of its first item.
 */
export type ToWorker =
  /** Function `id` is this one from now on, a packed message of its own; `isSpread`: its one argument is the list of its arguments. */
  | readonly [typeof DEFINE, id: number, packed: Uint8Array, isSpread: boolean]
  /** Call the function with these arguments. */
  | CallMessage
  /** Call the function with each of these items, which are number `first` and on of the job. */
  | ChunkMessage
  /** Call the function with these arguments and send what it yields, at most `ahead` values before they are taken. */
  | StreamMessage
  /** Everything between the message you were running and this one is recalled. */
  | readonly [typeof RESUME]
  /** End when everything before is done. */
  | readonly [typeof STOP]
  /** Call this function with these arguments before anything else; both are packed messages of their own. */
  | readonly [typeof INITIALIZE, packed: Uint8Array, args: Uint8Array];

export type CallMessage = readonly [
  typeof CALL,
  number: number,
  id: number,
  args: readonly unknown[],
  job: number,
  attempt: number,
  flags: number,
];

export type ChunkMessage = readonly [
  typeof CHUNK,
  number: number,
  id: number,
  items: readonly unknown[],
  job: number,
  attempt: number,
  flags: number,
  first: number,
  origin?: TaskOrigin,
];

export type StreamMessage = readonly [
  typeof STREAM,
  number: number,
  id: number,
  args: readonly unknown[],
  job: number,
  attempt: number,
  flags: number,
  ahead: number,
];

export type WorkMessage = CallMessage | ChunkMessage | StreamMessage;

export const RETURNED = 10;
export const VALUES = 11;
export const THREW = 12;
export const DONE = 13;
export const UP = 14;
export const YIELDED = 15;

/** What a worker tells its pool. */
export type FromWorker =
  /** Calls returned: the time they took together in milliseconds, then number and value of each. */
  | readonly [typeof RETURNED, elapsedMs: number, ...numbersAndValues: unknown[]]
  /** Items `start` and on of a chunk returned. */
  | readonly [typeof VALUES, number: number, start: number, values: readonly unknown[]]
  /** Item `index` of a chunk, or call (index 0), threw. */
  | readonly [typeof THREW, number: number, index: number, error: ErrorRecord]
  /** A chunk is through: its last values, and the time it took in milliseconds. */
  | readonly [typeof DONE, number: number, start: number, values: readonly unknown[], elapsedMs: number]
  /** The worker is up; `error` if the initializer threw, and then the worker ends. */
  | readonly [typeof UP, error: ErrorRecord | null]
  /** A streaming call yielded these. */
  | readonly [typeof YIELDED, number: number, values: readonly unknown[]];
