/**
 * Where everything lies in the arena: the only file that knows offsets. Offsets of words count 32-bit words, all others count bytes.
 *
 * ```
 * 0            header            64 KiB
 * 64 KiB       owner slots       1,024 x 128 bytes
 * 192 KiB      page table        one word for each 64 KiB page of the arena
 * 448 KiB      (to the page end)
 * 512 KiB      pages             slab pages of equal blocks, or runs of pages that are one block
 * ```
 */

export const PAGE_BYTES: number = 64 * 1024;
/** Every payload begins at a multiple of this: a place divided by it fits into one word. */
export const BLOCK_ALIGNMENT: number = 64;
/** 4 GiB less a page: the largest view Node 20 can make. Sparse: pages never touched cost nothing. */
export const ARENA_BYTES: number = 4 * 1024 ** 3 - PAGE_BYTES;
export const PAGE_COUNT: number = ARENA_BYTES / PAGE_BYTES;

/** Words of the header. */
export const HEADER = {
  MAGIC: 0,
  VERSION: 1,
  /** Highest page ever taken, plus one: scans stop here. */
  PAGES_USED: 3,
  /** Robust lock of those who clear up after the dead. */
  SWEEP_LOCK: 4,
  /** Whom the holder of that lock is clearing up after: finished by the next one should it die. */
  SWEEPING: 5,
  /** Blocks ever taken: the generation of the next one. */
  GENERATIONS: 6,
  /** Names given to processes so far, the `N` of `Process-N`. */
  PROCESS_COUNT: 7,
  /** Places of zygotes: two words each, see zygotes.ts. */
  ZYGOTES: 64,
  /** Owner ids of those who spin for work now, 0 for a free place. */
  SPINNERS: 32,
  /** One counter for each slab class, moved by every free: tells an allocator that looking again pays. */
  FREED: 16,
} as const;

/** Zygotes with different flags of Node that a family can have. */
export const ZYGOTE_PLACES: number = 8;

/** First word of the place of a zygote: what flags it is for, then who it is. */
export function zygoteWord(place: number): number {
  return HEADER.ZYGOTES + 2 * place;
}

export const MAGIC: number = 0x46555243;
export const VERSION: number = 1;

/** Slot 0 is never given out, so that owner id 0 means nobody. */
export const SLOT_COUNT: number = 1024;
export const SLOT_BITS: number = 10;
const SLOTS_AT = 64 * 1024;
const SLOT_WORDS = 32;

/** Words of a slot. */
export const SLOT = {
  /** State in the low two bits, generation above; see slots.ts. */
  STATE: 0,
  PID: 1,
  /** The process's doorbell descriptor plus one; 0 while it has none. */
  DOORBELL: 2,
  /** How the owner sleeps; see parking.ts. */
  PARK: 3,
  /** Newest entry of the inbox as a payload offset / 64; see inbox.ts. */
  INBOX: 4,
  /** Owner id of the parent. */
  PARENT: 5,
  /** How many critical sections its thread is in, one within the other; see freezing.ts. */
  CRITICAL: 16,
  /** Whether it is to stop; see freezing.ts. */
  FREEZE: 17,
  /** 1 for a thread of its parent's process, which ends with its parent. */
  IS_THREAD: 6,
} as const;

/** First word of slot `index`. */
export function slotWord(index: number): number {
  return SLOTS_AT / 4 + index * SLOT_WORDS;
}

const PAGE_TABLE_AT = SLOTS_AT + SLOT_COUNT * SLOT_WORDS * 4;

/** Word of the page table for page `page`. */
export function pageWord(page: number): number {
  return PAGE_TABLE_AT / 4 + page;
}

/** First page that blocks may use. */
export const FIRST_PAGE: number = Math.ceil((PAGE_TABLE_AT + PAGE_COUNT * 4) / PAGE_BYTES);

/** Entries of the page table: what the page is in the top four bits, a number in the rest. */
export const PAGE = {
  FREE: 0,
  /** A slab; the number is its class. */
  SLAB: 1,
  /** First page of a run; the number is its length in pages. */
  RUN: 2,
  /** A further page of a run. */
  BODY: 3,
  /** Being taken or given back by the slot that the number names. */
  CLAIM: 4,
} as const;

