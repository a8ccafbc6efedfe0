import { readlinkSync } from 'node:fs';
import { SLOT, slotWord, ZYGOTE_PLACES } from '../../src/arena/layout.js';
import { type Member, ownMembership } from '../../src/arena/member.js';
import { type OwnerId, slotOf } from '../../src/arena/slots.js';
import { currentZygote } from '../../src/arena/zygotes.js';
import { descriptors } from './proc.js';

/**
 * Tells whether this process has open what it opens once and keeps: its own doorbell, from the first time its event loop slept in a wait,
 * and those of its zygotes, each from the first time it was asleep when it was asked for a child.
 */
export function hasAllBells(): boolean {
  const member = ownMembership();
  const open = new Set(descriptors().map((line) => line.slice(line.indexOf(' ') + 1)));
  const zygotes = Array.from({ length: ZYGOTE_PLACES }, (_, place) => currentZygote(member.arena, place));
  return [member.owner, ...zygotes.filter((zygote) => zygote !== 0)].every((owner) =>
    open.has(bellOf(member, owner)),
  );
}

/** Where the descriptor of a member's doorbell leads; empty while it has none. */
function bellOf({ arena }: Member, owner: OwnerId): string {
  const at = slotWord(slotOf(owner));
  const [pid, bell] = [arena.words[at + SLOT.PID], arena.words[at + SLOT.DOORBELL] as number];
  try {
    return readlinkSync(`/proc/${pid}/fd/${bell - 1}`);
  } catch {
    return '';
  }
}
