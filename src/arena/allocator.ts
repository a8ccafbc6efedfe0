import { ClosedError, LimitError } from '../base/errors.js';
import { givePagesBack } from '../kernel/memory.js';
import type { Arena } from './arena.js';
import { forEachReference } from './envelope.js';
import { freeKept, isKeeper, isKept, startUnkept, tellKeeper } from './keeping.js';
import {
  BLOCK,
  BLOCK_HEADER_BYTES,
  FIRST_PAGE,
  HEADER,
  HOLDER_WORDS,
  KIND,
  PAGE,
  PAGE_BYTES,
  pageEntry,
  pageNumber,
  pageTag,
  pageWord,
  SLAB_BYTES,
} from './layout.js';
import { IN_TRANSITION, releaseRun, takePages } from './pages.js';
import { sweepPrimitive } from './primitives/sweep.js';
import { doubtReferences, dropReference, isReferenced, startReferences } from './references.js';
import { currentIn, isCurrent, type OwnerId, slotOf } from './slots.js';
import { visitBlocks } from './walk.js';

/** A piece of the arena. `at` is the byte offset of its payload, a multiple of 64. */
export interface Block {
  readonly at: number;
  /** Which life of the block this handle belongs to. */
  readonly generation: number;
}

/** Where this process looks next, for each class; only a hint. */
interface Cursor {
  page: number;
  block: number;
  /** Value of the class's FREED counter when the last full search found nothing. */
  freedSeen: number;
  /** Blocks that this process has freed itself, the latest last: where it looks first. */
  readonly recent: number[];
}

/** As many of them are remembered for each class. */
const MOST_RECENT = 64;

let cursors: Cursor[] = [];
let cursorsAreFor: Arena | undefined;

/** A process that left its family for one of its own begins anew: the former places mean nothing in another arena. */
function cursorFor(arena: Arena, slabClass: number): Cursor {
  if (cursorsAreFor !== arena) {
    cursorsAreFor = arena;
    cursors = SLAB_BYTES.map(() => ({ page: 0, block: 0, freedSeen: 0, recent: [] }));
  }
  return cursors[slabClass] as Cursor;
}

/**
 * Takes a zeroed block of at least `payloadBytes`, held by `owner`. Never waits: no step depends on another process
 * going on, so that one that was stopped or killed inside hinders nobody.
 *
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the arena is full.
 */
export function allocate(arena: Arena, owner: OwnerId, kind: number, payloadBytes: number): Block {
  const total = payloadBytes + BLOCK_HEADER_BYTES;
  const slabClass = SLAB_BYTES.findIndex((size) => size >= total);
  const start = slabClass === -1 ? takeRun(arena, owner, total) : takeSlabBlock(arena, owner, slabClass);
  if (start === -1) {
    throw new LimitError(
      `Allocating ${payloadBytes} bytes of shared memory failed: the arena has no room. Close what is no longer used.`,
    );
  }
  const head = start / 4;
  const at = start + BLOCK_HEADER_BYTES;
  // Fresh pages read as zero; a slab block may have had an earlier life.
  if (slabClass !== -1) arena.bytes.fill(0, at, start + (SLAB_BYTES[slabClass] as number));
  for (let i = 0; i < HOLDER_WORDS; i++) arena.words[head + BLOCK.HOLDERS + i] = 0;
  const generation = (Atomics.add(arena.words, HEADER.GENERATIONS, 1) + 1) | 0;
  arena.words[head + BLOCK.GENERATION] = generation;
  startReferences(arena, head, generation);
  startUnkept(arena, head);
  arena.words[head + BLOCK.KIND] = kind;
  arena.words[head + BLOCK.PAYLOAD_BYTES] = payloadBytes;
  Atomics.or(arena.words, holderWord(head, owner), holderBit(owner));
  // Commits: from here on the block belongs to its holders. Publishes kind, size and the zeroed payload.
  Atomics.store(arena.words, head + BLOCK.STATE, owner);
  return { at, generation };
}

export function headOf(block: Block): number {
  return (block.at - BLOCK_HEADER_BYTES) / 4;
}

function holderWord(head: number, owner: OwnerId): number {
  return head + BLOCK.HOLDERS + (slotOf(owner) >>> 5);
}

function holderBit(owner: OwnerId): number {
  return 1 << (slotOf(owner) & 31);
}

