import { blockAt, hold } from '../arena/allocator.js';
import { ownMembership } from '../arena/member.js';
import { Progress } from '../arena/progress.js';
import { isCurrent, type OwnerId } from '../arena/slots.js';
import { spinUntil } from '../arena/spinning.js';
import { joinMessagePipe, MessageReader, MessageWriter } from '../channel/message-pipe.js';
import { hasLiveLoop } from '../kernel/loop-watch.js';
import { whileLoading } from '../process/bootstrap.js';
import { pauseEndWatch, resumeEndWatch } from '../process/child.js';
import { recordError } from '../wire/errors.js';
import { Inbox, Outbox, pack, type Received } from '../wire/family-message.js';
import { copyMessage, forgetCarried } from '../wire/handles.js';
import {
  CALL,
  CHUNK,
  DEFINE,
  DONE,
  RESUME,
  RETURNED,
  STOP,
  THREW,
  type ToWorker,
  VALUES,
} from './messages.js';

/** Where a worker finds its pipes; the arguments of its process. */
export interface WorkerPlaces {
  readonly tasksAt: number;
  readonly resultsAt: number;
  readonly progressAt: number;
  readonly parent: OwnerId;
  /** Note when each item begins, because somebody watches how long it takes. */
  readonly isTimed: boolean;
}

/** How long a worker looks for its next task before it sleeps. */
const SPIN_MS = 0.1;
/** A sleeping worker looks this often whether its parent is still there. */
const PARENT_CHECK_MS = 1000;
/** Results of single calls that are sent together at the most. */
const BATCH = 64;
/** Messages handled in one go before the event loop gets a turn, if anything lives in it. */
const TURN = 64;
/** Finished values of a chunk are sent at least this often: only later ones are lost if the worker dies. */
const PARTIAL_MS = 20;

type Task = (...args: unknown[]) => unknown;

/** The program of a pool worker, run as the target of its process. */
export async function runWorker(places: WorkerPlaces): Promise<void> {
  await new Worker(places).run();
}

class Worker {
  readonly #member = ownMembership();
  readonly #tasks: MessageReader;
  readonly #results: MessageWriter;
  readonly #progress: Progress;
  readonly #places: WorkerPlaces;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  readonly #functions = new Map<number, Task | Promise<Task>>();
  #number = 0;
  #returned: unknown[] = [RETURNED, 0];
  #batchStart = 0;
  #isStopping = false;
  /** Between a recall and its RESUME: what arrives is no longer this worker's. */
  #isRecalled = false;

