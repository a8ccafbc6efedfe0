/** Where everything lies in a queue or pipe: as layout.ts, of which this is a part. Offsets count 32-bit words from a payload. */

/** Words of a lane: messages of one writer at a time; see lanes/README.md. */
export const LANE = {
  /** Messages ever committed; moved by the writer alone. */
  TAIL: 0,
  /** The segment that is written to, as place / 64. */
  LAST: 1,
  /** Robust lock of those who write, where there are several. */
  WRITE_LOCK: 2,
  /** Messages ever taken; moved under the lock of those who take. */
  HEAD: 16,
  /** The segment that is read from, as place / 64. */
  FIRST: 17,
  /** Bytes of all messages taken so far. */
  TAKEN_BYTES: 18,
  /** Owner id of the writer. */
  OWNER: 32,
  /** Large blocks that were read and can be written again, as place / 64; changed under the lock of those who take. */
  SPARES: 33,
  SPARE_COUNT: 8,
  BYTES: 192,
} as const;

/** Words of a segment: a page of entries that grow from the front and of their bytes, which grow from the back. */
export const SEGMENT = {
  /** The next one, as place / 64. */
  NEXT: 0,
  /** Number of its first message. */
  FIRST_NUMBER: 1,
  /** The one before, as place / 64, and its generation. */
  PREVIOUS: 2,
  PREVIOUS_LIFE: 3,
  /** Bytes of all messages of the lane before its first. */
  BYTES_BEFORE: 4,
  ENTRIES: 16,
} as const;

/** Words of an entry. */
export const ENTRY = {
  /** Bytes of the message. */
  LENGTH: 0,
  /** Where the bytes of the segment begin that are in use, counted from its payload; the tag in the low three bits. */
  LOW: 1,
  /** The block that the message is in, as place / 64; 0 where it lies in the segment, at LOW. */
  BLOCK: 2,
  /** Of a pipe: bytes of all messages of the lane up to this one. Of a queue: its ticket. */
  STAMP: 3,
  WORDS: 4,
} as const;

/** Words of a queue: three sets of waiters, of which each leaves its first words to other uses. */
export const QUEUE = {
  /** Members that wait for an item. */
  GETTERS: 0,
  MAX_ITEMS: 0,
  /** 1 once nobody puts anything any more. */
  HAS_ENDED: 1,
  /** JOINS of the block when it was made. */
  BIRTH_JOINS: 2,
  /** How a joinable queue treats what a dead member had taken; 0 where it is no joinable one. */
  POLICY: 3,
  /** 1 once anybody has put something. */
  EVER_PUT: 4,
  /** One bit for each word of the bitmap of lanes that is not 0. */
  SUMMARY: 5,
  /** Members that wait for room. */
  PUTTERS: 48,
  /** Tickets ever drawn. */
  TICKETS: 48,
  /** Members that wait until all is done. */
  JOINERS: 96,
  /** Robust lock of those who take. */
  LOCK: 96,
  /** Items that are taken and not done. */
  IN_HAND: 98,
  /** 1 once a member has died with an item in its hand that is not given to another. */
  HAS_LOST: 99,
  /** Items ever taken. */
  TAKEN: 100,
  /** One bit for each slot that has a lane. */
  LANE_BITS: 144,
  /** The lane of each slot, as place / 64. */
  LANES: 176,
  /** With a word for each of 1,024 slots. */
  BYTES: 4800,
} as const;

/** Words of a pipe: two lanes, each with those who wait to receive from it and to send into it. */
export const PIPE = {
  RECEIVERS: 48,
  SENDERS: 96,
  DIRECTION_WORDS: 144,
  /** Robust lock of those who take, in either direction. */
  LOCK: 288,
  /** The two ends: place / 64 and generation of each. */
  ENDS: 289,
  BYTES: 1280,
} as const;

/** Words of a pipe's end. */
export const PIPE_END = {
  SIDE: 0,
  BYTES: 16,
} as const;