/** Tells whether the block is still in the life that the handle was made for. */
export function isAlive(arena: Arena, block: Block): boolean {
  const head = headOf(block);
  const page = pageTag(Atomics.load(arena.words, pageWord(Math.floor(block.at / PAGE_BYTES))));
  return (
    (page === PAGE.SLAB || page === PAGE.RUN) &&
    Atomics.load(arena.words, head + BLOCK.STATE) > 0 &&
    Atomics.load(arena.words, head + BLOCK.GENERATION) === block.generation
  );
}

/** The handle of the block whose payload starts at byte `at`. */
export function blockAt(arena: Arena, at: number): Block {
  return { at, generation: Atomics.load(arena.words, (at - BLOCK_HEADER_BYTES) / 4 + BLOCK.GENERATION) };
}

/** Bytes that were asked for when the block was taken. */
export function payloadBytes(arena: Arena, block: Block): number {
  return arena.words[headOf(block) + BLOCK.PAYLOAD_BYTES] as number;
}

/** What the block was taken for. */
export function kindOf(arena: Arena, block: Block): number {
  return arena.words[headOf(block) + BLOCK.KIND] as number;
}

/**
 * Adds `owner` to those who hold the block. The caller holds it itself, so it cannot vanish meanwhile. Who is dead holds nothing:
 * for a member whose sweep has begun this does nothing.
 *
 * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the block was freed.
 */
export function hold(arena: Arena, block: Block, owner: OwnerId): void {
  if (!isAlive(arena, block))
    throw new ClosedError('Using shared memory failed: it was closed and freed before.');
  const head = headOf(block);
  if (!isCurrent(arena, owner)) return;
  Atomics.or(arena.words, holderWord(head, owner), holderBit(owner));
  // After the bit and before the caller lets go of its own hold: pairs with the two looks of `freeUnheld`.
  Atomics.add(arena.words, head + BLOCK.JOINS, 1);
  // Pairs with `markDying`, which comes before the walk through the blocks: that walk sees the bit, or this sees the mark.
  if (!isCurrent(arena, owner)) Atomics.and(arena.words, holderWord(head, owner), ~holderBit(owner));
}

/** Takes `owner` off the holders; the last one frees the block. Dropping a freed block does nothing. */
export function drop(arena: Arena, block: Block, owner: OwnerId, by: OwnerId = owner): void {
  if (!isAlive(arena, block)) return;
  const head = headOf(block);
  const state = Atomics.load(arena.words, head + BLOCK.STATE);
  Atomics.and(arena.words, holderWord(head, owner), ~holderBit(owner));
  freeUnheld(arena, head, state, block.generation, by);
}

/** Tells whether `owner` holds the block. */
export function isHeldBy(arena: Arena, block: Block, owner: OwnerId): boolean {
  const head = headOf(block);
  return (
    isAlive(arena, block) && (Atomics.load(arena.words, holderWord(head, owner)) & holderBit(owner)) !== 0
  );
}

/**
 * Frees a block that nobody holds any more. `state` and `generation` were read while it was held: others may free it meanwhile, and its
 * memory may then be part of another block. So this reads only, until the one exchange of both words, which fails for any other life.
 */
export function freeUnheld(arena: Arena, head: number, state: number, generation: number, by: OwnerId): void {
  const { words } = arena;
  if (state <= 0) return;
  const joins = Atomics.load(words, head + BLOCK.JOINS);
  for (let i = 0; i < HOLDER_WORDS; i++) {
    if (Atomics.load(words, head + BLOCK.HOLDERS + i) !== 0) return;
  }
  // After the holders: who is none any more has referred to it before.
  if (isReferenced(arena, head, generation) || isKept(arena, head)) return;
  // A holder may have been added where this had looked already, by one that let go where it had not: who came frees it later.
  if (Atomics.load(words, head + BLOCK.JOINS) !== joins) return;
  // Two may drop at once and both find nobody left; one of them wins here.
  const former = pairOf(state, generation);
  if (
    Atomics.compareExchange(arena.pairs, head / 2, former, pairOf(by | IN_TRANSITION, generation)) !== former
  )
    return;
  release(arena, head, by);
}

/** STATE and GENERATION as one 64-bit value, as they lie in memory (little-endian on all processors supported). */
function pairOf(state: number, generation: number): bigint {
  return (BigInt(generation) << 32n) | BigInt(state >>> 0);
}

