import { createHash } from 'node:crypto';
import { putIntoInbox } from '../../arena/inbox.js';
import type { Member } from '../../arena/member.js';
import { wake } from '../../arena/parking.js';
import { EXITED, type ProcessRecord } from '../../arena/process-record.js';
import type { OwnerId } from '../../arena/slots.js';
import { zygotePlace } from '../../arena/zygotes.js';
import type { PackedRequest } from '../start-request.js';
import { claimRecord } from './claim.js';
import type { Started } from './contract.js';
import { inheritableFlags } from './flags.js';
import { ZygotePlace } from './zygote-place.js';

/** By the flags that children are to have besides those of this process, as one text. */
const places = new Map<string, ZygotePlace | null>();

/** The environment that children of the zygote with these flags wake up in, if this process started it. */
export function zygoteEnvironment(
  flags: readonly string[],
): Readonly<Record<string, string | undefined>> | undefined {
  return places.get(flags.join(' '))?.environment;
}

/**
 * Asks the family's zygote for a child; starts the zygote if there is none. Returns before the child exists.
 *
 * @param flags - Of Node, for the child, besides those of this process: they select the zygote.
 * @returns `null` when the family has as many zygotes as it can have, and none with these flags.
 */
export function startByForkserver(
  member: Member,
  request: PackedRequest,
  flags: readonly string[],
): Started | null {
  const place = placeOf(member, flags);
  if (place === null) return null;
  const zygote = place.ensureZygote(member);
  const record = claimRecord(member, request);
  record.hold(zygote);
  record.inboxOf = zygote;
  record.zygote = zygote;
  putRequest(member, record, zygote);
  // It may have died since it was asked for, and its records been handed on without this one.
  const probe = (): void => rescue(member, place, record);
  probe();
  return { record, probe, probeMs: 100 };
}

function placeOf(member: Member, flags: readonly string[]): ZygotePlace | null {
  const known = places.get(flags.join(' '));
  if (known !== undefined) return known;
  const all = [...inheritableFlags(), ...flags];
  const index = zygotePlace(member.arena, keyOf(all));
  const place = index === -1 ? null : new ZygotePlace(index, all);
  places.set(flags.join(' '), place);
  return place;
}

/** Members that know nothing of each other come to the same number by the same flags. */
function keyOf(flags: readonly string[]): number {
  return createHash('sha256').update(flags.join('\0')).digest().readInt32LE() || 1;
}

function putRequest(member: Member, record: ProcessRecord, zygote: OwnerId): void {
  record.inboxOf = zygote;
  putIntoInbox(member.arena, zygote, record.block.at);
  wake(member.arena, zygote);
}

/** Sees to it that a record has a zygote that lives: who launched the zygote would, but may be dead or blocked. */
function rescue(member: Member, place: ZygotePlace, record: ProcessRecord): void {
  if (record.state >= EXITED) return;
  const zygote = place.ensureZygote(member);
  // Handed on by `ensureZygote` or by another member, or never in need.
  if (record.zygote === zygote) return;
  record.handOn(zygote);
  putRequest(member, record, zygote);
}

/** Called in a forked child: the zygotes that its parent has started are not its own children. */
export function forgetZygotes(): void {
  places.clear();
}
