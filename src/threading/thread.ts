import type { Worker } from 'node:worker_threads';
import type { WaitOptions } from '../arena/parking.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { TimeoutError, UsageError } from '../base/errors.js';
import { reportFatal } from '../process/fatal.js';
import { joinAtEnd } from '../process/registry.js';
import type { Event } from '../sync/event.js';
import type { AnyFunction } from '../wire/functions.js';
import { launchThread, stopThread } from './launch-thread.js';

/** Options of a {@link Thread}. */
export type ThreadOptions<Args extends readonly unknown[]> = {
  /** Runs in the thread; the thread ends when its promise settles. */
  readonly target?: (...args: Args) => unknown;
  /** Name for people. Default `Thread-N`. */
  readonly name?: string;
  /** A daemon does not keep its process alive. Default `false`. */
  readonly daemon?: boolean;
} & (Args extends readonly [] ? { readonly args?: readonly [] } : { readonly args: NoInfer<Args> });

/** What a thread is, at the moment of the call. */
export interface ThreadStats {
  readonly name: string;
  readonly isAlive: boolean;
  readonly daemon: boolean;
  /** Node's number of the thread; `undefined` before the start. */
  readonly ident: number | undefined;
}

let lastNumber = 0;
const running = new Set<Thread<readonly unknown[]>>();
let isJoinedAtEnd = false;

/**
 * A thread of this process, with a heap of its own (a Node worker thread), that runs one function.
 *
 * Function and arguments travel as to a {@link Process}; handles among them stand for the same locks, events and memory. The thread is a
 * member of the family of its own: what it holds when it ends, however it ends, is taken from it as from a process.
 *
 * @example
 * const thread = new Thread({ target: (x: number) => void x, args: [1] });
 * await thread.start();
 * await thread.join();
 * thread.isAlive(); // => false
 */
export class Thread<const Args extends readonly unknown[] = readonly []> implements AsyncDisposable {
  readonly name: string;
  readonly #isDaemon: boolean;
  readonly #target: AnyFunction | undefined;
  readonly #args: readonly unknown[];
  #worker: Worker | undefined;
  #ident: number | undefined;
  #done: Event | undefined;
  #ended: Promise<void> | undefined;
  /** Resolves once it can be terminated, or has ended. */
  #up: Promise<void> | undefined;
  #isOver = false;

  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `target` is not a function, or another option is of the wrong kind. */
  constructor(options: ThreadOptions<Args> = {} as ThreadOptions<Args>) {
    const {
      target,
      args = [],
      name,
      daemon = false,
    } = options as {
      target?: AnyFunction;
      args?: readonly unknown[];
      name?: string;
      daemon?: boolean;
    };
    if (target !== undefined && typeof target !== 'function') throw invalid('target', 'a function');
    if (!Array.isArray(args)) throw invalid('args', 'an array');
    if (name !== undefined && typeof name !== 'string') throw invalid('name', 'a string');
    if (typeof daemon !== 'boolean') throw invalid('daemon', 'true or false');
    this.name = name ?? `Thread-${++lastNumber}`;
    this.#isDaemon = daemon;
    this.#target = target;
    this.#args = args;
  }