/** Ends the life of a block that is in transition. Every step may be done twice: a sweep repeats it after a death. */
function release(arena: Arena, head: number, by: OwnerId, isRepeated = false): void {
  const { words } = arena;
  if (words[head + BLOCK.KIND] === KIND.ENVELOPE) {
    forEachReference(arena, head * 4 + BLOCK_HEADER_BYTES, (block, isCounted) => {
      // How far the dead had come with the counting nobody knows.
      if (isRepeated || !isCounted) doubtReferences(arena, block, by);
      else dropReference(arena, block, by);
    });
  }
  if (isKeeper(words[head + BLOCK.KIND] as number)) freeKept(arena, head, by);
  for (let i = 0; i < HOLDER_WORDS; i++) words[head + BLOCK.HOLDERS + i] = 0;
  const page = Math.floor((head * 4) / PAGE_BYTES);
  const entry = Atomics.load(words, pageWord(page));
  if (pageTag(entry) === PAGE.RUN) {
    releaseRun(arena, page, pageNumber(entry), by);
    return;
  }
  Atomics.store(words, head + BLOCK.STATE, 0);
  Atomics.add(words, HEADER.FREED + pageNumber(entry), 1);
  const { recent } = cursorFor(arena, pageNumber(entry));
  if (recent.length < MOST_RECENT) recent.push(head * 4);
}

function takeSlabBlock(arena: Arena, owner: OwnerId, slabClass: number): number {
  const cursor = cursorFor(arena, slabClass);
  const blocksPerPage = Math.floor(PAGE_BYTES / (SLAB_BYTES[slabClass] as number));
  for (let start = cursor.recent.pop(); start !== undefined; start = cursor.recent.pop()) {
    if (takeIfFree(arena, owner, start)) return start;
  }
  for (;;) {
    const found = searchPage(arena, owner, slabClass, cursor);
    if (found !== -1) return found;
    // The page is used up. Look through the others only if at least a page full of blocks was freed since the last vain search.
    const freed = Atomics.load(arena.words, HEADER.FREED + slabClass);
    if (((freed - cursor.freedSeen) | 0) >= blocksPerPage) {
      const again = searchOthers(arena, owner, slabClass, cursor);
      if (again !== -1) return again;
    }
    const page = takePages(arena, owner, 1, pageEntry(PAGE.SLAB, slabClass));
    // No page is left, so that every single free block counts.
    if (page === -1) return searchOthers(arena, owner, slabClass, cursor);
    cursor.freedSeen = freed;
    cursor.page = page;
    cursor.block = 0;
    // Others see the page as soon as it is taken and may have filled it before this process gets to it: hence the loop.
  }
}

/** The whole allocation hangs on this one exchange: before it the block is free, after it it names its owner. */
function takeIfFree(arena: Arena, owner: OwnerId, start: number): boolean {
  const stateWord = start / 4 + BLOCK.STATE;
  // A look first: an exchange that fails would still take the line from whoever has it.
  if (Atomics.load(arena.words, stateWord) !== 0) return false;
  return Atomics.compareExchange(arena.words, stateWord, 0, owner | IN_TRANSITION) === 0;
}

function searchPage(arena: Arena, owner: OwnerId, slabClass: number, cursor: Cursor): number {
  if (cursor.page === 0) return -1;
  const size = SLAB_BYTES[slabClass] as number;
  const perPage = Math.floor(PAGE_BYTES / size);
  for (; cursor.block < perPage; cursor.block++) {
    const start = cursor.page * PAGE_BYTES + cursor.block * size;
    if (takeIfFree(arena, owner, start)) {
      cursor.block++;
      return start;
    }
  }
  return -1;
}

/** Goes once round all pages of the class, from where the last search ended: a full page is not looked at again for every block. */
function searchOthers(arena: Arena, owner: OwnerId, slabClass: number, cursor: Cursor): number {
  const { words } = arena;
  const entry = pageEntry(PAGE.SLAB, slabClass);
  const count = Atomics.load(words, HEADER.PAGES_USED) - FIRST_PAGE;
  const from = Math.max(cursor.page - FIRST_PAGE, 0);
  for (let step = 1; step <= count; step++) {
    const page = FIRST_PAGE + ((from + step) % count);
    if (Atomics.load(words, pageWord(page)) !== entry) continue;
    cursor.page = page;
    cursor.block = 0;
    const found = searchPage(arena, owner, slabClass, cursor);
    if (found !== -1) return found;
  }
  return -1;
}

function takeRun(arena: Arena, owner: OwnerId, totalBytes: number): number {
  const pages = Math.ceil(totalBytes / PAGE_BYTES);
  const first = takePages(arena, owner, pages, pageEntry(PAGE.RUN, pages));
  return first === -1 ? -1 : first * PAGE_BYTES;
}

