import { BrokenError, LimitError } from '../base/errors.js';
import type { Arena } from './arena.js';
import { HEADER, SLOT, SLOT_BITS, SLOT_COUNT, slotWord } from './layout.js';

/**
 * Names a member of the family for its whole life: slot in the low ten bits, generation above. Never a pid: pids come
 * round again. Always positive; 0 is nobody.
 */
export type OwnerId = number;

/** States of a slot. A slot goes FREE, CLAIMED, LIVE, DYING and back to FREE; a claim that nobody came for skips LIVE. */
const FREE = 0;
/** Set aside by a parent for a child that is about to be born: its death can be cleared up from its first instruction on. */
const CLAIMED = 1;
/** Its process runs. */
const LIVE = 2;
/** Its process is gone, and what it held is being taken from it: nothing can be given to it any more. */
const DYING = 3;

const STATE_MASK = 3;
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1;

export function slotOf(owner: OwnerId): number {
  return owner & (SLOT_COUNT - 1);
}

function ownerId(slot: number, stateWord: number): OwnerId {
  return (((stateWord >>> 2) & GENERATION_MASK) << SLOT_BITS) | slot;
}

/** Where the last search for a free slot ended; the next one starts behind it, so that ids come back late. */
let cursor = 0;

/**
 * Sets a slot aside for a member that is about to start.
 *
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: 1,023 members are alive.
 */
export function claimSlot(arena: Arena, parent: OwnerId): OwnerId {
  const { words } = arena;
  for (let tried = 0; tried < SLOT_COUNT; tried++) {
    cursor = (cursor + 1) % SLOT_COUNT;
    if (cursor === 0) continue;
    const at = slotWord(cursor);
    const seen = Atomics.load(words, at + SLOT.STATE);
    if ((seen & STATE_MASK) !== FREE) continue;
    if (Atomics.compareExchange(words, at + SLOT.STATE, seen, seen | CLAIMED) !== seen) continue;
    // Nobody else knows the new id yet: what lies here was put by one that took the former member to be alive.
    words[at + SLOT.PID] = 0;
    words[at + SLOT.DOORBELL] = 0;
    Atomics.store(words, at + SLOT.PARK, 0);
    Atomics.store(words, at + SLOT.INBOX, 0);
    Atomics.store(words, at + SLOT.IS_THREAD, 0);
    Atomics.store(words, at + SLOT.PARENT, parent);
    return ownerId(cursor, seen);
  }
  throw new LimitError(
    `Starting a process or thread failed: ${SLOT_COUNT - 1} are alive in this family, which is all it can have. Join some first.`,
  );
}

/** Says that the claimed slot is for a thread of the caller's process. */
export function markThread(arena: Arena, owner: OwnerId): void {
  Atomics.store(arena.words, slotWord(slotOf(owner)) + SLOT.IS_THREAD, 1);
}

/**
 * Called by the member itself, first thing: its slot is in use from now on. A program that replaces itself enters once more.
 *
 * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the claim was given up, because who made it has died.
 */
export function enterSlot(arena: Arena, owner: OwnerId, pid: number): void {
  const { words } = arena;
  const at = slotWord(slotOf(owner));
  const seen = Atomics.load(words, at + SLOT.STATE);
  if (!isCurrent(arena, owner)) throw claimGone();
  words[at + SLOT.PID] = pid;
  words[at + SLOT.DOORBELL] = 0;
  Atomics.store(words, at + SLOT.PARK, 0);
  // Publishes the words above to whoever finds the slot live; fails if a sweep came first.
  const live = (seen & ~STATE_MASK) | LIVE;
  if (Atomics.compareExchange(words, at + SLOT.STATE, seen, live) !== seen) throw claimGone();
}

function claimGone(): BrokenError {
  return new BrokenError(
    'Joining the family failed: the process that asked for this one is gone. Nothing is left to do here.',
  );
}

/** Tells whether this very member, not a later one in its slot, runs or is about to; `false` once its sweep has begun. */
export function isCurrent(arena: Arena, owner: OwnerId): boolean {
  const slot = slotOf(owner);
  const seen = Atomics.load(arena.words, slotWord(slot) + SLOT.STATE);
  const state = seen & STATE_MASK;
  return (state === CLAIMED || state === LIVE) && ownerId(slot, seen) === owner;
}

