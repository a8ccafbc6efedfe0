import { allocate, blockAt, drop } from '../../arena/allocator.js';
import { freeze, thaw } from '../../arena/freezing.js';
import { type JournalEntries, ResultJournal } from '../../arena/journal.js';
import { KIND, PROGRESS } from '../../arena/layout.js';
import type { Member } from '../../arena/member.js';
import { wake } from '../../arena/parking.js';
import { holdsWhatOthersAwait } from '../../arena/primitives/awaited.js';
import { LOADING, NO_ITEM, Progress } from '../../arena/progress.js';
import {
  createMessagePipe,
  dropMessagePipe,
  dropUnsent,
  MessageReader,
  MessageWriter,
} from '../../channel/message-pipe.js';
import { encodeShared } from '../../wire/codec.js';
import { Inbox, Outbox, type Packed, pack } from '../../wire/family-message.js';
import type { Stopping } from '../dispatch/settlement.js';
import { EACH_ITEM, itemCount, type Job, STREAMED, type Task, type TaskFunction } from '../jobs/task.js';
import {
  CALL,
  CHUNK,
  DEFINE,
  type FromWorker,
  INITIALIZE,
  RESUME,
  STOP,
  STREAM,
  TIMED,
} from '../messages.js';
import { withoutBroken } from './broken-results.js';
import type { BodyKind, BodySettings, WorkerBody } from './worker-body.js';

const LAST_NUMBER = 0x7fffffff;
/** Functions that a worker keeps at a time; the one defined first makes room. */
const MAX_DEFINED = 256;
const KINDS = [CALL, CHUNK, STREAM] as const;

/** What a worker must heed for this task. */
function flagsOf({ job: { plan } }: Task): number {
  return plan.taskTimeoutMs === Number.POSITIVE_INFINITY ? 0 : TIMED;
}

/** What a pool decides about all its workers. */
export interface WorkerSettings extends BodySettings {
  readonly bodies: BodyKind;
  readonly isTraced: boolean;
  readonly isWeighed: boolean;
  readonly poolKey: string;
  readonly initializer: Initializer | undefined;
  /** Values of a stream that may wait to be taken. */
  readonly streamAhead: number;
}

/** What is to be called in each worker before anything else. */
export interface Initializer {
  readonly packed: Packed;
  readonly args: Packed;
}

/** One worker as its pool sees it: its body, the pipes to and from it, and what it was given to do. */
export class WorkerLink {
  readonly #member: Member;
  readonly #settings: WorkerSettings;
  readonly #tasksAt: number;
  readonly #resultsAt: number;
  readonly #progressAt: number;
  readonly #reader: MessageReader;
  /** Under which number the worker has each function, the first defined first. */
  readonly #defined = new Map<number, number>();
  readonly #outbox = new Outbox();
  readonly #inbox = new Inbox();
  #received: FromWorker[] = [];
  readonly progress: Progress;
  /** Tasks sent and not done, oldest first, by their message number. */
  readonly outstanding: Map<number, Task> = new Map();
  #writer: MessageWriter | undefined;
  #number = 0;
  #owesResume = false;
  #isStopping = false;
  body: WorkerBody | undefined;
  /** It has come up, and its initializer has run. */
  isUp = false;
  /** It gets nothing further and ends when it is through. */
  isRetiring = false;
  /** It is stopped by a signal, in the middle of a task. */
  isFrozen = false;
  /** The item that the pool itself is about to stop. */
  stopping: Stopping | undefined;
  /** Items it has been given. */
  assigned = 0;
  idleSince: number = performance.now();
  /** Where the worker was at the last look, to tell whether it moves. */
  lastPlace = -1;

