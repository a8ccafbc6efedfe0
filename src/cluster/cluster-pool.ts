import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { WaitOptions } from '../arena/parking.js';
import { TerminatedError } from '../base/errors.js';
import { AsyncResult, reportAllUnread } from '../pool/jobs/async-result.js';
import { ProgressMeter } from '../pool/jobs/progress-meter.js';
import type { SettledItem } from '../pool/jobs/stream-job.js';
import { checkedCount, checkedInputs, type Inputs } from '../pool/options/inputs.js';
import type { Rest } from '../pool/options/method-options.js';
import { continuedHere } from '../pool/pool-core.js';
import type { AnyFunction } from '../wire/functions.js';
import { CALLS, CallsRun } from './calls-run.js';
import { describeCode } from './code.js';
import { badClusterOption, clusterClosed, noWorker } from './failures.js';
import { ItemSource } from './item-source.js';
import { ItemsRun } from './items-run.js';
import { checkedName } from './names.js';
import { clusterPlanOf, poolSettingsOf } from './options.js';
import { collectRun, iterateRun, type OutcomeSource, unwrapped } from './outcomes.js';
import type {
  ClusterApplyAsyncOptions,
  ClusterCallOptions,
  ClusterImapOptions,
  ClusterImapSettledOptions,
  ClusterMapAsyncOptions,
  ClusterMapOptions,
  ClusterPoolEvents,
  ClusterPoolOptions,
  ClusterPoolStats,
} from './pool-options.js';
import { ReattachedRun } from './reattached-run.js';
import type { ClusterFunction } from './run.js';
import { digestOf } from './sealing.js';
import { Session } from './session.js';

/** A run that the pool waits for when it closes, or gives up. */
interface PoolRun extends OutcomeSource {
  fail(error: unknown): void;
  close?(): void;
}

/** How often `warmUp` looks for a worker, in milliseconds. */
const LOOK_MS = 100;

/**
 * The pool across machines: the same calls, run by workers (`furca worker`) that take them from a queue of BullMQ on Redis or Valkey.
 *
 * A result is delivered once; the run behind it happens at least once, for a machine may die with a result in its hands: see
 * `currentTask().idempotencyKey`. An engine that restarts or is cut off is waited for.
 *
 * @example
 * await using pool = new ClusterPool({ connection, queue, app, key });
 * await pool.warmUp();
 * await pool.map((x: number) => x * x, [1, 2, 3]); // => [1, 4, 9]
 * await pool.apply(Math.max, [3, 7]); // => 7
 */
export class ClusterPool extends EventEmitter<ClusterPoolEvents> implements AsyncDisposable {
  readonly #session: Session;
  readonly #calls: CallsRun;
  readonly #runs = new Set<PoolRun>();
  readonly #functions = new WeakMap<AnyFunction, ClusterFunction>();
  readonly #unread = { report: (error: unknown) => this.#reportUnread(error) };
  #state: 'open' | 'closed' | 'terminated' = 'open';
  #whenEmpty: (() => void)[] = [];
  #ended: Promise<void> | undefined;