/** The member in slot `slot` now, or the last one there was. */
export function currentIn(arena: Arena, slot: number): OwnerId {
  return ownerId(slot, Atomics.load(arena.words, slotWord(slot) + SLOT.STATE));
}

/** Begins to clear up after `owner`, or goes on where a sweeper died; `false` when that was done long ago. */
export function markDying(arena: Arena, owner: OwnerId): boolean {
  const slot = slotOf(owner);
  const at = slotWord(slot) + SLOT.STATE;
  for (;;) {
    const seen = Atomics.load(arena.words, at);
    if ((seen & STATE_MASK) === FREE || ownerId(slot, seen) !== owner) return false;
    if (Atomics.compareExchange(arena.words, at, seen, seen | DYING) === seen) return true;
  }
}

/** A member as its slot shows it; `pid` is 0 before it has started. */
export interface MemberView {
  readonly owner: OwnerId;
  readonly parent: OwnerId;
  readonly pid: number;
  /** A thread of its parent's process. */
  readonly isThread: boolean;
}

/** The members that run or are about to. */
export function listMembers(arena: Arena): MemberView[] {
  const members: MemberView[] = [];
  for (let slot = 1; slot < SLOT_COUNT; slot++) {
    const at = slotWord(slot);
    const seen = Atomics.load(arena.words, at + SLOT.STATE);
    const state = seen & STATE_MASK;
    if (state !== CLAIMED && state !== LIVE) continue;
    const parent = Atomics.load(arena.words, at + SLOT.PARENT);
    const isThread = Atomics.load(arena.words, at + SLOT.IS_THREAD) === 1;
    const pid = state === LIVE ? Atomics.load(arena.words, at + SLOT.PID) : 0;
    // Looked at once more: the words in between are this member's, not those of one that came after.
    if (Atomics.load(arena.words, at + SLOT.STATE) === seen)
      members.push({ owner: ownerId(slot, seen), parent, pid, isThread });
  }
  return members;
}

/** Frees the slot for a later member; what its owner held must have been swept before. */
export function freeSlot(arena: Arena, owner: OwnerId): void {
  const at = slotWord(slotOf(owner));
  const seen = Atomics.load(arena.words, at + SLOT.STATE);
  if ((seen & STATE_MASK) === FREE || ownerId(slotOf(owner), seen) !== owner) return;
  arena.words[at + SLOT.PID] = 0;
  arena.words[at + SLOT.DOORBELL] = 0;
  Atomics.store(arena.words, at + SLOT.PARENT, 0);
  Atomics.store(arena.words, at + SLOT.INBOX, 0);
  const nextGeneration = ((seen >>> 2) + 1) & GENERATION_MASK;
  // Generation 0 of slot 0 would be owner id 0; slot 0 is never used, so every generation will do.
  Atomics.compareExchange(arena.words, at + SLOT.STATE, seen, (nextGeneration << 2) | FREE);
}

/** Counts the slots in use. */
export function countSlots(arena: Arena): number {
  let count = 0;
  for (let slot = 1; slot < SLOT_COUNT; slot++) {
    if ((Atomics.load(arena.words, slotWord(slot) + SLOT.STATE) & STATE_MASK) !== FREE) count++;
  }
  return count;
}

/** Pid of the member, 0 when it is gone. */
export function pidOf(arena: Arena, owner: OwnerId): number {
  if (!isCurrent(arena, owner)) return 0;
  return arena.words[slotWord(slotOf(owner)) + SLOT.PID] as number;
}

/** Who claimed the slot of this member. */
export function parentOf(arena: Arena, owner: OwnerId): OwnerId {
  return arena.words[slotWord(slotOf(owner)) + SLOT.PARENT] as number;
}

/** The next number for a process that was given no name. */
export function nextProcessNumber(arena: Arena): number {
  return Atomics.add(arena.words, HEADER.PROCESS_COUNT, 1) + 1;
}
