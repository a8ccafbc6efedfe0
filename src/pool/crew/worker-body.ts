import type { OwnerId } from '../../arena/slots.js';
import type { StartMethod } from '../../process/start-request.js';
import type { WorkerPlaces } from '../worker/worker.js';

/** What a pool sees of a worker's body: a process, or whatever else can run the worker's program in this family. */
export interface WorkerBody {
  /** Its id in the family. */
  readonly owner: OwnerId;
  readonly pid: number;
  /** `-N` for signal N; `null` while it runs. */
  readonly exitCode: number | null;
  /** Takes note of what happened to it since the last look. */
  look(): void;
  /** Calls `watcher` in the event loop once it is over. */
  onOver(watcher: () => void): void;
  /** Tells whether it could be sent. */
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
}

/** Starts a worker's body; resolves once it has an id, rejects when it will never have one. */
export type StartBody = (places: WorkerPlaces, settings: BodySettings) => Promise<WorkerBody>;
