import type { CallbackOptions } from '../jobs/async-result.js';
import type { ApplyOptions, CallOptions, RepeatOptions } from './call-plan.js';
import type { ItemOptions } from './pool-options.js';

/** Options of the calls that work on many items. */
export interface MapOptions<Item = unknown> extends ItemOptions<Item>, CallOptions, RepeatOptions {}

/** Options of the calls that stream. */
export interface ImapOptions<Item = unknown> extends MapOptions<Item> {
  /** Items that may be read from the input and not yet be taken as results, at least 1. Default: a few chunks for each worker. */
  readonly bufferItems?: number;
}

/** Options of {@link Pool.imapSettled}. */
export interface ImapSettledOptions<Item = unknown> extends ImapOptions<Item> {
  /** Yield items as they are ready instead of in input order. Default `false`. */
  readonly unordered?: boolean;
}

/** Options of {@link Pool.applyAsync}. */
export interface ApplyAsyncOptions<Result> extends ApplyOptions, CallbackOptions<Result> {}

/** Options of {@link Pool.mapAsync}. */
export interface MapAsyncOptions<Item, Result> extends MapOptions<Item>, CallbackOptions<Result> {}

/** The arguments of a task, which may be left out where it takes none, and the options of the call. */
export type Rest<Args extends readonly unknown[], Options> = Args extends readonly []
  ? [args?: readonly [], options?: Options]
  : [args: NoInfer<Args>, options?: Options];

/** What a streaming task gives: an async generator, a generator, or a promise of one. */
export type Streaming<Value> =
  | AsyncIterable<Value>
  | Iterable<Value>
  | PromiseLike<AsyncIterable<Value> | Iterable<Value>>;
