import { InternalError } from '../base/errors.js';
import { Arena } from './arena.js';
import { watchFreezing } from './freezing.js';
import { forgetBells, Parking } from './parking.js';
import { registerRobustThread } from './robust-lock.js';
import { claimSlot, enterSlot, type OwnerId } from './slots.js';

/** This thread's part in a family: the memory, its own id there, and where it sleeps. */
export interface Member {
  readonly arena: Arena;
  readonly owner: OwnerId;
  readonly parking: Parking;
}

let current: Member | undefined;

/**
 * This process's membership. One that belongs to no family yet founds one: it makes the arena.
 */
export function joinOrFoundFamily(): Member {
  if (current !== undefined) return current;
  const arena = Arena.create();
  return enterFamily(arena, claimSlot(arena, 0));
}

/** Makes this process the member `owner`, whose slot was claimed for it. */
export function enterFamily(arena: Arena, owner: OwnerId): Member {
  enterSlot(arena, owner, process.pid);
  watchFreezing(arena, owner);
  current = { arena, owner, parking: new Parking(arena, owner) };
  return current;
}

/**
 * Makes a forked child the member `owner`: what it inherited of its parent's sleeping place is closed first, or it would take its
 * parent's wake-ups.
 */
export function enterFamilyAfterFork(arena: Arena, owner: OwnerId): Member {
  closeInheritedParking();
  return enterFamily(arena, owner);
}

let onFamilyLeft: () => void = () => {};

/** Sets what is told when this process, a copy made by fork(2), has left its family. */
export function setFamilyLeft(tell: () => void): void {
  onFamilyLeft = tell;
}

/** Takes a forked child out of its parent's family: it founds one of its own when it needs one. */
export function leaveFamilyAfterFork(): void {
  closeInheritedParking();
  onFamilyLeft();
}

/** Called in a forked child that will enter its own slot: takes it out of its parent's. */
export function closeInheritedParking(): void {
  current?.parking.close();
  current = undefined;
  forgetBells();
  registerRobustThread();
}

/** This thread's membership, `undefined` before it has one. */
export function membership(): Member | undefined {
  return current;
}

/** This thread's membership, where there must be one. */
export function ownMembership(): Member {
  if (current === undefined) throw new InternalError('A member of no family was asked for its membership.');
  return current;
}
