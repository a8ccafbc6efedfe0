import { isMainThread } from 'node:worker_threads';
import { blockAt, hold } from '../../arena/allocator.js';
import { ownMembership } from '../../arena/member.js';
import { INITIALIZING, LOADING, NO_ITEM, Progress } from '../../arena/progress.js';
import { isCurrent, type OwnerId } from '../../arena/slots.js';
import { spinUntil } from '../../arena/spinning.js';
import { joinMessagePipe, MessageReader } from '../../channel/message-pipe.js';
import { hasLiveLoop } from '../../kernel/loop-watch.js';
import { whileLoading } from '../../process/bootstrap.js';
import { pauseEndWatch, resumeEndWatch } from '../../process/child.js';
import { allowChildren } from '../../process/identity.js';
import { Inbox, type Received } from '../../wire/family-message.js';
import { forgetCarried } from '../../wire/handles.js';
import {
  CALL,
  type CallMessage,
  CHUNK,
  type ChunkMessage,
  DEFINE,
  INITIALIZE,
  RESUME,
  STOP,
  STREAM,
  type StreamMessage,
  TIMED,
  type ToWorker,
  type WorkMessage,
} from '../messages.js';
import { answerForTasks } from './current-task.js';
import { ResultSender } from './result-sender.js';
import { RunningTask } from './running-task.js';

/** Where a worker finds its pipes, and what its pool wants; the arguments of its process. */
export interface WorkerPlaces {
  readonly tasksAt: number;
  readonly resultsAt: number;
  readonly progressAt: number;
  readonly parent: OwnerId;
  /** Send each result at once, so that its times are its own. */
  readonly isTraced: boolean;
  /** Note after each task how much memory there is in use: resident in a process, in the heap of a thread. */
  readonly isWeighed: boolean;
  /** An initializer will come before any task. */
  readonly hasInitializer: boolean;
  /** Names the pool in idempotency keys. */
  readonly poolKey: string;
}

/** How long a worker looks for its next task before it sleeps. */
const SPIN_MS = 0.1;
/** A sleeping worker looks this often whether its parent is still there. */
const PARENT_CHECK_MS = 1000;
/** Messages handled in one go before the event loop gets a turn, if anything lives in it. */
const TURN = 64;

type Task = (...args: unknown[]) => unknown;

/** The program of a pool worker, run as the target of its process. */
export async function runWorker(places: WorkerPlaces): Promise<void> {
  await new Worker(places).run();
}

class Worker {
  readonly #member = ownMembership();
  readonly #tasks: MessageReader;
  readonly #results: ResultSender;
  readonly #progress: Progress;
  readonly #places: WorkerPlaces;
  readonly #running: RunningTask;
  readonly #inbox = new Inbox();
  readonly #functions = new Map<number, Task | Promise<Task>>();
  /** V8 counts the family's memory among what a thread has outside of its heap. */
  readonly #shared = isMainThread ? 0 : process.memoryUsage().external;
  #number = 0;
  /** Of the message that is run. */
  #isTimed = false;
  #isStopping = false;
  /** Between a recall and its RESUME: what arrives is no longer this worker's. */
  #isRecalled = false;

