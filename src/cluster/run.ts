import type { ItemRules } from './options.js';

/** A function as the cluster knows it. */
export interface ClusterFunction {
  readonly name: string;
  readonly codeId: string;
  readonly code: Uint8Array;
  readonly isSpread: boolean;
}

/** Items that travel together. */
export interface ChunkWork {
  readonly fn: ClusterFunction;
  /** Index in the run of the first item. */
  readonly first: number;
  readonly items: readonly unknown[];
  /** The items, encoded. */
  readonly bytes: Uint8Array;
  readonly priority: number;
  readonly rules: ItemRules;
}

/** How the items of a chunk ended. */
export interface Outcome {
  readonly first: number;
  /** In the place of an item that failed stands nothing. */
  readonly values: readonly unknown[];
  readonly failures: readonly (readonly [index: number, reason: unknown])[];
  /** Mean time of an item, in milliseconds; `undefined` where it is not known. */
  readonly meanMs: number | undefined;
  /** Entry in the stream of results; `null` for what never was in it. */
  readonly entry: { readonly id: string; readonly chunk: number } | null;
}

/** What the outcomes of a run are for. */
export interface RunOwner {
  settle(outcome: Outcome): void;
  /** The run is over, whatever its chunks do. */
  fail(error: unknown): void;
}

/** A run of a caller: the chunks of one call, or of all single calls. */
export interface Run {
  readonly id: string;
  readonly owner: RunOwner;
  /** Number of the next chunk. */
  nextChunk: number;
  /** Chunks whose results have keys of their own in the engine. */
  readonly large: Set<number>;
}

/** All items of a chunk failed for one reason. */
export function failedOutcome(first: number, count: number, makeError: () => unknown): Outcome {
  return {
    first,
    values: new Array(count),
    failures: Array.from({ length: count }, (_, index) => [index, makeError()] as const),
    meanMs: undefined,
    entry: null,
  };
}