  constructor(places: WorkerPlaces) {
    this.#places = places;
    joinMessagePipe(this.#member, places.tasksAt, 'reader');
    joinMessagePipe(this.#member, places.resultsAt, 'writer');
    hold(this.#member.arena, blockAt(this.#member.arena, places.progressAt), this.#member.owner);
    this.#tasks = new MessageReader(this.#member, places.tasksAt);
    this.#results = new MessageWriter(this.#member, places.parent, places.resultsAt);
    this.#progress = new Progress(this.#member.arena, places.progressAt);
  }

  async run(): Promise<void> {
    // While it waits for tasks the worker sees to the event loop itself.
    pauseEndWatch();
    while (!this.#isStopping) {
      for (let handled = 0; handled < TURN && !this.#isStopping; handled++) {
        const received = this.#tasks.tryReceive((bytes) => this.#inbox.receive(bytes));
        if (received === undefined) break;
        const pending = received instanceof Promise ? this.#handleLoading(received) : this.#handle(received);
        if (pending !== undefined) await pending;
      }
      if (this.#tasks.isEmpty) {
        this.#flush();
        // Before it sleeps, so that callbacks of finished promises run, and what they start counts as alive.
        await Promise.resolve();
        if (!this.#isStopping) await this.#waitForTask();
      } else if (hasLiveLoop()) {
        await turnOfLoop();
      }
    }
    this.#flush();
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
    if (!isCurrent(arena, this.#places.parent)) process.exit(0);
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
    if (message[0] === RESUME) {
      this.#isRecalled = false;
      this.#progress.reopen(this.#number);
      return undefined;
    }
    if (message[0] === DEFINE) {
      this.#define(message[1], message[2]);
      return undefined;
    }
    if (message[0] === STOP) {
      this.#isStopping = true;
      return undefined;
    }
    const [, number, id] = message;
    if (this.#isRecalled || !this.#progress.passOn(this.#number, number)) {
      this.#isRecalled = true;
      return undefined;
    }
    this.#number = number;
    if (failure !== null) {
      this.#refuse(message, failure);
      return undefined;
    }
    const task = this.#functions.get(id) as Task | Promise<Task>;
    if (typeof task !== 'function') return this.#handleWhenLoaded(task, message);
    return message[0] === CALL ? this.#call(task, number, message[3]) : this.#chunk(task, number, message[3]);
  }

  #define(id: number, packed: Uint8Array): void {
    const received = this.#inbox.receive(packed);
    const loading = whileLoading(async () => {
      const { value, failure } = await received;
      forgetCarried(packed);
      if (failure !== null) throw failure;
      return value as Task;
    });
    this.#functions.set(id, loading);
    loading.then(
      (loaded) => this.#functions.set(id, loaded),
      // Whoever calls it gets the error.
      () => {},
    );
  }

  /** Answers every item of a message with the same error. */
  #refuse(message: ToWorker, error: unknown): void {
    const [kind, number, , input] = message as readonly [number, number, number, readonly unknown[]];
    const count = kind === CALL ? 1 : input.length;
    for (let i = 0; i < count; i++) this.#send([THREW, number, i, recordError(error)]);
    if (kind === CHUNK) this.#send([DONE, number, count, [], 0]);
  }

  async #handleWhenLoaded(loading: Promise<Task>, message: ToWorker): Promise<void> {
    const [kind, number, , input] = message as readonly [number, number, number, readonly unknown[]];
    let task: Task;
    resumeEndWatch();
    try {
      task = await loading;
    } catch (error) {
      this.#refuse(message, error);
      return;
    } finally {
      pauseEndWatch();
    }
    await (kind === CALL ? this.#call(task, number, input) : this.#chunk(task, number, input));
  }

  #begin(index: number): void {
    // The time first: who sees the item must not take the former one's time for its own.
    if (this.#places.isTimed) this.#progress.stamp();
    this.#progress.begin(index);
  }

  #call(task: Task, number: number, args: readonly unknown[]): Promise<void> | undefined {
    if (this.#returned.length === 2) this.#batchStart = performance.now();
    this.#begin(0);
    try {
      const value = task(...args);
      if (isThenable(value)) return this.#callLater(number, value);
      this.#progress.begin(-1);
      this.#addReturned(number, value);
    } catch (error) {
      this.#progress.begin(-1);
      this.#send([THREW, number, 0, recordError(error)]);
    }
    return undefined;
  }

  async #callLater(number: number, pending: PromiseLike<unknown>): Promise<void> {
    // What others have finished must not wait for this one.
    this.#flush();
    this.#batchStart = performance.now();
    resumeEndWatch();
    try {
      this.#addReturned(number, await pending);
    } catch (error) {
      this.#send([THREW, number, 0, recordError(error)]);
    } finally {
      pauseEndWatch();
      this.#progress.begin(-1);
    }
  }

  #addReturned(number: number, value: unknown): void {
    this.#returned.push(number, value);
    if (this.#returned.length >= 2 + 2 * BATCH || performance.now() - this.#batchStart > PARTIAL_MS)
      this.#flush();
  }

  async #chunk(task: Task, number: number, items: readonly unknown[]): Promise<void> {
    this.#flush();
    const began = performance.now();
    let sentAt = began;
    let start = 0;
    let values: unknown[] = [];
    for (let index = 0; index < items.length; index++) {
      this.#begin(index);
      try {
        let value = task(items[index]);
        if (isThenable(value)) value = await this.#settle(value);
        values.push(value);
      } catch (error) {
        if (values.length > 0) this.#sendValues(VALUES, number, start, values, 0);
        this.#send([THREW, number, index, recordError(error)]);
        start = index + 1;
        values = [];
      }
      if ((index & 15) === 15 && performance.now() - sentAt > PARTIAL_MS) {
        sentAt = performance.now();
        if (values.length > 0) this.#sendValues(VALUES, number, start, values, 0);
        start = index + 1;
        values = [];
      }
    }
    this.#progress.begin(-1);
    this.#sendValues(DONE, number, start, values, performance.now() - began);
    this.#results.flush();
  }

  async #settle(pending: PromiseLike<unknown>): Promise<unknown> {
    resumeEndWatch();
    try {
      return await pending;
    } finally {
      pauseEndWatch();
    }
  }

  #flush(): void {
    if (this.#returned.length > 2) {
      const batch = this.#returned;
      this.#returned = [RETURNED, 0];
      batch[1] = performance.now() - this.#batchStart;
      this.#sendReturned(batch);
    }
    this.#results.flush();
  }

  #sendReturned(batch: unknown[]): void {
    try {
      this.#send(batch);
    } catch {
      // One of the results cannot be sent: that one alone fails.
      for (let i = 2; i < batch.length; i += 2) {
        const number = batch[i] as number;
        this.#sendOrRefuse(number, 0, batch[i + 1], [RETURNED, batch[1], number, batch[i + 1]]);
      }
    }
  }

  #sendValues(
    kind: typeof VALUES | typeof DONE,
    number: number,
    start: number,
    values: unknown[],
    elapsedMs: number,
  ): void {
    try {
      this.#send([kind, number, start, values, elapsedMs]);
    } catch {
      values.forEach((value, at) => {
        this.#sendOrRefuse(number, start + at, value, [VALUES, number, start + at, [value]]);
      });
      if (kind === DONE) this.#send([DONE, number, start + values.length, [], elapsedMs]);
    }
  }

  #sendOrRefuse(number: number, index: number, value: unknown, message: readonly unknown[]): void {
    try {
      // Packed by itself first, so that a refusal names the path within the result.
      pack(value, 'result', this.#inbox.peer);
      this.#send(message);
    } catch (error) {
      this.#send([THREW, number, index, recordError(error)]);
    }
  }

  #send(message: readonly unknown[]): void {
    this.#sendBytes(this.#outbox.seal(pack(message, 'result', this.#inbox.peer)));
  }

  /** Waits for room if there is none: results are never dropped. The parent reads whenever its loop turns. */
  #sendBytes(bytes: Uint8Array): void {
    if (this.#results.trySend(bytes)) return;
    // The view may lie in a buffer that is used again while this waits.
    const own = copyMessage(bytes);
    let isSent = false;
    while (!isSent) {
      this.#results.flush();
      this.#member.parking.blockUntil(() => {
        this.#results.askForRoom();
        isSent ||= this.#results.trySend(own);
        return isSent;
      }, PARENT_CHECK_MS);
      if (!isSent && !isCurrent(this.#member.arena, this.#places.parent)) process.exit(0);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
