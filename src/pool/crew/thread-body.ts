import { inspect } from 'node:util';
import { ownMembership } from '../../arena/member.js';
import type { OwnerId } from '../../arena/slots.js';
import type { LossReason } from '../../base/errors.js';
import { WORKER_MODULE } from '../../base/programs.js';
import { assertSupported } from '../../kernel/library.js';
import { assertNotLoading } from '../../process/bootstrap.js';
import {
  assertThreadsWork,
  type LaunchedThread,
  launchThread,
  stopThread,
} from '../../threading/launch-thread.js';
import { functionIn } from '../../wire/functions.js';
import type { WorkerPlaces } from '../worker/worker.js';
import { TextTail } from './text-tail.js';
import type { BodyKind, BodySettings, WorkerBody } from './worker-body.js';

const runWorker = functionIn(WORKER_MODULE, 'runWorker');

/** What Node says of a thread that has used up its heap, which ends that thread alone. */
const OUT_OF_MEMORY = 'ERR_WORKER_OUT_OF_MEMORY';

/** Workers that are threads of this process. */
export const THREADS: BodyKind = {
  start: startThreadBody,
  isThread: true,
  assertMayStart: () => {
    assertSupported();
    // A module that makes such a pool while it is loaded would be loaded by each of its threads.
    assertNotLoading();
    assertThreadsWork();
  },
};

async function startThreadBody(places: WorkerPlaces, settings: BodySettings): Promise<WorkerBody> {
  const launched = launchThread({
    target: runWorker,
    args: [places],
    name: settings.name,
    resourceLimits: settings.resourceLimits,
  });
  // As processes of a pool: they keep no program alive that has forgotten them.
  launched.worker.unref();
  return new ThreadBody(launched, settings);
}

class ThreadBody implements WorkerBody {
  readonly pid: number = process.pid;
  readonly owner: OwnerId;
  readonly threadId: number;
  readonly #launched: LaunchedThread;
  readonly #settings: BodySettings;
  readonly #stderr = new TextTail();
  readonly #watchers: (() => void)[] = [];
  exitCode: number | null = null;
  knownReason: LossReason | undefined;

  constructor(launched: LaunchedThread, settings: BodySettings) {
    const { worker, owner } = launched;
    this.owner = owner;
    this.#launched = launched;
    this.#settings = settings;
    this.threadId = worker.threadId;
    worker.on('error', (error) => this.#onError(error));
    worker.once('exit', (code) => this.#onExit(code));
    // Node hands it on to this process's own, and keeps no event loop alive for it as long as it is not asked for a stream instead.
    if (settings.isStderrRead) worker.stderr.on('data', (chunk: Buffer) => this.#stderr.add(chunk));
  }

  /** Its end is told by an event, and is no sooner to be seen. */
  look(): void {}

  onOver(watcher: () => void): void {
    if (this.exitCode === null) this.#watchers.push(watcher);
    else setImmediate(watcher);
  }

  signal(): boolean {
    if (this.exitCode !== null) return false;
    void stopThread(this.#launched);
    return true;
  }

  readStderrTail(): string {
    return this.#stderr.toString();
  }

  /** Something in the thread threw that nobody caught: a process would say so on stderr and exit with 1. */
  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === OUT_OF_MEMORY) this.knownReason = 'heap';
    const said = `Uncaught error in ${this.#settings.name} (thread ${this.threadId}):\n${inspect(error)}\n`;
    if (this.#settings.isStderrRead) this.#stderr.add(Buffer.from(said));
    process.stderr.write(said);
  }

  #onExit(code: number): void {
    this.exitCode = code;
    for (const watcher of this.#watchers.splice(0)) watcher();
    // Who waits for the last worker looks when something may have come.
    ownMembership().parking.expectSoon();
  }
}
