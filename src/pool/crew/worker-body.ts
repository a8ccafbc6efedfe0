import type { ResourceLimits } from 'node:worker_threads';
import type { OwnerId } from '../../arena/slots.js';
import type { LossReason } from '../../base/errors.js';
import type { StartMethod } from '../../process/start-request.js';
import type { WorkerPlaces } from '../worker/worker.js';

/** What a pool sees of a worker's body: a process, or whatever else can run the worker's program in this family. */
export interface WorkerBody {
  /** Its id in the family. */
  readonly owner: OwnerId;
  readonly pid: number;
  /** Node's number of the thread it is; 0 where it is a process of its own. */
  readonly threadId: number;
  /** `-N` for signal N; `null` while it runs. */
  readonly exitCode: number | null;
  /** Takes note of what happened to it since the last look. */
  look(): void;
  /** Calls `watcher` in the event loop once it is over. */
  onOver(watcher: () => void): void;
  /** Why it ended, where it knows better than its exit code and its stderr tell. */
  readonly knownReason: LossReason | undefined;
  /** Ends it; a thread has no signals, and whatever is sent ends it at once. Tells whether it could be sent. */
  signal(signal: NodeJS.Signals): boolean;
  /** The last of what it wrote to stderr. */
  readStderrTail(): string;
}

/** What all bodies of a pool have in common. */
export interface BodySettings {
  readonly name: string;
  readonly startMethod: StartMethod;
  /** Read the worker's stderr, to hand it on and to keep its end. */
  readonly isStderrRead: boolean;
  /** Flags for Node, which only a process of its own can have. */
  readonly flags: readonly string[];
  /** Bounds of a thread's heap. */
  readonly resourceLimits: ResourceLimits;
}

/** Starts a worker's body; resolves once it has an id, rejects when it will never have one. */
export type StartBody = (places: WorkerPlaces, settings: BodySettings) => Promise<WorkerBody>;

/** A kind of bodies. */
export interface BodyKind {
  readonly start: StartBody;
  readonly isThread: boolean;
  /**
   * Refuses a start that this process may not make, whatever it would start.
   *
   * @throws {@link UsageError} `ERR_FURCA_BOOTSTRAPPING`, `ERR_FURCA_DAEMONIC_CHILD`, `ERR_FURCA_UNSUPPORTED_RUNTIME`.
   */
  assertMayStart(): void;
}
