import { randomUUID } from 'node:crypto';
import { InternalError } from '../base/errors.js';
import { encode } from '../wire/codec.js';
import { callTooLong } from './failures.js';
import type { ClusterPlan } from './options.js';
import type { ClusterFunction, Outcome, Run, RunOwner } from './run.js';
import type { Session } from './session.js';

/** Names of runs that hold single calls begin so: the items of such a run have nothing to do with each other. */
export const CALLS = 'calls-';
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Call {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Removes what watches over the call. */
  readonly release: () => void;
  chunk: number | undefined;
}

/** All single calls of a pool: one run, in which each of them is a chunk of one item. */
export class CallsRun implements RunOwner {
  readonly #session: Session;
  readonly #calls = new Map<number, Call>();
  #next = 0;
  #begun: Promise<Run> | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws what the task threw, what stopped it, or why it was refused. */
  call(fn: ClusterFunction, args: readonly unknown[], plan: ClusterPlan): Promise<unknown> {
    const bytes = encodeArgs(args);
    const index = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs, priority, rules } = plan;
      const giveUp = (error: unknown): void => this.#giveUp(index, error);
      const onAbort = (): void => giveUp(signal?.reason);
      const timer =
        timeoutMs <= LONGEST_TIMER_MS
          ? setTimeout(() => giveUp(callTooLong(timeoutMs)), timeoutMs)
          : undefined;
      const release = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      this.#calls.set(index, { resolve, reject, release, chunk: undefined });
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#begun ??= this.#session.begin(CALLS + randomUUID(), this);
      this.#begun.then((run) => {
        const call = this.#calls.get(index);
        if (call === undefined) return;
        const work = { fn, first: index, items: [args], bytes, priority, rules };
        call.chunk = this.#session.submit(run, work);
      }, giveUp);
    });
  }

  #giveUp(index: number, error: unknown): void {
    const call = this.#take(index);
    if (call === undefined) return;
    call.reject(error);
    const { chunk } = call;
    if (chunk !== undefined)
      void this.#begun?.then((run) => this.#session.giveUp(run, chunk)).catch(() => {});
  }

  get size(): number {
    return this.#calls.size;
  }

  settle({ first, values, failures, entry }: Outcome): void {
    if (entry !== null) void this.#begun?.then((run) => this.#session.acknowledge(run, [entry]));
    const call = this.#take(first);
    if (call === undefined) return;
    const failure = failures[0];
    if (failure === undefined) call.resolve(values[0]);
    else call.reject(failure[1]);
  }

  fail(error: unknown): void {
    for (const index of [...this.#calls.keys()]) this.#take(index)?.reject(error);
  }

  #take(index: number): Call | undefined {
    const call = this.#calls.get(index);
    if (call === undefined) return undefined;
    call.release();
    this.#calls.delete(index);
    if (this.#calls.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    return call;
  }

  /** Resolves once no call is under way. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Takes the run off the engine. */
  async end(): Promise<void> {
    const run = await this.#begun?.catch(() => undefined);
    if (run !== undefined) await this.#session.end(run).catch(() => {});
  }
}

/** The list of arguments of one call, as the only item of a chunk. */
function encodeArgs(args: readonly unknown[]): Uint8Array {
  try {
    return encode([args], 'args');
  } catch {
    // So that the path in the error begins with the argument.
    encode(args, 'args');
    throw new InternalError('Arguments that can be sent alone could not be sent as an item.');
  }
}
