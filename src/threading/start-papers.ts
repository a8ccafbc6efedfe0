import type { Event } from '../sync/event.js';
import type { AnyFunction } from '../wire/functions.js';

/** What a thread says to the one that started it, once. */
export const THREAD_IS_UP = 'furca:thread-is-up';

/** What a thread finds at its start, besides the memory of the family. */
export interface ThreadData {
  readonly arenaFd: number;
  readonly arenaAddress: number;
  /** Its id in the family. */
  readonly owner: number;
  /** Where the head of its robust list lies. */
  readonly robustHead: number;
  /** Where it notes the descriptors it opens past Node. */
  readonly descriptors: SharedArrayBuffer;
  /** A message with {@link ThreadPapers}. */
  readonly papers: Uint8Array;
}

/** What a thread is told. */
export interface ThreadPapers {
  readonly name: string;
  /** Set when the thread is through: tells those who block. */
  readonly done: Event;
  /** {@link ThreadCall}, packed apart: what cannot be made of it must not keep the thread from saying that it is through. */
  readonly call: Uint8Array;
}

/** What a thread is to do. */
export interface ThreadCall {
  readonly target: AnyFunction | null;
  readonly args: readonly unknown[];
}
