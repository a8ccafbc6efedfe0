import type { Arena } from '../arena.js';
import { KIND } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { visitBlocks } from '../walk.js';
import { lockOwner } from './lock-word.js';
import { permitOwners } from './semaphore-words.js';
import { othersWait } from './wait-set.js';

/** How to tell whether a member has something of this kind. */
const HOLDS: readonly (readonly [
  kind: number,
  holds: (arena: Arena, word: number, owner: OwnerId) => boolean,
])[] = [
  [KIND.LOCK, (arena, word, owner) => lockOwner(arena, word) === owner],
  [KIND.RLOCK, (arena, word, owner) => lockOwner(arena, word) === owner],
  [KIND.SEMAPHORE, (arena, word, owner) => permitOwners(arena, word).includes(owner)],
];

/**
 * Whether `owner` has a lock or a permit for which somebody else waits. A walk through the arena, so that locks need not note
 * for each member what it has: they are taken a million times for each time that somebody asks this.
 */
export function holdsWhatOthersAwait(arena: Arena, owner: OwnerId): boolean {
  let isSo = false;
  for (const [kind, holds] of HOLDS)
    visitBlocks(arena, kind, ({ at }) => {
      isSo ||= othersWait(arena, at / 4, owner) && holds(arena, at / 4, owner);
    });
  return isSo;
}
