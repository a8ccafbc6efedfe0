import type { Block } from '../arena/allocator.js';
import type { Arena } from '../arena/arena.js';
import { KIND } from '../arena/layout.js';
import { joinOrFoundFamily } from '../arena/member.js';
import { arrivals } from '../arena/primitives/barrier-words.js';
import { waitingOwners } from '../arena/primitives/condition-words.js';
import { lockOwner } from '../arena/primitives/lock-word.js';
import { permitOwners } from '../arena/primitives/semaphore-words.js';
import { waitersOf } from '../arena/primitives/wait-set.js';
import { listMembers, type OwnerId, pidOf } from '../arena/slots.js';
import { visitBlocks } from '../arena/walk.js';

/** A process, or a thread of one. */
export interface WaitingMember {
  /** Number in the family: two threads of one process have the same pid and different numbers. */
  readonly id: number;
  readonly pid: number;
  readonly isThread: boolean;
}

/** One primitive that somebody waits for. */
export interface Wait {
  readonly kind: 'Lock' | 'RLock' | 'Semaphore' | 'Condition' | 'Event' | 'Barrier';
  /** Number of the primitive in the family. */
  readonly primitive: number;
  readonly waiters: readonly WaitingMember[];
  /** Who has what they wait for; empty where nobody has, as of an event. Of a barrier: who has arrived. */
  readonly holders: readonly WaitingMember[];
}

/** Who waits for whom in the family. */
export interface WaitGraph {
  readonly waits: readonly Wait[];
  /** Members that wait for each other in a circle, each for the next and the last for the first: none of them goes on by itself. */
  readonly cycles: readonly (readonly WaitingMember[])[];
}

const KINDS: readonly (readonly [kind: number, name: Wait['kind']])[] = [
  [KIND.LOCK, 'Lock'],
  [KIND.RLOCK, 'RLock'],
  [KIND.SEMAPHORE, 'Semaphore'],
  [KIND.CONDITION, 'Condition'],
  [KIND.EVENT, 'Event'],
  [KIND.BARRIER, 'Barrier'],
];

function waitersAt(arena: Arena, kind: number, word: number): OwnerId[] {
  if (kind === KIND.CONDITION) return [...new Set(waitingOwners(arena, word))];
  return waitersOf(arena, word);
}

function holdersAt(arena: Arena, kind: number, word: number): OwnerId[] {
  if (kind === KIND.LOCK || kind === KIND.RLOCK)
    return [lockOwner(arena, word)].filter((owner) => owner !== 0);
  if (kind === KIND.SEMAPHORE) return [...new Set(permitOwners(arena, word))];
  return kind === KIND.BARRIER ? [...new Set(arrivals(arena, word))] : [];
}

/**
 * Tells who waits for whom in this family, and where that goes round in a circle. A look from outside while all others go on: what is
 * seen in two looks is so, what is seen in one may just be over. Who spins before it sleeps is not seen yet.
 *
 * @example
 * waitGraph().cycles; // => []
 */
export function waitGraph(): WaitGraph {
  const { arena } = joinOrFoundFamily();
  const threads = new Set(listMembers(arena).flatMap(({ owner, isThread }) => (isThread ? [owner] : [])));
  const show = (owner: OwnerId): WaitingMember => ({
    id: owner,
    pid: pidOf(arena, owner),
    isThread: threads.has(owner),
  });
  const waits: Wait[] = [];
  const next = new Map<OwnerId, Set<OwnerId>>();
  const look = (kind: number, name: Wait['kind'], { at }: Block): void => {
    const waiters = waitersAt(arena, kind, at / 4);
    if (waiters.length === 0) return;
    const holders = holdersAt(arena, kind, at / 4);
    waits.push({ kind: name, primitive: at / 64, waiters: waiters.map(show), holders: holders.map(show) });
    // Who has arrived at a barrier holds nobody up.
    if (kind === KIND.BARRIER) return;
    for (const waiter of waiters) {
      const known = next.get(waiter) ?? new Set();
      for (const holder of holders) known.add(holder);
      next.set(waiter, known);
    }
  };
  for (const [kind, name] of KINDS) visitBlocks(arena, kind, (block) => look(kind, name, block));
  return { waits, cycles: findCycles(next).map((cycle) => cycle.map(show)) };
}

/** Each circle once, told from its lowest member on. */
function findCycles(next: ReadonlyMap<OwnerId, ReadonlySet<OwnerId>>): OwnerId[][] {
  const cycles: OwnerId[][] = [];
  const walk = (path: OwnerId[], first: OwnerId): void => {
    for (const follower of next.get(path.at(-1) as OwnerId) ?? []) {
      if (follower === first) cycles.push([...path]);
      else if (follower > first && !path.includes(follower)) walk([...path, follower], first);
    }
  };
  for (const first of next.keys()) walk([first], first);
  return cycles;
}
