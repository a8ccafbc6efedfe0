import { allocate, type Block, drop } from '../arena/allocator.js';
import { createEnvelope } from '../arena/envelope.js';
import { MAX_INLINE_BYTES } from '../arena/lanes/lane-writer.js';
import { KIND } from '../arena/layout.js';
import type { Member } from '../arena/member.js';
import { LimitError } from '../base/errors.js';
import { encodeLean } from '../wire/family-message.js';
import { carriedBy } from '../wire/handles.js';
import { copyInto, type LeanMessage, NOTHING_LEFT_OUT, whole } from '../wire/lean-message.js';

/** A value on its way: as bytes, or in a block that this process holds until it is sent or given up. */
export interface Packed {
  readonly message: Uint8Array | undefined;
  block: Block | undefined;
  /** Bytes of the message, or of the block it is in. */
  readonly length: number;
}

/** Blocks of large messages that were read and can be written again. */
export interface SpareBlocks {
  /** One for a message of `length` bytes. */
  take(length: number): Block | undefined;
  /** Gives all of them up. */
  drop(): void;
}

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
  const message = encodeLean(value, path);
  const carried = carriedBy(message.bytes);
  if (carried.length === 0) return packMessage(member, message, needsBlock, spare);
  const block = createEnvelope(member, carried, whole(message));
  return { message: undefined, block, length: message.length };
}

/** Packs bytes as they are. */
export function packBytes(member: Member, bytes: Uint8Array, spare?: SpareBlocks): Packed {
  return packMessage(member, { bytes, leftOut: NOTHING_LEFT_OUT, length: bytes.byteLength }, false, spare);
}

function packMessage(member: Member, message: LeanMessage, needsBlock: boolean, spare?: SpareBlocks): Packed {
  const { length } = message;
  if (!needsBlock && length <= MAX_INLINE_BYTES) return { message: message.bytes, block: undefined, length };
  const block = spare?.take(length) ?? takeFresh(member, length, spare);
  // The only copy on this side.
  copyInto(member.arena.bytes, block.at, message);
  return { message: undefined, block, length };
}

function takeFresh({ arena, owner }: Member, length: number, spare: SpareBlocks | undefined): Block {
  try {
    return allocate(arena, owner, KIND.ITEM, length);
  } catch (error) {
    if (spare === undefined || !(error instanceof LimitError)) throw error;
    // What lies ready for messages of other sizes may be in the way.
    spare.drop();
    return allocate(arena, owner, KIND.ITEM, length);
  }
}

/**
 * Lets go of what was packed: sent, it is the queue's; given up, it is nobody's. Who has sent it does so at once, before anything else of this
 * process runs: the block may come back as a spare one, see arena/lanes/spares.ts. May be called twice.
 */
export function dropPacked(member: Member, packed: Packed): void {
  const { block } = packed;
  if (block === undefined) return;
  packed.block = undefined;
  drop(member.arena, block, member.owner);
}