  constructor(places: WorkerPlaces) {
    this.#places = places;
    joinMessagePipe(this.#member, places.tasksAt, 'reader');
    joinMessagePipe(this.#member, places.resultsAt, 'writer');
    hold(this.#member.arena, blockAt(this.#member.arena, places.progressAt), this.#member.owner);
    this.#tasks = new MessageReader(this.#member, places.tasksAt);
    this.#results = new ResultSender(this.#member, places, this.#inbox, leave);
    this.#progress = new Progress(this.#member.arena, places.progressAt);
    this.#running = new RunningTask(this.#member, this.#progress, places.poolKey);
    answerForTasks(this.#running);
    // A pool's workers are daemons, and a daemon's own children end with it.
    allowChildren();
    process.on('exit', () => this.#results.lastFlush());
  }

  async run(): Promise<void> {
    // While it waits for tasks the worker sees to the event loop itself.
    pauseEndWatch();
    if (!this.#places.hasInitializer) this.#results.up(undefined);
    while (!this.#isStopping) {
      for (let handled = 0; handled < TURN && !this.#isStopping; handled++) {
        const received = this.#tasks.tryReceive((bytes) => this.#inbox.receive(bytes));
        if (received === undefined) break;
        const pending = received instanceof Promise ? this.#handleLoading(received) : this.#handle(received);
        if (pending !== undefined) await pending;
      }
      if (this.#tasks.isEmpty) {
        this.#results.flush();
        // Before it sleeps, so that callbacks of finished promises run, and what they start counts as alive.
        await Promise.resolve();
        if (!this.#isStopping) await this.#waitForTask();
      } else if (hasLiveLoop()) {
        await turnOfLoop();
      }
    }
    this.#results.flush();
  }

  async #waitForTask(): Promise<void> {
    const { arena, owner, parking } = this.#member;
    const isReady = (): boolean => !this.#tasks.isEmpty;
    if (hasLiveLoop()) {
      await parking.waitUntil(isReady, 'Waiting for a task');
      return;
    }
    if (spinUntil(arena, owner, isReady, SPIN_MS) || parking.blockUntil(isReady, PARENT_CHECK_MS)) return;
    // Time is up, or a signal came: its handler runs in a turn of the event loop.
    if (!isCurrent(arena, this.#places.parent)) leave();
    await turnOfLoop();
  }

  /** Something in the message needs modules that are loading. */
  async #handleLoading(loading: Promise<Received>): Promise<void> {
    resumeEndWatch();
    let received: Received;
    try {
      received = await whileLoading(() => loading);
    } finally {
      pauseEndWatch();
    }
    await this.#handle(received);
  }

  #handle({ value, failure }: Received): Promise<void> | undefined {
    const message = value as ToWorker;
    switch (message[0]) {
      case RESUME:
        this.#isRecalled = false;
        this.#progress.reopen(this.#number);
        return undefined;
      case DEFINE:
        this.#define(message[1], message[2], message[3]);
        return undefined;
      case STOP:
        this.#isStopping = true;
        return undefined;
      case INITIALIZE:
        return this.#initialize(message[1], message[2]);
      default:
        return this.#begin(message, failure);
    }
  }

  #begin(message: WorkMessage, failure: Error | null): Promise<void> | undefined {
    const number = message[1];
    if (this.#isRecalled || !this.#progress.passOn(this.#number, number)) {
      this.#isRecalled = true;
      return undefined;
    }
    this.#number = number;
    this.#isTimed = (message[6] & TIMED) !== 0;
    if (failure !== null) {
      this.#refuseAll(message, failure);
      return undefined;
    }
    const task = this.#functions.get(message[2]) as Task | Promise<Task>;
    if (typeof task !== 'function') return this.#runWhenLoaded(task, message);
    return this.#run(task, message);
  }

  #run(task: Task, message: WorkMessage): Promise<void> | undefined {
    switch (message[0]) {
      case CALL:
        return this.#call(task, message);
      case CHUNK:
        return this.#chunk(task, message);
      case STREAM:
        return this.#stream(task, message);
    }
  }

  /** What a packed message inside of another one holds. */
  async #unpack(packed: Uint8Array): Promise<unknown> {
    const { value, failure } = await this.#inbox.receive(packed);
    forgetCarried(packed);
    if (failure !== null) throw failure;
    return value;
  }

  async #initialize(packed: Uint8Array, packedArgs: Uint8Array): Promise<void> {
    this.#progress.begin(INITIALIZING);
    resumeEndWatch();
    try {
      const initializer = (await whileLoading(() => this.#unpack(packed))) as Task;
      const args = (await whileLoading(() => this.#unpack(packedArgs))) as readonly unknown[];
      await initializer(...args);
      this.#results.up(undefined);
    } catch (error) {
      this.#results.up(error ?? new Error(`The initializer threw ${String(error)}`));
      this.#isStopping = true;
    } finally {
      pauseEndWatch();
      this.#progress.begin(NO_ITEM);
    }
  }

  #define(id: number, packed: Uint8Array, isSpread: boolean): void {
    // Read at once: the code in it stands before that of later messages.
    const unpacked = this.#unpack(packed);
    const loading = whileLoading(async () => {
      const fn = (await unpacked) as Task;
      return isSpread ? (args: unknown) => fn(...(args as unknown[])) : fn;
    });
    this.#functions.set(id, loading);
    loading.then(
      (loaded) => this.#functions.set(id, loaded),
      // Whoever calls it gets the error.
      () => {},
    );
  }

  async #runWhenLoaded(loading: Promise<Task>, message: WorkMessage): Promise<void> {
    let task: Task;
    this.#stampAndBegin(LOADING);
    resumeEndWatch();
    try {
      task = await loading;
    } catch (error) {
      this.#progress.begin(NO_ITEM);
      this.#refuseAll(message, error);
      return;
    } finally {
      pauseEndWatch();
    }
    this.#progress.begin(NO_ITEM);
    await this.#run(task, message);
  }

  #refuseAll(message: WorkMessage, error: unknown): void {
    const number = message[1];
    if (message[0] !== CHUNK) {
      this.#results.threw(number, 0, error);
      return;
    }
    this.#results.chunkBegins(number);
    for (let i = 0; i < message[3].length; i++) this.#results.itemThrew(i, error);
    this.#results.chunkEnds();
  }

  #stampAndBegin(index: number): void {
    // The time first: who sees the item must not take the former one's time for its own.
    if (this.#isTimed) this.#progress.stamp();
    this.#progress.begin(index);
  }

  #end(): void {
    this.#running.end();
    if (this.#places.isWeighed) this.#progress.memoryBytes = ownMemory(this.#shared);
  }

  #call(task: Task, message: CallMessage): Promise<void> | undefined {
    const number = message[1];
    this.#results.callBegins();
    this.#running.begin(number, message[4], 0, message[5]);
    this.#stampAndBegin(0);
    try {
      const value = task(...message[3]);
      if (isThenable(value)) return this.#callLater(number, value);
      this.#end();
      // Before the item is said to be over: from here on its result outlives this process.
      this.#results.returned(number, value);
    } catch (error) {
      this.#end();
      this.#results.threw(number, 0, error);
    }
    this.#progress.begin(NO_ITEM);
    return undefined;
  }

  async #callLater(number: number, pending: PromiseLike<unknown>): Promise<void> {
    this.#results.callWaits();
    try {
      const value = await this.#settle(pending);
      this.#end();
      this.#results.returned(number, value);
    } catch (error) {
      this.#end();
      this.#results.threw(number, 0, error);
    }
    this.#progress.begin(NO_ITEM);
  }

  async #chunk(task: Task, message: ChunkMessage): Promise<void> {
    const [, number, , items, job, attempt, , first, origin] = message;
    const running = this.#running;
    this.#results.chunkBegins(number);
    running.begin(number, job, first, attempt, origin);
    for (let index = 0; index < items.length; index++) {
      this.#stampAndBegin(index);
      try {
        let value = task(items[index]);
        if (isThenable(value)) value = await this.#settle(value);
        this.#results.itemReturned(index, value);
      } catch (error) {
        this.#results.itemThrew(index, error);
      }
      if (!running.isShown) continue;
      running.forget();
      // The rest goes to somebody else, or nowhere.
      if (this.#progress.isAborted(number)) break;
    }
    this.#end();
    this.#results.chunkEnds();
    this.#progress.begin(NO_ITEM);
  }

  async #stream(task: Task, message: StreamMessage): Promise<void> {
    const [, number, , args, job, attempt, , ahead] = message;
    const { parking } = this.#member;
    this.#results.callWaits();
    this.#running.begin(number, job, 0, attempt);
    this.#progress.taken = 0;
    this.#stampAndBegin(0);
    resumeEndWatch();
    try {
      const { signal } = this.#running;
      let sent = 0;
      for await (const value of (await task(...args)) as AsyncIterable<unknown>) {
        this.#results.yielded(number, value);
        sent++;
        const hasRoom = (): boolean => signal.aborted || sent - this.#progress.taken < ahead;
        if (!hasRoom()) await parking.waitUntil(hasRoom, 'Waiting for the consumer');
        if (signal.aborted) break;
      }
      this.#end();
      this.#results.returned(number, undefined);
      this.#results.flush();
    } catch (error) {
      this.#end();
      this.#results.threw(number, 0, error);
    } finally {
      pauseEndWatch();
    }
    this.#progress.begin(NO_ITEM);
  }

  async #settle(pending: PromiseLike<unknown>): Promise<unknown> {
    resumeEndWatch();
    try {
      return await pending;
    } finally {
      pauseEndWatch();
    }
  }
}

/** In bytes: of this process, or of this thread alone as far as that can be told; `shared` is what belongs to the family. */
function ownMemory(shared: number): number {
  if (isMainThread) return process.memoryUsage.rss();
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + Math.max(0, external - shared);
}

/** Ends a worker whose parent is gone: nobody wants its results. */
function leave(): never {
  process.exit(0);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
