import { allocate, type Block, drop } from '../arena/allocator.js';
import { createEnvelope } from '../arena/envelope.js';
import { MAX_INLINE_BYTES } from '../arena/lanes/lane-writer.js';
import { KIND } from '../arena/layout.js';
import type { Member } from '../arena/member.js';
import { encodeForFamily } from '../wire/family-message.js';
import { carriedBy } from '../wire/handles.js';

/** A value on its way: as bytes, or in a block that this process holds until it is sent or given up. */
export interface Packed {
  readonly message: Uint8Array | undefined;
  readonly block: Block | undefined;
}

/**
 * Packs a value; nothing has happened when it cannot be sent.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`.
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the arena is full.
 */
export function packValue(member: Member, value: unknown, path: string, needsBlock = false): Packed {
  const message = encodeForFamily(value, path);
  const carried = carriedBy(message);
  if (carried.length > 0) return { message: undefined, block: createEnvelope(member, carried, message) };
  return packBytes(member, message, needsBlock);
}

/** Packs bytes as they are. */
export function packBytes(member: Member, message: Uint8Array, needsBlock = false): Packed {
  if (!needsBlock && message.byteLength <= MAX_INLINE_BYTES) return { message, block: undefined };
  const block = allocate(member.arena, member.owner, KIND.ITEM, message.byteLength);
  member.arena.bytes.set(message, block.at);
  return { message: undefined, block };
}

/** Lets go of what was packed: sent, it is the queue's; given up, it is nobody's. */
export function dropPacked(member: Member, { block }: Packed): void {
  if (block !== undefined) drop(member.arena, block, member.owner);
}