const TAG_SHIFT = 28;
const NUMBER_MASK = (1 << TAG_SHIFT) - 1;

export function pageEntry(tag: number, number: number): number {
  return (tag << TAG_SHIFT) | number;
}

export function pageTag(entry: number): number {
  return entry >>> TAG_SHIFT;
}

export function pageNumber(entry: number): number {
  return entry & NUMBER_MASK;
}

/** Every block starts with a header; its payload follows, aligned to a cache line. */
export const BLOCK_HEADER_BYTES: number = 192;

/** Words of a block header. */
export const BLOCK = {
  /** 0 free, else an owner id; negative while that owner takes or frees the block. */
  STATE: 0,
  /** Number of the life this memory leads; a handle of a former life does not match. */
  GENERATION: 1,
  KIND: 2,
  PAYLOAD_BYTES: 3,
  /** Moved after each new holder, so that who finds nobody knows that nobody came while it looked. */
  JOINS: 4,
  /** How many envelopes refer to the block, and whether the count is in doubt; see references.ts. */
  REFERENCES: 6,
  /** GENERATION once more: exchanged together with the count, so that a late change cannot hit another life. */
  REFERENCES_LIFE: 7,
  /** Place / 64 of the block that keeps this one, 0 while none does; and its generation. See keeping.ts. */
  KEEPER: 8,
  KEEPER_LIFE: 9,
  /** Owner id of the member that has taken this item out of a queue and not done with it yet. */
  TAKER: 10,
  /** Of a keeper: 1 once it has kept anything. */
  KEEPS: 11,
  /** One bit for each slot that holds the block. */
  HOLDERS: 16,
} as const;

export const HOLDER_WORDS: number = SLOT_COUNT / 32;

/** Block sizes of the slab classes, header included; what is larger gets pages of its own. */
export const SLAB_BYTES: readonly number[] = [256, 512, 1024, 4096, 16384];

/** Words of a byte ring, counted from its payload; writer and reader words lie on cache lines of their own. */
export const RING = {
  /** Bytes ever written; moved by the writer alone, and only when a whole message stands. */
  TAIL: 0,
  /** 1 while the writer waits for room. */
  WRITER_WAITS: 1,
  WRITER: 2,
  /** Bytes ever read; moved by the reader alone. */
  HEAD: 16,
  READER: 17,
  CAPACITY: 32,
  DATA_BYTES: 192,
} as const;

/** What a block was taken for. */
export const KIND = {
  PROCESS: 1,
  REQUEST: 2,
  RING: 3,
  MESSAGE: 4,
  PROGRESS: 5,
  /** Head of a thread's robust list, see robust-lock.ts. */
  ROBUST_HEAD: 6,
  /** A message that carries handles: it refers to their blocks; see envelope.ts. */
  ENVELOPE: 20,
  LOCK: 21,
  RLOCK: 22,
  SEMAPHORE: 23,
  CONDITION: 24,
  EVENT: 25,
  BARRIER: 26,
  /** Data of the user's, which a buffer of its own shows. */
  VALUE: 27,
  ARRAY: 28,
  MEMORY: 29,
  /** Stands for a ShareableList, whose items lie in memory of its own. */
  LIST: 30,
  QUEUE: 40,
  /** What one member has put into a queue. */
  LANE: 41,
  /** A piece of a lane. */
  SEGMENT: 42,
  /** A message in a lane that is too long to lie in a segment. */
  ITEM: 43,
  PIPE: 44,
  PIPE_END: 45,
} as const;

/**
 * Words that all primitives have, counted from the payload. The first line is the primitive's own; who waits stands on the lines behind, so
 * that coming to wait does not disturb who works.
 */
export const WAITING = {
  /** At least as many members wait as bits are set; 0 says for sure that nobody does. */
  COUNT: 13,
  /** Slot of the member that was woken last; the next one in turn is behind it. */
  TURN: 14,
  /** Owner id of a member that waits for too long: nobody else may take what comes free. 0 while there is none. */
  HUNGRY: 15,
  /** One bit for each slot that waits, up to word 48. */
  SET: 16,
} as const;

/** Words of a lock. */
export const LOCK = {
  /** Owner id of who has it, 0 while it is free; negative while members may sleep for it. */
  OWNER: 0,
  /** Pid of an owner that died, until the next one takes note of it. */
  DIED: 1,
  BYTES: 192,
} as const;

