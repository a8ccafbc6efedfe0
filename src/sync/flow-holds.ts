import { AsyncLocalStorage } from 'node:async_hooks';
import { me } from '../arena/shared-object.js';
import type { LocalLock } from './lock-gate.js';

/** One taking of a lock that its owner may take again. Who carries the latest one of a lock may take it once more. */
export interface Hold {
  readonly lock: LocalLock;
  /** The taking on top of which this one came. */
  below: Hold | undefined;
  /** Belongs to whatever runs in this thread, not to one flow. */
  readonly isOfThread: boolean;
  /**
   * Its flow has gone on. Before that it proves nothing: a flow that is started in the same synchronous stretch carries it, too, without
   * having anything to do with it.
   */
  isArmed: boolean;
  /** Was given back, or never came to be. */
  isOver: boolean;
}

/** The takings that an async flow carries along, latest first. */
interface Carried {
  readonly hold: Hold;
  readonly rest: Carried | undefined;
}

const flow = new AsyncLocalStorage<Carried | undefined>();
/** The latest taking of each lock that this process has, and which member it was then: a forked child has taken nothing. */
const latest = new WeakMap<LocalLock, { readonly hold: Hold; readonly owner: number }>();

/** What is worth carrying on of what a flow carries: nothing that is over, nor what belongs to a flow started beside it. */
function pruned(carried: Carried | undefined): Carried | undefined {
  if (carried === undefined) return undefined;
  const rest = pruned(carried.rest);
  if (carried.hold.isOver || !carried.hold.isArmed) return rest;
  return rest === carried.rest ? carried : { hold: carried.hold, rest };
}

/** A taking that no flow carries yet. */
export function newHold(lock: LocalLock): Hold {
  return { lock, below: undefined, isOfThread: false, isArmed: false, isOver: false };
}

/** Makes the running flow carry a new taking. Must be called synchronously: a later change would not reach the caller. */
export function carryHold(lock: LocalLock, isArmed: boolean): Hold {
  const hold = { ...newHold(lock), isArmed };
  flow.enterWith({ hold, rest: pruned(flow.getStore()) });
  return hold;
}

/** Runs `section` as a flow that carries `hold`; nothing that is started outside of it does. */
export function runCarrying<T>(hold: Hold, section: () => T): T {
  return flow.run({ hold, rest: pruned(flow.getStore()) }, section);
}

/** A taking for the whole thread. */
export function threadHold(lock: LocalLock): Hold {
  return { lock, below: undefined, isOfThread: true, isArmed: true, isOver: false };
}

/** The latest taking of `lock` in this process. */
export function latestHold(lock: LocalLock): Hold | undefined {
  const known = latest.get(lock);
  return known?.owner === me() ? known.hold : undefined;
}

/** Makes `hold` the latest; `undefined` says that the lock is not taken any more. */
export function setLatestHold(lock: LocalLock, hold: Hold | undefined): void {
  if (hold === undefined) latest.delete(lock);
  else latest.set(lock, { hold, owner: me() });
}

/** The latest taking of `lock`, if the running flow carries it: on this it may take the lock once more, or give it back. */
export function ownLatestHold(lock: LocalLock): Hold | undefined {
  const hold = latestHold(lock);
  if (hold === undefined || hold.isOfThread) return hold;
  for (let one = flow.getStore(); one !== undefined; one = one.rest) {
    if (one.hold === hold && hold.isArmed) return hold;
  }
  return undefined;
}

/** Tells for later, in whatever flow that is asked, whether `hold` is one that the running flow carries now. */
export function rememberCarried(): (hold: Hold) => boolean {
  const carried = pruned(flow.getStore());
  return (hold) => {
    for (let one = carried; one !== undefined; one = one.rest) if (one.hold === hold) return true;
    return false;
  };
}

/** Takes a taking that was given back off the running flow. */
export function dropHold(hold: Hold): void {
  hold.isOver = true;
  const carried = flow.getStore();
  if (carried?.hold === hold) flow.enterWith(carried.rest);
}
