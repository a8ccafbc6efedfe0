import type { LossReason } from '../../base/errors.js';
import { WORKER_MODULE } from '../../base/programs.js';
import type { ChildHandle } from '../../process/handle.js';
import { assertMayStart, prepareLaunch } from '../../process/launch.js';
import { openPipes } from '../../process/stream-pipes.js';
import { functionIn } from '../../wire/functions.js';
import type { WorkerPlaces } from '../worker/worker.js';
import { StderrTee } from './stderr-tee.js';
import type { BodyKind, BodySettings, WorkerBody } from './worker-body.js';

const runWorker = functionIn(WORKER_MODULE, 'runWorker');

/** Workers that are processes. */
export const PROCESSES: BodyKind = { start: startProcessBody, isThread: false, assertMayStart };

async function startProcessBody(places: WorkerPlaces, settings: BodySettings): Promise<WorkerBody> {
  const pipes = openPipes(['ignore', 'inherit', settings.isStderrRead ? 'pipe' : 'inherit']);
  let handle: ChildHandle;
  try {
    const launch = prepareLaunch({
      name: settings.name,
      isDaemon: true,
      startMethod: settings.startMethod,
      cwd: undefined,
      env: undefined,
      stdio: pipes.sources,
      inherit: [],
      call: { target: runWorker, args: [places], class: null, this: {} },
      shown: undefined,
      flags: settings.flags,
      onReady: () => pipes.closeTheirs(),
    });
    handle = await launch.start();
  } catch (error) {
    pipes.closeAll();
    throw error;
  }
  const stderr = pipes.openOurs()[2] ?? undefined;
  return new ProcessBody(handle, stderr === undefined ? undefined : new StderrTee(stderr));
}

class ProcessBody implements WorkerBody {
  readonly threadId = 0;
  /** The parent has its exit code and its last words, and judges by these. */
  readonly knownReason: LossReason | undefined = undefined;
  readonly #handle: ChildHandle;
  readonly #stderr: StderrTee | undefined;

  constructor(handle: ChildHandle, stderr: StderrTee | undefined) {
    this.#handle = handle;
    this.#stderr = stderr;
  }

  get owner(): number {
    return this.#handle.owner;
  }

  get pid(): number {
    return this.#handle.pid;
  }

  get exitCode(): number | null {
    return this.#handle.exitCode;
  }

  look(): void {
    this.#handle.look();
  }

  onOver(watcher: () => void): void {
    this.#handle.onOver(watcher);
  }

  signal(signal: NodeJS.Signals): boolean {
    return this.#handle.signal(signal);
  }

  readStderrTail(): string {
    return this.#stderr?.tail() ?? '';
  }
}
