import type { Event } from '../sync/event.js';
import type { FunctionDescriptor } from '../wire/functions.js';

/** What a thread finds at its start, besides the memory of the family. */
export interface ThreadData {
  readonly arenaFd: number;
  readonly arenaAddress: number;
  /** Its id in the family. */
  readonly owner: number;
  /** A message with {@link ThreadPapers}. */
  readonly papers: Uint8Array;
}

/** What a thread is to do. */
export interface ThreadPapers {
  readonly name: string;
  readonly target: FunctionDescriptor | null;
  readonly args: readonly unknown[];
  /** Set when the thread is through: tells those who block. */
  readonly done: Event;
}
