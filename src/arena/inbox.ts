import { blockAt, isHeldBy } from './allocator.js';
import type { Arena } from './arena.js';
import { BLOCK_ALIGNMENT, SLOT, slotWord } from './layout.js';
import { type OwnerId, slotOf } from './slots.js';

/**
 * A mailbox that any member may put blocks into and its owner empties: a stack linked through word 0 of each payload.
 *
 * The receiver must hold a block before it is put: it then outlives its sender. Putting is one exchange, so a sender that dies has
 * either sent or not. The owner takes all at
 * once, so no entry can leave and come back between a sender's look and its exchange.
 */

/** Puts the block whose payload starts at byte `at` into the inbox of `receiver`. */
export function putIntoInbox(arena: Arena, receiver: OwnerId, at: number): void {
  const inbox = slotWord(slotOf(receiver)) + SLOT.INBOX;
  for (;;) {
    const newest = Atomics.load(arena.words, inbox);
    arena.words[at / 4] = newest;
    // Publishes the link and everything written to the block before.
    if (Atomics.compareExchange(arena.words, inbox, newest, at / BLOCK_ALIGNMENT) === newest) return;
  }
}

/** Takes all blocks out of the inbox of `owner`, oldest first, as byte offsets of their payloads. */
export function emptyInbox(arena: Arena, owner: OwnerId): number[] {
  const found: number[] = [];
  let entry = Atomics.exchange(arena.words, slotWord(slotOf(owner)) + SLOT.INBOX, 0);
  while (entry !== 0) {
    const at = entry * BLOCK_ALIGNMENT;
    // Put for a former member of this slot by one that did not know of its death: such a block may be anything by now, its link too.
    if (!isHeldBy(arena, blockAt(arena, at), owner)) break;
    found.push(at);
    entry = arena.words[at / 4] as number;
  }
  return found.reverse();
}