  /**
   * Makes a pool; the engine is reached for with the first call.
   *
   * @param options - See {@link ClusterPoolOptions}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  constructor(options: ClusterPoolOptions) {
    super();
    this.#session = new Session(poolSettingsOf(options), (error) => this.#onTrouble(error));
    this.#calls = new CallsRun(this.#session);
  }

  /**
   * Calls `fn` with `args` in a process of some worker; {@link ClusterCallOptions} may follow them.
   *
   * @returns What `fn` returned: data, as `structuredClone` would give it.
   * @throws What `fn` threw: as its class where that is built in or was registered (`registerError`), else as the nearest such class.
   * @throws {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`; `ERR_FURCA_REFUSED`: the function needs a key, or the worker has another build.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`; {@link AuthenticationError} `ERR_FURCA_AUTHENTICATION`.
   * @throws {@link WorkerLostError} `ERR_FURCA_WORKER_LOST`; {@link BrokenError} `ERR_FURCA_POISONED`.
   * @throws {@link TimeoutError} `ERR_FURCA_TASK_TIMEOUT`, `ERR_FURCA_DEADLINE`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`; {@link TerminatedError} `ERR_FURCA_TERMINATED`.
   */
  async apply<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...rest: Rest<Args, ClusterCallOptions>
  ): Promise<Awaited<Result>> {
    const [args = [], options] = rest as [args?: readonly unknown[], options?: ClusterCallOptions];
    const call = this.#call(fn, args, options);
    try {
      return (await call) as Awaited<Result>;
    } catch (error) {
      throw continuedHere(error, 'ClusterPool.apply');
    }
  }

  /** As {@link ClusterPool.apply}, but answers at once; throws only what is the caller's mistake. */
  applyAsync<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    ...rest: Rest<Args, ClusterApplyAsyncOptions<Awaited<Result>>>
  ): AsyncResult<Awaited<Result>> {
    const [args = [], options = {}] = rest as [
      args?: readonly unknown[],
      options?: ClusterApplyAsyncOptions<Awaited<Result>>,
    ];
    const promise = this.#call(fn, args, options) as Promise<Awaited<Result>>;
    return new AsyncResult(continued(promise, 'ClusterPool.applyAsync'), this.#unread, options);
  }

  /**
   * Calls `fn` with each item; resolves with the results in the order of the items. The first error rejects, and the rest is given up.
   *
   * @throws as {@link ClusterPool.apply}; also what reading `items` throws; {@link UsageError} `ERR_FURCA_NAME_TAKEN`.
   */
  async map<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ClusterMapOptions = {},
  ): Promise<Awaited<Result>[]> {
    return (await this.#map(fn, false, items, options, 'ClusterPool.map')) as Awaited<Result>[];
  }

  /** As {@link ClusterPool.map}, but answers at once; throws only what is the caller's mistake. */
  mapAsync<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ClusterMapAsyncOptions<Awaited<Result>[]> = {},
  ): AsyncResult<Awaited<Result>[]> {
    const promise = this.#map(fn, false, items, options, 'ClusterPool.mapAsync');
    return new AsyncResult(promise as Promise<Awaited<Result>[]>, this.#unread, options);
  }

  /** As {@link ClusterPool.map}, but each item is the list of the arguments of one call. */
  async starmap<const Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    items: Inputs<NoInfer<Args>>,
    options: ClusterMapOptions = {},
  ): Promise<Awaited<Result>[]> {
    return (await this.#map(fn, true, items, options, 'ClusterPool.starmap')) as Awaited<Result>[];
  }

  /** As {@link ClusterPool.starmap}, but answers at once; throws only what is the caller's mistake. */
  starmapAsync<const Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    items: Inputs<NoInfer<Args>>,
    options: ClusterMapAsyncOptions<Awaited<Result>[]> = {},
  ): AsyncResult<Awaited<Result>[]> {
    const promise = this.#map(fn, true, items, options, 'ClusterPool.starmapAsync');
    return new AsyncResult(promise as Promise<Awaited<Result>[]>, this.#unread, options);
  }

  /**
   * Calls `fn` with each item and yields the results in the order of the items, each as soon as it is there. Reads `items` only as fast
   * as results are taken. An item that failed makes that `next()` reject; the following ones go on. Leaving the loop gives up the rest.
   */
  imap<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ClusterImapOptions = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    const run = this.#stream(fn, items, { ...options, unordered: false });
    return iterateRun(run, unwrapped<Awaited<Result>>('ClusterPool.imap'));
  }

  /** As {@link ClusterPool.imap}, but yields results as they are ready. */
  imapUnordered<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ClusterImapOptions = {},
  ): AsyncIterableIterator<Awaited<Result>> {
    const run = this.#stream(fn, items, { ...options, unordered: true });
    return iterateRun(run, unwrapped<Awaited<Result>>('ClusterPool.imapUnordered'));
  }

  /** As {@link ClusterPool.imap}, but yields how each item ended, with its index; it rejects only when the whole run does. */
  imapSettled<Item, Result>(
    fn: (item: Item) => Result,
    items: Inputs<Item>,
    options: ClusterImapSettledOptions = {},
  ): AsyncIterableIterator<SettledItem<Awaited<Result>>> {
    return iterateRun(this.#stream(fn, items, options), (item) => item as SettledItem<Awaited<Result>>);
  }

  /**
   * Yields what is left of a run whose caller is gone, as it is ready: results that it had not taken, and those that are still to come.
   * Of what that caller took last, some may come again.
   *
   * @param runId - The `runId` of a `map` or `imap`.
   * @throws {@link UsageError} `ERR_FURCA_NAME_UNKNOWN`: there is no such run.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`, at the end: its caller had not read all of its input; the message says from where on.
   */
  reattach<Result = unknown>(runId: string): AsyncIterableIterator<SettledItem<Result>> {
    this.#assertOpen();
    const run: ReattachedRun = new ReattachedRun(this.#session, checkedName('runId', runId), () =>
      this.#forget(run),
    );
    this.#runs.add(run);
    return iterateRun(run, (item) => item as SettledItem<Result>);
  }

  /**
   * Resolves once a worker is there that may run this pool's work.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`; {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`.
   */
  async warmUp(options: WaitOptions = {}): Promise<void> {
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    this.#assertOpen();
    const endAt = performance.now() + timeoutMs;
    const { census } = this.#session;
    await this.#session.reach();
    while (census.workers.length === 0) {
      signal?.throwIfAborted();
      if (performance.now() > endAt) throw noWorker(timeoutMs);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** What the pool is doing now. */
  stats(): ClusterPoolStats {
    const { census, counts, pendingChunks } = this.#session;
    return Object.freeze({
      workers: census.workers.length,
      processes: census.processes,
      pending: pendingChunks,
      ...counts,
    });
  }

  /** Takes no further call; what was accepted is finished, then the engine is left. May be called twice. */
  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    this.#ended ??= this.#leave();
    return this.#ended;
  }

  /** Gives up everything that is not done, with `ERR_FURCA_TERMINATED`, and leaves the engine. May be called twice. */
  terminate(): Promise<void> {
    this.#state = 'terminated';
    const makeError = (): unknown =>
      new TerminatedError('The task was not finished: its pool was terminated.');
    this.#calls.fail(makeError());
    for (const run of [...this.#runs]) run.fail(makeError());
    this.#ended ??= this.#leave();
    return this.#ended;
  }

  /** Closes the pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #leave(): Promise<void> {
    for (const run of this.#runs) run.close?.();
    await this.#calls.idle();
    if (this.#runs.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    await this.#calls.end();
    await this.#session.close();
    reportAllUnread(this.#unread);
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw clusterClosed('Giving work to the pool');
  }

  #describe(fn: AnyFunction, isSpread: boolean): ClusterFunction {
    if (typeof fn !== 'function') throw badClusterOption('the task', 'a function');
    const { app, seal } = this.#session;
    const code = describeCode(fn, app, seal.hasKey);
    const codeId = digestOf(code);
    const known = this.#functions.get(fn);
    if (known?.codeId === codeId && known.isSpread === isSpread) return known;
    const described = { name: fn.name, codeId, code, isSpread };
    this.#functions.set(fn, described);
    return described;
  }

  #call(fn: AnyFunction, args: readonly unknown[], options?: ClusterCallOptions): Promise<unknown> {
    this.#assertOpen();
    const described = this.#describe(fn, true);
    const plan = clusterPlanOf(options, this.#session.settings.rules);
    if (!Array.isArray(args)) throw badClusterOption('args', 'an array');
    return this.#calls.call(described, args, plan);
  }

  #map(
    fn: AnyFunction,
    isSpread: boolean,
    items: Inputs<unknown>,
    options: ClusterMapOptions,
    via: string,
  ): Promise<unknown[]> {
    // A copy: later changes to the caller's array stay there.
    const all = Array.isArray(items) ? items.slice() : items;
    const run = this.#begin(fn, isSpread, all, options, { isOrdered: false, isStreaming: false });
    return continued(collectRun(run), via);
  }

  #stream(fn: AnyFunction, items: Inputs<unknown>, options: ClusterImapSettledOptions): ItemsRun {
    return this.#begin(fn, false, items, options, {
      isOrdered: options.unordered !== true,
      isStreaming: true,
    });
  }

  #begin(
    fn: AnyFunction,
    isSpread: boolean,
    items: Inputs<unknown>,
    options: ClusterImapOptions,
    kind: { readonly isOrdered: boolean; readonly isStreaming: boolean },
  ): ItemsRun {
    this.#assertOpen();
    const described = this.#describe(fn, isSpread);
    const plan = clusterPlanOf(options, this.#session.settings.rules);
    const chunkSize = checkedCount('chunkSize', options.chunkSize);
    const bufferItems = checkedCount('bufferItems', options.bufferItems);
    const runId = checkedName('runId', options.runId ?? `run-${randomUUID()}`);
    if (runId.startsWith(CALLS)) throw badClusterOption('runId', `a name that does not begin with ${CALLS}`);
    const source = new ItemSource(checkedInputs(items));
    const progress = ProgressMeter.of(options.progress, Array.isArray(items) ? items.length : null);
    const wishes = { ...kind, runId, fn: described, plan, chunkSize, bufferItems, progress };
    const run: ItemsRun = new ItemsRun(this.#session, source, wishes, () => this.#forget(run));
    this.#runs.add(run);
    return run;
  }

  #forget(run: PoolRun): void {
    this.#runs.delete(run);
    if (this.#runs.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #onTrouble(error: Error): void {
    if (this.listenerCount('trouble') > 0) this.emit('trouble', error);
  }

  #reportUnread(error: unknown): void {
    if (this.listenerCount('error') > 0) {
      this.emit('error', error);
      return;
    }
    const said = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    process.emitWarning(`A task of a pool failed, and nobody asked for its result: ${said}`, {
      code: 'FURCA_UNREAD_FAILURE',
    });
  }
}

function continued<Result>(promise: Promise<Result>, via: string): Promise<Result> {
  return promise.catch((error: unknown) => {
    throw continuedHere(error, via);
  });
}
