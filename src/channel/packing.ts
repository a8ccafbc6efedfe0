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
  /** Bytes of the message, or of the block it is in. */
  readonly length: number;
}

/** Where a block for so many bytes may lie ready. */
export type SpareBlocks = (length: number) => Block | undefined;

/**
 * Packs a value; nothing has happened when it cannot be sent.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`.
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the arena is full.
 */
export function packValue(
  member: Member,
  value: unknown,
  path: string,
  needsBlock = false,
  spare?: SpareBlocks,
): Packed {
  const message = encodeForFamily(value, path);
  const carried = carriedBy(message);
  if (carried.length === 0) return packBytes(member, message, needsBlock, spare);
  const block = createEnvelope(member, carried, message);
  return { message: undefined, block, length: message.byteLength };
}

/** Packs bytes as they are. */
export function packBytes(
  member: Member,
  message: Uint8Array,
  needsBlock = false,
  spare?: SpareBlocks,
): Packed {
  const length = message.byteLength;
  if (!needsBlock && length <= MAX_INLINE_BYTES) return { message, block: undefined, length };
  const block = spare?.(length) ?? allocate(member.arena, member.owner, KIND.ITEM, length);
  member.arena.bytes.set(message, block.at);
  return { message: undefined, block, length };
}

/** Lets go of what was packed: sent, it is the queue's; given up, it is nobody's. */
export function dropPacked(member: Member, { block }: Packed): void {
  if (block !== undefined) drop(member.arena, block, member.owner);
}