/** Words of a semaphore. */
export const SEMAPHORE = {
  /** Permits that have an owner each. */
  TOKENS: 0,
  /** Free permits that have none. */
  EXTRA: 1,
  /** As many of these there may be. */
  MAX_EXTRA: 2,
  /** One word for each permit: owner id of who has it, 0 while it is free. */
  FIRST_TOKEN: 48,
} as const;

/** Words of a condition. */
export const CONDITION = {
  /** Places ever given out. */
  TAIL: 0,
  /** Places before this one are done with. */
  HEAD: 1,
  /** One word for each who waits: its owner id, negative once it is notified. */
  FIRST_PLACE: 16,
  PLACES: 960,
} as const;

/** Words of an event. */
export const EVENT = {
  /** How often it was set, times two; plus one while it is set. */
  STATE: 0,
  BYTES: 192,
} as const;

/** Words of a barrier. */
export const BARRIER = {
  /** Number of the round, times four, and its phase in the low two bits. */
  STATE: 0,
  PARTIES: 1,
  /** Pid of a party that died, as long as the round is broken by it. */
  DEAD_PID: 2,
  /** How the last rounds ended, one word each. */
  OUTCOMES: 48,
  OUTCOME_COUNT: 64,
  /** Two words for each party: owner id, and the round in which it arrived there last. */
  FIRST_ARRIVAL: 112,
} as const;

/** Words of an envelope, counted from its payload; the message follows the references. */
export const ENVELOPE = {
  /** 1 once all references are counted: before that a death leaves the counts in doubt. */
  IS_SEALED: 0,
  COUNT: 1,
  MESSAGE_BYTES: 2,
  /** Two words for each block: place / 64, generation. */
  REFERENCES: 4,
} as const;

/** Words of a process record, counted from its payload; see process/record.ts. */
export const RECORD = {
  /** Word 0 of every block that travels through an inbox is its link. */
  LINK: 0,
  STATE: 1,
  PID: 2,
  EXIT_CODE: 3,
  /** Owner id of the child. */
  CHILD: 4,
  /** Owner id of the logical parent: who is woken at every change. */
  PARENT: 5,
  /** Owner id of the zygote that forks and reaps it; 0 where the parent itself does. */
  ZYGOTE: 6,
  /** Where the start request lies, as a payload offset / 64. */
  REQUEST: 7,
  HEAD_BYTES: 8,
  BODY_BYTES: 9,
  /** Forks tried so far. */
  ATTEMPTS: 10,
  /** Exit code plus 1,000, written by the child itself right before it ends: all that is known should its reaper die. */
  FAREWELL: 11,
  ERRNO: 12,
  IS_DAEMON: 13,
  /** Owner id of the zygote in whose inbox it lies, or is about to; 0 once that zygote has taken it out. */
  INBOX_OF: 14,
  /** How many zygotes died before they got round to it. */
  HANDED_ON: 15,
  BYTES: 64,
} as const;

/** Places in the header for spinning members. */
export const SPINNER_PLACES: number = 64;

/** Results that a worker's journal holds at the most; see journal.ts. */
export const JOURNAL_ITEMS: number = 1536;

/** Words of a pool worker's progress block; see progress.ts. */
export const PROGRESS = {
  /** Number of the message being run; negative while the parent recalls what comes after it. */
  MESSAGE: 0,
  /** Index of the item being run within that message. */
  ITEM: 1,
  /** When that item began: a 64-bit float, milliseconds of the system's monotonic clock. */
  STARTED_AT: 2,
  /** Message and item of the first result in the journal. */
  JOURNAL_MESSAGE: 4,
  JOURNAL_ITEM: 5,
  /** Number of the message whose task is asked to stop. */
  ABORT: 6,
  /** Number of the last message whose task looked at its signal. */
  HEEDED: 7,
  /** Values of a stream that its consumer has taken. */
  TAKEN: 8,
  /** Resident memory of the worker, in KiB, where somebody watches it. */
  MEMORY_KIB: 9,
  /** Bytes from the payload on: what each journalled result is, then the numbers themselves. */
  TAGS_BYTES: 64,
  NUMBERS_BYTES: 1600,
  BYTES: 13_888,
} as const;
