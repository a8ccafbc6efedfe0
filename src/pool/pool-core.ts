import { MODULES } from '../base/programs.js';
import { joinOrFoundFamily } from '../process/family.js';
import { joinStacks } from '../wire/errors.js';
import type { AnyFunction } from '../wire/functions.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { guardJob } from './dispatch/job-guard.js';
import { badOption, poolClosed, usedByCopy } from './failures.js';
import { GeneratorJob } from './jobs/generator-job.js';
import { CallJob, MapJob } from './jobs/jobs.js';
import type { ProgressMeter } from './jobs/progress-meter.js';
import { StreamJob } from './jobs/stream-job.js';
import { type Job, makeTask, ONE_CALL, STREAMED, type TaskFunction } from './jobs/task.js';
import { TaskFunctions } from './jobs/task-functions.js';
import { type CallPlan, plainPlan } from './options/call-plan.js';
import type { DispatchSettings } from './options/dispatch-settings.js';
import { PoolTracer } from './seeing/pool-tracer.js';

/** What a stream of items wants. */
export interface StreamWishes {
  readonly isOrdered: boolean;
  readonly chunkSize: number | undefined;
  readonly bufferItems: number | undefined;
  readonly progress: ProgressMeter | undefined;
  readonly plan: CallPlan;
}

/** What stands behind the methods of `Pool`: knows the functions, makes jobs of calls, and hands them to the dispatcher. */
export class PoolCore {
  readonly dispatcher: Dispatcher;
  readonly tracer: PoolTracer | undefined;
  readonly #ownPid = process.pid;
  #lastFunction = 0;
  readonly #functions: TaskFunctions;
  readonly #spreading: TaskFunctions;
  /** What a call without options wants. */
  readonly plain: CallPlan;
  state: 'open' | 'closed' | 'terminated' = 'open';

  constructor(settings: DispatchSettings, trace: string | undefined, name: string) {
    const nextId = (): number => ++this.#lastFunction;
    this.#functions = new TaskFunctions({ isSpread: false, nextId, carry: settings.carry });
    this.#spreading = new TaskFunctions({ isSpread: true, nextId, carry: settings.carry });
    this.plain = plainPlan(settings);
    this.dispatcher = new Dispatcher(joinOrFoundFamily(), settings);
    this.tracer = trace === undefined ? undefined : new PoolTracer(trace, name);
    if (this.tracer !== undefined) this.dispatcher.traceBy(this.tracer);
  }

  /** @throws {@link ClosedError}; {@link UsageError} `ERR_FURCA_STARVATION`. */
  assertOpen(): void {
    if (process.pid !== this.#ownPid) throw usedByCopy(this.#ownPid);
    if (this.state !== 'open') throw poolClosed();
  }

  /** @param isSpread - Its one argument is a list of its arguments. */
  describe(fn: AnyFunction, isSpread = false): TaskFunction {
    if (typeof fn !== 'function') throw badOption('the task', 'a function');
    return (isSpread ? this.#spreading : this.#functions).describe(fn);
  }

  call(fn: TaskFunction, args: readonly unknown[], plan: CallPlan): Promise<unknown> {
    return this.submit(fn, args, plan).promise;
  }

  /** As {@link PoolCore.call}, with the job, which tells how far it is. */
  submit(
    fn: TaskFunction,
    args: readonly unknown[],
    plan: CallPlan,
  ): { readonly job: Job; readonly promise: Promise<unknown> } {
    if (!Array.isArray(args)) throw badOption('args', 'an array');
    const { promise, resolve, reject } = withResolvers();
    const job = new CallJob(plan, resolve, reject);
    guardJob(job, this.dispatcher);
    if (!job.isOver) this.dispatcher.add(makeTask(job, fn, ONE_CALL, args, 0));
    return { job, promise };
  }

  map(
    fn: TaskFunction,
    items: readonly unknown[],
    chunkSize: number | undefined,
    plan: CallPlan,
    progress: ProgressMeter | undefined,
  ): Promise<unknown[]> {
    const job = new MapJob(fn, items, chunkSize, plan, progress);
    guardJob(job, this.dispatcher);
    this.dispatcher.addSource(job);
    return job.promise;
  }

  stream(
    fn: TaskFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    wishes: StreamWishes,
  ): StreamJob {
    const { dispatcher } = this;
    const settings = { ...wishes, workers: dispatcher.size };
    const job = new StreamJob(fn, items, settings, () => dispatcher.changed());
    guardJob(job, dispatcher);
    dispatcher.addSource(job);
    return job;
  }

  generate(fn: TaskFunction, args: readonly unknown[], plan: CallPlan): GeneratorJob {
    if (!Array.isArray(args)) throw badOption('args', 'an array');
    const job = new GeneratorJob(plan);
    guardJob(job, this.dispatcher);
    if (!job.isOver) this.dispatcher.add(makeTask(job, fn, STREAMED, args, 0));
    return job;
  }
}

/** As `Promise.withResolvers`, which Node 20 has not. */
function withResolvers(): {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: unknown) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** The package's own files: their frames tell a caller nothing. */
const OWN_FOLDER = MODULES.href;

/**
 * Continues the stack of a worker's error with that of the caller, which V8 knows here, behind the `await`, from who waits
 * for the promise: nothing is captured unless something fails.
 */
export function continuedHere(error: unknown, via: string): unknown {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, continuedHere);
  const frames = (holder.stack ?? '').split('\n').filter((line) => !line.includes(OWN_FOLDER));
  joinStacks(error, frames.join('\n'), via);
  return error;
}
