import { allocate, blockAt, drop } from '../arena/allocator.js';
import { KIND, PROGRESS } from '../arena/layout.js';
import type { Member } from '../arena/member.js';
import { Progress } from '../arena/progress.js';
import { WORKER_MODULE } from '../base/programs.js';
import {
  createMessagePipe,
  dropMessagePipe,
  dropUnsent,
  MessageReader,
  MessageWriter,
} from '../channel/message-pipe.js';
import type { ChildHandle } from '../process/handle.js';
import { prepareLaunch } from '../process/launch.js';
import type { StartMethod } from '../process/start-request.js';
import { encodeShared } from '../wire/codec.js';
import { Inbox, Outbox, pack } from '../wire/family-message.js';
import { functionIn } from '../wire/functions.js';
import { withoutBroken } from './broken-results.js';
import { CALL, CHUNK, DEFINE, type FromWorker, RESUME, STOP } from './messages.js';
import type { Task, TaskFunction } from './task.js';

const LAST_NUMBER = 0x7fffffff;
/** Functions that a worker keeps at a time; the one defined first makes room. */
const MAX_DEFINED = 256;

const runWorker = functionIn(WORKER_MODULE, 'runWorker');

/** What a pool decides about all its workers. */
export interface WorkerSettings {
  readonly name: string;
  readonly startMethod: StartMethod;
  readonly isTimed: boolean;
}

/** One worker as its pool sees it: the process, the pipes to and from it, and what it was given to do. */
export class WorkerLink {
  readonly #member: Member;
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
  handle: ChildHandle | undefined;
  /** The item for which the pool itself has killed the worker. */
  killedFor: { readonly task: Task; readonly item: number } | undefined;
  /** Where the worker was at the last look, to tell whether it moves. */
  lastPlace = -1;

  constructor(member: Member) {
    this.#member = member;
    this.#tasksAt = createMessagePipe(member, 'writer');
    this.#resultsAt = createMessagePipe(member, 'reader');
    this.#progressAt = allocate(member.arena, member.owner, KIND.PROGRESS, PROGRESS.BYTES).at;
    this.#reader = new MessageReader(member, this.#resultsAt);
    this.progress = new Progress(member.arena, this.#progressAt);
    this.progress.begin(-1);
  }

  /** Starts the process; resolves once it has a pid. */
  async start(settings: WorkerSettings): Promise<ChildHandle> {
    const places = {
      tasksAt: this.#tasksAt,
      resultsAt: this.#resultsAt,
      progressAt: this.#progressAt,
      parent: this.#member.owner,
      isTimed: settings.isTimed,
    };
    const launch = prepareLaunch({
      name: settings.name,
      isDaemon: true,
      startMethod: settings.startMethod,
      cwd: undefined,
      env: undefined,
      stdio: ['ignore', 'inherit', 'inherit'],
      inherit: [],
      call: { target: runWorker, args: [places], class: null, this: {} },
      shown: undefined,
      onReady: undefined,
    });
    const handle = await launch.start();
    this.handle = handle;
    this.#writer = new MessageWriter(this.#member, handle.owner, this.#tasksAt);
    return handle;
  }

  /** Can be given tasks. */
  get isReady(): boolean {
    return this.#writer !== undefined && !this.#owesResume && !this.#isStopping;
  }

  /** Sends a task; `false` when its pipe is full. Wakes nobody: call `flush` after the last one. */
  send(task: Task): boolean {
    const id = this.#define(task.fn);
    if (id === undefined) return false;
    const number = this.#number === LAST_NUMBER ? 1 : this.#number + 1;
    const message = [task.isCall ? CALL : CHUNK, number, id, task.input];
    if (!this.#trySend(this.#outbox.seal(pack(message, 'task', this.#inbox.peer)))) {
      this.#outbox.undo();
      return false;
    }
    this.#number = number;
    this.outstanding.set(number, task);
    return true;
  }

  /** Sees that the worker has the function; answers the number it has it under, `undefined` when its pipe is full. */
  #define(fn: TaskFunction): number | undefined {
    const known = this.#defined.get(fn.id);
    if (known !== undefined) return known;
    const [oldest] = this.#defined;
    const isFull = oldest !== undefined && this.#defined.size >= MAX_DEFINED;
    const id = isFull ? oldest[1] : this.#defined.size;
    if (!this.#trySend(encodeShared([DEFINE, id, this.#outbox.seal(fn.packed)]))) {
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
    if (this.handle !== undefined) dropUnsent(this.#member, this.handle.owner);
    dropMessagePipe(this.#member, this.#tasksAt);
    dropMessagePipe(this.#member, this.#resultsAt);
    drop(this.#member.arena, blockAt(this.#member.arena, this.#progressAt), this.#member.owner);
  }
}
