import { sweepBlocks } from './allocator.js';
import type { Arena } from './arena.js';
import { HEADER, KIND } from './layout.js';
import { ProcessRecord, REQUESTED } from './process-record.js';
import { withRobustLock } from './robust-lock.js';
import { freeSlot, isCurrent, listMembers, markDying, type OwnerId } from './slots.js';
import { sweepSpinner } from './spinning.js';
import { visitBlocks } from './walk.js';
import { isZygote } from './zygotes.js';

/**
 * Clears up after a dead member: drops what it held, undoes what it was about to take, frees its slot. Called by whoever
 * reaps it, before the reaping; calling it twice, or for a member swept long ago, does nothing.
 *
 * One sweeper at a time: the next one finishes what a sweeper that died inside has left.
 */
export function sweepMember(arena: Arena, dead: OwnerId, by: OwnerId): void {
  withRobustLock(arena, HEADER.SWEEP_LOCK, () => {
    // Whoever stopped half-way, by its death or by an error: the word is 0 unless somebody did.
    const unfinished = Atomics.load(arena.words, HEADER.SWEEPING);
    if (unfinished !== 0 && unfinished !== dead) sweepOne(arena, unfinished, by);
    if (!sweepOne(arena, dead, by)) return;
    // An orphan may have had children of its own.
    for (let orphans = findOrphans(arena); orphans.length > 0; orphans = findOrphans(arena)) {
      for (const orphan of orphans) sweepOne(arena, orphan, by);
    }
  });
}

function sweepOne(arena: Arena, dead: OwnerId, by: OwnerId): boolean {
  Atomics.store(arena.words, HEADER.SWEEPING, dead);
  // From here on nobody can give it anything: what is given to it later is taken back by the giver, see `hold`.
  const isToSweep = markDying(arena, dead);
  if (isToSweep) {
    sweepSpinner(arena, dead);
    sweepBlocks(arena, dead, by);
    freeSlot(arena, dead);
  }
  Atomics.store(arena.words, HEADER.SWEEPING, 0);
  return isToSweep;
}

/**
 * Members whose parent is gone and for whom nobody else would ever sweep: children never born, and children that were the
 * parent's own to reap and have ended since. Threads end with the process or thread that started them. Children of the zygote are its
 * own affair.
 */
function findOrphans(arena: Arena): OwnerId[] {
  const unborn = new Set<OwnerId>();
  const gone: OwnerId[] = [];
  for (const { owner, parent, pid, isThread } of listMembers(arena)) {
    // A zygote that was asked for is started all the same, and if not its successor sees to it.
    if (parent === 0 || isZygote(arena, owner) || isCurrent(arena, parent)) continue;
    if (isThread) gone.push(owner);
    else if (pid === 0) unborn.add(owner);
    else if (!exists(pid)) gone.push(owner);
  }
  if (unborn.size > 0) {
    visitBlocks(arena, KIND.PROCESS, (block) => {
      const record = ProcessRecord.at(arena, block.at);
      // Once a zygote was asked it answers for the child; once it is forked it may enter its slot at any moment.
      if (record.zygote !== 0 || record.state !== REQUESTED) unborn.delete(record.child);
    });
  }
  return [...gone, ...unborn];
}

/** A pid that is in use says nothing, since pids come round again; one that is not says that its owner is gone. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