  constructor(member: Member, settings: WorkerSettings) {
    this.#member = member;
    this.#settings = settings;
    this.#tasksAt = createMessagePipe(member, 'writer');
    this.#resultsAt = createMessagePipe(member, 'reader');
    this.#progressAt = allocate(member.arena, member.owner, KIND.PROGRESS, PROGRESS.BYTES).at;
    this.#reader = new MessageReader(member, this.#resultsAt);
    this.progress = new Progress(member.arena, this.#progressAt);
    this.progress.begin(NO_ITEM);
  }

  /** Starts the body; resolves once it has an id. */
  async start(): Promise<WorkerBody> {
    const settings = this.#settings;
    const places = {
      tasksAt: this.#tasksAt,
      resultsAt: this.#resultsAt,
      progressAt: this.#progressAt,
      parent: this.#member.owner,
      isTraced: settings.isTraced,
      isWeighed: settings.isWeighed,
      hasInitializer: settings.initializer !== undefined,
      poolKey: settings.poolKey,
    };
    const body = await settings.bodies.start(places, settings);
    this.body = body;
    this.#writer = new MessageWriter(this.#member, body.owner, this.#tasksAt);
    const { initializer } = settings;
    if (initializer !== undefined) {
      const [packed, args] = [this.#outbox.seal(initializer.packed), this.#outbox.seal(initializer.args)];
      this.#trySend(encodeShared([INITIALIZE, packed, args]));
      this.flush();
    }
    return body;
  }

  /** Can be given tasks. */
  get isReady(): boolean {
    return (
      this.#writer !== undefined &&
      !this.#owesResume &&
      !this.#isStopping &&
      !this.isRetiring &&
      !this.isFrozen &&
      this.stopping === undefined
    );
  }

  get isIdle(): boolean {
    return this.outstanding.size === 0 && this.isReady;
  }

  /** Sends a task; `false` when its pipe is full. Wakes nobody: call `flush` after the last one. */
  send(task: Task): boolean {
    const id = this.#define(task.fn);
    if (id === undefined) return false;
    const number = this.#number === LAST_NUMBER ? 1 : this.#number + 1;
    const { kind, input, job, attempts } = task;
    const message: unknown[] = [KINDS[kind], number, id, input, job.id, attempts + 1, flagsOf(task)];
    if (kind === EACH_ITEM) message.push(task.first, ...(job.origin === undefined ? [] : [job.origin]));
    else if (kind === STREAMED) message.push(this.#settings.streamAhead);
    if (!this.#trySend(this.#outbox.seal(pack(message, 'task', this.#inbox.peer)))) {
      this.#outbox.undo();
      return false;
    }
    this.#number = number;
    this.outstanding.set(number, task);
    this.assigned += itemCount(task);
    return true;
  }

  /** Sees that the worker has the function; answers the number it has it under, `undefined` when its pipe is full. */
  #define(fn: TaskFunction): number | undefined {
    const known = this.#defined.get(fn.id);
    if (known !== undefined) return known;
    const [oldest] = this.#defined;
    const isFull = oldest !== undefined && this.#defined.size >= MAX_DEFINED;
    const id = isFull ? oldest[1] : this.#defined.size;
    if (!this.#trySend(encodeShared([DEFINE, id, this.#outbox.seal(fn.packed), fn.isSpread]))) {
      this.#outbox.undo();
      return undefined;
    }
    if (isFull) this.#defined.delete(oldest[0]);
    this.#defined.set(fn.id, id);
    return id;
  }

  #trySend(message: Uint8Array): boolean {
    return this.#writer?.trySend(message) ?? false;
  }

  flush(): void {
    this.#writer?.flush();
  }

  /** The next message from the worker, `undefined` when there is none. */
  receive(): FromWorker | undefined {
    if (this.#received.length > 0) return this.#received.shift();
    const received = this.#reader.tryReceive((bytes) => this.#inbox.receiveSync(bytes));
    if (received === undefined) return undefined;
    const message = received.value as FromWorker;
    if (received.failure === null) return message;
    this.#received = withoutBroken(message);
    return this.#received.shift();
  }

  /** What the worker had noted when it died; see arena/journal.ts. */
  readJournal(): JournalEntries {
    return new ResultJournal(this.#member.arena, this.#progressAt).read();
  }

  /** What the worker, which lives, has finished, noted, and perhaps not sent. */
  readFinished(): JournalEntries | undefined {
    const { message, item } = this.progress;
    return new ResultJournal(this.#member.arena, this.#progressAt).readBefore(message, item);
  }

  /** Asks the task of message `number` to stop, which it may or may not do. */
  abort(number: number): void {
    this.progress.abort(number);
    if (this.body !== undefined) wake(this.#member.arena, this.body.owner);
  }

  /** The consumer of the stream has taken `count` values so far. */
  tellTaken(count: number): void {
    this.progress.taken = count;
    if (this.body !== undefined) wake(this.#member.arena, this.body.owner);
  }

  /** Stops the worker, a process, in the middle of its task; `false` when it must not be stopped now. */
  freeze(): boolean {
    const { body } = this;
    this.isFrozen = body !== undefined && freeze(this.#member.arena, body.owner, body.pid);
    return this.isFrozen;
  }

  /** Lets a stopped worker go on. */
  thaw(): void {
    this.isFrozen = false;
    if (this.body?.exitCode === null) thaw(this.#member.arena, this.body.owner, this.body.pid);
  }

  /** Others wait for a lock that it holds. */
  get isAwaited(): boolean {
    return this.body !== undefined && holdsWhatOthersAwait(this.#member.arena, this.body.owner);
  }

  /** Number and task of what the worker runs, or loads the function of (`LOADING`); `undefined` while it does nothing. */
  get running(): { readonly number: number; readonly task: Task; readonly item: number } | undefined {
    const { message: number, item } = this.progress;
    const task = this.outstanding.get(number);
    if (task === undefined || (item !== LOADING && item < task.settled)) return undefined;
    return { number, task, item };
  }

  /** The worker has passed on to a task of `job`, or is through with one whose results are still on the way. */
  hasBegun(job: Job): boolean {
    const { message } = this.progress;
    if (!this.outstanding.has(message)) return false;
    for (const [number, task] of this.outstanding) {
      if (task.job === job) return true;
      if (number === message) return false;
    }
    return false;
  }

  /** Takes back what the worker has not begun; what it is running stays with it. */
  recall(): Task[] {
    const running = this.progress.recall();
    if (running === -1) return [];
    const taken: Task[] = [];
    let isAfter = !this.outstanding.has(running);
    for (const [number, task] of this.outstanding) {
      if (isAfter) {
        taken.push(task);
        this.outstanding.delete(number);
        this.assigned -= itemCount(task);
      }
      isAfter ||= number === running;
    }
    this.#owesResume = true;
    this.payResume();
    return taken;
  }

  /** Tells a recalled worker that what follows is for it again; tried until the pipe has room. */
  payResume(): void {
    if (!this.#owesResume || !this.#trySend(encodeShared([RESUME]))) return;
    this.#owesResume = false;
    this.flush();
  }

  /** Lets the worker end once it has done everything it was sent; tried until the pipe has room. */
  stop(): void {
    if (this.#isStopping || this.#owesResume || !this.#trySend(encodeShared([STOP]))) return;
    this.#isStopping = true;
    this.flush();
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Frees what was shared with the worker, which is gone. */
  dispose(): void {
    if (this.body !== undefined) dropUnsent(this.#member, this.body.owner);
    dropMessagePipe(this.#member, this.#tasksAt);
    dropMessagePipe(this.#member, this.#resultsAt);
    drop(this.#member.arena, blockAt(this.#member.arena, this.#progressAt), this.#member.owner);
  }
}