  /**
   * Starts the thread; resolves once it runs. Function and arguments are packed before this returns.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was started before. `ERR_FURCA_UNSUPPORTED_RUNTIME`: this process was forked,
   * and in such a one this version of Node (20 and 26) ends no threads: start the process with `spawn`.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: function or argument cannot travel.
   */
  async start(): Promise<void> {
    const worker = this.#launch();
    await this.#whileAlive(
      new Promise<void>((resolve, reject) => {
        worker.once('online', resolve);
        worker.once('error', reject);
      }),
    );
  }

  #launch(): Worker {
    if (this.#worker !== undefined) throw wrongState('Starting', this.name, 'a thread is started once');
    const { worker, done, up } = launchThread({
      target: this.#target ?? null,
      args: this.#args,
      name: this.name,
    });
    this.#worker = worker;
    this.#done = done;
    this.#up = up;
    this.#ident = worker.threadId;
    this.#watch(worker);
    return worker;
  }

  #watch(worker: Worker): void {
    running.add(this as never);
    if (!isJoinedAtEnd) {
      isJoinedAtEnd = true;
      joinAtEnd(joinThreads);
    }
    let isOnline = false;
    worker.once('online', () => {
      isOnline = true;
    });
    // What its target threw it has printed itself, what a callback threw it has not. Why it did not start is told by `start`.
    worker.on('error', (error) => {
      if (isOnline) reportFatal(error, this.name);
    });
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#isOver = true;
        // `launchThread` has set it, and nobody of this thread blocks right now.
        this.#done?.close();
        running.delete(this as never);
        resolve();
      });
    });
    if (this.#isDaemon) worker.unref();
  }

  /**
   * Resolves once the thread has ended, and what it held is free.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; the thread runs on. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was not started.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    const ended = this.#needStart('Joining')[1];
    if (this.#isOver) return;
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => {};
    // A daemon that is waited for does keep its process alive.
    this.#worker?.ref();
    const giveUp = new Promise<never>((_, reject) => {
      if (Number.isFinite(timeoutMs))
        timer = setTimeout(() => reject(tooLate(this.name, timeoutMs)), Math.max(timeoutMs, 0));
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([ended, giveUp]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (this.#isDaemon) this.#worker?.unref();
    }
  }

  /** Blocks this thread until the other has done its work; errors as {@link Thread.join}. */
  joinSync(options: SyncWaitOptions = {}): void {
    const [done] = this.#needStart('Joining');
    if (!this.#isOver && !done.waitSync(options)) throw tooLate(this.name, options.timeoutMs ?? 0);
  }

  #needStart(doing: string): [Event, Promise<void>] {
    if (this.#done !== undefined && this.#ended !== undefined) return [this.#done, this.#ended];
    throw wrongState(doing, this.name, 'it was not started');
  }

  /** Ends the thread wherever it is, once it has come up, and resolves once it has ended. Python's threads cannot do this. */
  async terminate(): Promise<void> {
    const ended = this.#needStart('Terminating')[1];
    if (this.#worker !== undefined && this.#up !== undefined)
      await stopThread({ worker: this.#worker, up: this.#up });
    await ended;
  }

  /** @internal Resolves once the end of the process does not disturb it any more. */
  async comeUp(): Promise<void> {
    await this.#whileAlive(this.#up);
  }

  /** Waits for what the thread does: a daemon that is waited for does keep its process alive. */
  async #whileAlive<T>(waiting: Promise<T> | undefined): Promise<T | undefined> {
    this.#worker?.ref();
    try {
      return await waiting;
    } finally {
      if (this.#isDaemon) this.#worker?.unref();
    }
  }

  /** Tells whether the thread runs. */
  isAlive(): boolean {
    return this.#worker !== undefined && !this.#isOver;
  }

  /** Whether it does not keep its process alive. */
  get daemon(): boolean {
    return this.#isDaemon;
  }

  /** Node's number of the thread; `undefined` before the start. */
  get ident(): number | undefined {
    return this.#ident;
  }

  /** What it is. */
  stats(): ThreadStats {
    return Object.freeze({
      name: this.name,
      isAlive: this.isAlive(),
      daemon: this.#isDaemon,
      ident: this.#ident,
    });
  }

  /** Waits for the thread to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) await this.join();
  }
}

/**
 * Starts a thread that runs `target`, as Python's `_thread.start_new_thread`: it is a daemon, and what it throws is printed.
 *
 * @returns Node's number of the thread. Errors as {@link Thread.start}.
 *
 * @example
 * typeof startNewThread(() => {}, []); // => 'number'
 */
export function startNewThread<const Args extends readonly unknown[]>(
  target: (...args: Args) => unknown,
  args: Args,
): number {
  const thread = new Thread({ target, args, daemon: true } as never);
  thread.start().catch(() => {});
  return thread.ident as number;
}

/** The threads of this process that run, without the main thread. */
export function activeThreads(): Thread<readonly unknown[]>[] {
  return [...running];
}

async function joinThreads(): Promise<void> {
  for (const thread of running) await (thread.daemon ? thread.comeUp() : thread.join());
}

function invalid(option: string, wanted: string): UsageError {
  return new UsageError(`Making a Thread failed: ${option} must be ${wanted}.`);
}

function wrongState(doing: string, name: string, why: string): UsageError {
  return new UsageError(`${doing} ${name} failed: ${why}.`, 'ERR_FURCA_INVALID_STATE');
}

function tooLate(name: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Joining ${name} failed: it did not end within ${timeoutMs} ms.`, timeoutMs);
}
