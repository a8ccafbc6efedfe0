import { allocate, type Block, blockAt, drop, headOf, payloadBytes } from './allocator.js';
import type { Arena } from './arena.js';
import { BLOCK_ALIGNMENT, BLOCK_HEADER_BYTES, ENVELOPE, KIND } from './layout.js';
import type { Member } from './member.js';
import { addReference } from './references.js';

/**
 * A message that carries handles. It holds their blocks for as long as it exists itself: the receiver may close what it had of them
 * before, and the sender may die.
 *
 * Each block is noted first and counted second, and the envelope is sealed when all are counted. So a death in between leaves an open
 * envelope, whose blocks the sweep takes for doubtful.
 */

/** Bytes of an envelope before its message. */
function headBytes(count: number): number {
  return Math.ceil(((ENVELOPE.REFERENCES + 2 * count) * 4) / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT;
}

/**
 * Makes an envelope, held by `member`, that holds `blocks`; the member holds them itself meanwhile.
 *
 * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: one of the blocks was freed; nothing is left of the envelope.
 */
export function createEnvelope(
  { arena, owner }: Member,
  blocks: readonly Block[],
  message: Uint8Array,
): Block {
  const { words } = arena;
  const envelope = allocate(arena, owner, KIND.ENVELOPE, headBytes(blocks.length) + message.byteLength);
  const word = envelope.at / 4;
  words[word + ENVELOPE.MESSAGE_BYTES] = message.byteLength;
  arena.bytes.set(message, envelope.at + headBytes(blocks.length));
  try {
    for (const [index, block] of blocks.entries()) {
      const entry = word + ENVELOPE.REFERENCES + 2 * index;
      words[entry] = block.at / BLOCK_ALIGNMENT;
      words[entry + 1] = block.generation;
      // Publishes the entry: from here on a sweep asks for this block, counted or not.
      Atomics.store(words, word + ENVELOPE.COUNT, index + 1);
      addReference(arena, block);
    }
  } catch (error) {
    drop(arena, envelope, owner);
    throw error;
  }
  Atomics.store(words, word + ENVELOPE.IS_SEALED, 1);
  return envelope;
}

/** The message in an envelope, where it lies. */
export function messageIn(arena: Arena, envelope: Block): Uint8Array {
  const word = envelope.at / 4;
  const from = envelope.at + headBytes(Atomics.load(arena.words, word + ENVELOPE.COUNT));
  return arena.bytes.subarray(from, from + (arena.words[word + ENVELOPE.MESSAGE_BYTES] as number));
}

/**
 * Calls `visit` with every block that the envelope at byte `at` refers to. Of a block that is being taken or freed, what stands there may
 * be of a former life: no count is believed that does not fit in, and each block is named with its generation.
 */
export function forEachReference(
  arena: Arena,
  at: number,
  visit: (block: Block, isCounted: boolean) => void,
): void {
  const { words } = arena;
  const word = at / 4;
  const isCounted = Atomics.load(words, word + ENVELOPE.IS_SEALED) === 1;
  const room = payloadBytes(arena, blockAt(arena, at)) / 8 - ENVELOPE.REFERENCES / 2;
  const count = Math.min(Atomics.load(words, word + ENVELOPE.COUNT), room);
  for (let index = 0; index < count; index++) {
    const entry = word + ENVELOPE.REFERENCES + 2 * index;
    const target = ((words[entry] as number) >>> 0) * BLOCK_ALIGNMENT;
    if (target < BLOCK_HEADER_BYTES || target >= arena.bytes.byteLength) continue;
    visit({ at: target, generation: words[entry + 1] as number }, isCounted);
  }
}

/** Tells whether the envelope at byte `at` refers to that life of the block with its first word at `head`. */
export function refersTo(arena: Arena, at: number, head: number, generation: number): boolean {
  let isFound = false;
  forEachReference(arena, at, (block) => {
    isFound ||= headOf(block) === head && block.generation === generation;
  });
  return isFound;
}
