import type { Member } from '../../arena/member.js';
import { ProcessRecord } from '../../arena/process-record.js';
import { claimSlot } from '../../arena/slots.js';
import { sweepMember } from '../../arena/sweep.js';
import type { PackedRequest } from '../start-request.js';

/**
 * Claims a place in the family for a child that is about to be started, and makes its record, which both hold.
 *
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the family has no room; nothing was taken.
 */
export function claimRecord(member: Member, request: PackedRequest): ProcessRecord {
  const { arena, owner } = member;
  const child = claimSlot(arena, owner);
  try {
    const record = ProcessRecord.create(member, child, request);
    record.hold(child);
    return record;
  } catch (error) {
    sweepMember(arena, child, owner);
    throw error;
  }
}

/** Takes back what was claimed for a child that will not be. */
export function abandonRecord({ arena, owner }: Member, record: ProcessRecord): void {
  const { child } = record;
  record.drop(owner);
  sweepMember(arena, child, owner);
}