/**
 * Takes everything from the dead: their holds, the blocks and pages they were just taking or freeing. May be repeated
 * from any point, as it is when the sweeper dies.
 */
export function sweepBlocks(arena: Arena, dead: OwnerId, by: OwnerId): void {
  const { words } = arena;
  const deadClaim = pageEntry(PAGE.CLAIM, slotOf(dead));
  const used = Atomics.load(words, HEADER.PAGES_USED);
  for (let page = FIRST_PAGE; page < used; page++) {
    const entry = Atomics.load(words, pageWord(page));
    if (entry === deadClaim) {
      givePagesBack(arena.byteAddress(page * PAGE_BYTES), PAGE_BYTES);
      Atomics.store(words, pageWord(page), PAGE.FREE);
    } else if (pageTag(entry) === PAGE.SLAB) {
      const size = SLAB_BYTES[pageNumber(entry)] as number;
      for (let start = page * PAGE_BYTES; start + size <= (page + 1) * PAGE_BYTES; start += size) {
        sweepBlock(arena, start / 4, entry, dead, by);
      }
    } else if (pageTag(entry) === PAGE.RUN) {
      const count = pageNumber(entry);
      for (let body = page + 1; body < page + count; body++) {
        Atomics.compareExchange(words, pageWord(body), deadClaim, PAGE.BODY << 28);
      }
      sweepBlock(arena, (page * PAGE_BYTES) / 4, entry, dead, by);
      page += count - 1;
    }
  }
}

/**
 * The living go on meanwhile: a run that the walk has seen may have been freed since, and its memory may be in the middle of another.
 * What the dead holds or has in transition nobody else can free, so all that is needed is to look at the page's entry
 * and at its generation once more after the block has shown something of the dead: unchanged, it was a block's header, and stays one.
 */
function sweepBlock(arena: Arena, head: number, entry: number, dead: OwnerId, by: OwnerId): void {
  const { words } = arena;
  const state = Atomics.load(words, head + BLOCK.STATE);
  if (state === 0) return;
  const generation = Atomics.load(words, head + BLOCK.GENERATION);
  const isHeld = state > 0 && (Atomics.load(words, holderWord(head, dead)) & holderBit(dead)) !== 0;
  if (Atomics.load(words, pageWord(Math.floor((head * 4) / PAGE_BYTES))) !== entry) return;
  if (Atomics.load(words, head + BLOCK.GENERATION) !== generation) return;
  if (state < 0) {
    if (state !== (dead | IN_TRANSITION)) return;
    if (Atomics.compareExchange(words, head + BLOCK.STATE, state, by | IN_TRANSITION) === state)
      release(arena, head, by, true);
    return;
  }
  if (isHeld) {
    // While the dead holds it: nobody can free it meanwhile.
    sweepPrimitive(arena, head, dead);
    tellKeeper(arena, head);
    // As in `hold`: the dead may have added a holder and not come to say so.
    Atomics.add(words, head + BLOCK.JOINS, 1);
    Atomics.and(words, holderWord(head, dead), ~holderBit(dead));
  }
  // Also where the dead had let go already, and died before it could free.
  freeUnheld(arena, head, state, generation, by);
}

/** Tells whether a living member or a message holds the block; who is dead does not count, whether swept or not. */
export function isHeldByLiving(arena: Arena, block: Block): boolean {
  const head = headOf(block);
  if (!isAlive(arena, block)) return false;
  return holdersOf(arena, block).length > 0 || isReferenced(arena, head, block.generation);
}

/** The living members that hold the block. */
export function holdersOf(arena: Arena, block: Block): OwnerId[] {
  const found: OwnerId[] = [];
  for (let i = 0; i < HOLDER_WORDS; i++) {
    let bits = Atomics.load(arena.words, headOf(block) + BLOCK.HOLDERS + i);
    for (; bits !== 0; bits &= bits - 1) {
      const owner = currentIn(arena, i * 32 + 31 - Math.clz32(bits & -bits));
      if (isCurrent(arena, owner)) found.push(owner);
    }
  }
  return found;
}

/** Makes `holder` drop every block of `kind` that `allocator` has taken: what it was given by one that is dead. */
export function dropOrphans(arena: Arena, kind: number, allocator: OwnerId, holder: OwnerId): void {
  visitBlocks(arena, kind, (block) => {
    if (arena.words[headOf(block) + BLOCK.STATE] === allocator) drop(arena, block, holder);
  });
}
