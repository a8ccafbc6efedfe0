import { fstatSync, readdirSync, statSync } from 'node:fs';
import type { Arena } from '../arena/arena.js';
import { KIND } from '../arena/layout.js';
import type { Member } from '../arena/member.js';
import { EXITED, FORKED, LOST_EXIT_CODE, ProcessRecord } from '../arena/process-record.js';
import { isCurrent, type OwnerId } from '../arena/slots.js';
import { sweepMember } from '../arena/sweep.js';
import { visitBlocks } from '../arena/walk.js';
import { native } from '../kernel/library.js';
import { hasEnded } from '../kernel/reaping.js';
import { SIGKILL } from '../kernel/signals.js';

/** How often a process with an event loop looks whether an orphan has ended. Nobody waits for it: its parent is dead. */
const LOOK_MS = 200;

/**
 * Ends the daemons of a dead member: they end with their parent, however that one ended. Takes over the children that it would have
 * reaped itself, which it forked or spawned: the system gives them to init, which reaps them and tells nobody.
 *
 * @returns The records of those taken over, held by `member`, which must see to it that they are swept in the end.
 */
export function adoptOrphans({ arena, owner }: Member, dead: OwnerId): ProcessRecord[] {
  const orphans: ProcessRecord[] = [];
  visitBlocks(arena, KIND.PROCESS, (block) => {
    const record = ProcessRecord.at(arena, block.at);
    if (record.parent !== dead || record.state < FORKED || record.state >= EXITED) return;
    if (record.isDaemon && isOfFamily(arena, record.pid)) native().kill(record.pid, SIGKILL);
    // A child of the zygote is the zygote's to bury.
    if (record.zygote !== 0 || !isCurrent(arena, record.child)) return;
    record.hold(owner);
    orphans.push(record);
  });
  return orphans;
}

/** Once an orphan is gone: sweeps it, and adopts what it leaves behind. Its exit code only it can have told. */
function buryOrphan(member: Member, record: ProcessRecord): ProcessRecord[] {
  const { child } = record;
  sweepMember(member.arena, child, member.owner);
  record.exited(record.farewell ?? LOST_EXIT_CODE);
  record.drop(member.owner);
  return adoptOrphans(member, child);
}

const adopted = new Set<ProcessRecord>();
let looking: NodeJS.Timeout | undefined;

/** Adopts the orphans of a dead child, in a process with an event loop. */
export function lookAfterOrphans(member: Member, dead: OwnerId): void {
  for (const orphan of adoptOrphans(member, dead)) adopted.add(orphan);
  if (adopted.size === 0) return;
  looking ??= setInterval(() => buryThoseGone(member), LOOK_MS).unref();
}

function buryThoseGone(member: Member): void {
  for (const record of adopted) {
    if (!hasEnded(record.pid)) continue;
    adopted.delete(record);
    for (const orphan of buryOrphan(member, record)) adopted.add(orphan);
  }
  if (adopted.size === 0) forgetOrphans();
}

/** Called in a forked child: they are its parent's affair. */
export function forgetOrphans(): void {
  adopted.clear();
  clearInterval(looking);
  looking = undefined;
}

/** Init may have reaped the orphan, and its pid be another's by now. Nobody else has the family's memory open. */
function isOfFamily(arena: Arena, pid: number): boolean {
  try {
    const { dev, ino } = fstatSync(arena.fd, { bigint: true });
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const theirs = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
      return theirs?.ino === ino && theirs.dev === dev;
    });
  } catch {
    // It is gone, or another user's.
    return false;
  }
}
