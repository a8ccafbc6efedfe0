import type { Arena } from '../arena.js';
import { KIND } from '../layout.js';
import { leaveWaiters, wakeAll } from '../primitives/wait-set.js';
import type { OwnerId } from '../slots.js';
import { PIPE, QUEUE } from './lane-layout.js';

/** Where those stand who wait at a queue or pipe. */
function waitSetsOf(kind: number): readonly number[] {
  if (kind === KIND.QUEUE) return [QUEUE.GETTERS, QUEUE.PUTTERS, QUEUE.JOINERS];
  return [0, PIPE.DIRECTION_WORDS].flatMap((at) => [at + PIPE.RECEIVERS, at + PIPE.SENDERS]);
}

/** Makes all who wait at a queue or pipe look: a member has gone, and with it a writer, a reader, or what it had in its hand. */
export function wakeAllAt(arena: Arena, word: number, kind: number): void {
  for (const set of waitSetsOf(kind)) wakeAll(arena, word + set);
}

/** Takes the dead off those who wait. A wake-up that it made no use of goes to all. Every step may be done twice. */
export function sweepLanes(arena: Arena, word: number, kind: number, dead: OwnerId): void {
  for (const set of waitSetsOf(kind)) leaveWaiters(arena, word + set, dead);
  wakeAllAt(arena, word, kind);
}
