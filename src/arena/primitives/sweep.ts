import type { Arena } from '../arena.js';
import { sweepLanes } from '../lanes/sweep-lanes.js';
import { BLOCK, BLOCK_HEADER_BYTES, KIND, SLOT, slotWord } from '../layout.js';
import { type OwnerId, slotOf } from '../slots.js';
import { sweepBarrier } from './barrier-words.js';
import { sweepCondition } from './condition-words.js';
import { sweepEvent } from './event-word.js';
import { sweepLock } from './lock-word.js';
import { sweepSemaphore } from './semaphore-words.js';

/** Takes from the dead what it had of a primitive, and wakes who waited for that. The dead still holds the block. */
export function sweepPrimitive(arena: Arena, head: number, dead: OwnerId): void {
  const word = head + BLOCK_HEADER_BYTES / 4;
  const deadPid = arena.words[slotWord(slotOf(dead)) + SLOT.PID] as number;
  switch (arena.words[head + BLOCK.KIND]) {
    case KIND.LOCK:
    case KIND.RLOCK:
      sweepLock(arena, word, dead, deadPid);
      break;
    case KIND.SEMAPHORE:
      sweepSemaphore(arena, word, dead);
      break;
    case KIND.CONDITION:
      sweepCondition(arena, word, dead);
      break;
    case KIND.EVENT:
      sweepEvent(arena, word, dead);
      break;
    case KIND.BARRIER:
      sweepBarrier(arena, word, dead, deadPid);
      break;
    case KIND.QUEUE:
    case KIND.PIPE:
      sweepLanes(arena, word, arena.words[head + BLOCK.KIND] as number, dead);
      break;
    default:
  }
}
