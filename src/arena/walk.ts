import { type Block, isAlive } from './allocator.js';
import type { Arena } from './arena.js';
import {
  BLOCK,
  BLOCK_HEADER_BYTES,
  FIRST_PAGE,
  HEADER,
  PAGE,
  PAGE_BYTES,
  pageNumber,
  pageTag,
  pageWord,
  SLAB_BYTES,
} from './layout.js';

/** Calls `visit` with the first word of every block there is room for, and tells how many pages are in use. */
function forEachHead(arena: Arena, visit: (head: number, entry: number) => void): number {
  const { words } = arena;
  let pages = 0;
  const used = Atomics.load(words, HEADER.PAGES_USED);
  for (let page = FIRST_PAGE; page < used; page++) {
    const entry = Atomics.load(words, pageWord(page));
    if (entry !== PAGE.FREE) pages++;
    if (pageTag(entry) === PAGE.RUN) visit((page * PAGE_BYTES) / 4, entry);
    if (pageTag(entry) !== PAGE.SLAB) continue;
    const size = SLAB_BYTES[pageNumber(entry)] as number;
    for (let start = page * PAGE_BYTES; start + size <= (page + 1) * PAGE_BYTES; start += size)
      visit(start / 4, entry);
  }
  return pages;
}

/** Counts of what is in use. */
export interface ArenaUse {
  readonly blocks: number;
  readonly pages: number;
}

/** Counts the blocks and pages in use, in a walk through the arena. */
export function measureUse(arena: Arena): ArenaUse {
  let blocks = 0;
  const pages = forEachHead(arena, (head) => {
    if (Atomics.load(arena.words, head + BLOCK.STATE) !== 0) blocks++;
  });
  return { blocks, pages };
}

/** Calls `visit` with every block of `kind` that is in use. */
export function visitBlocks(arena: Arena, kind: number, visit: (block: Block) => void): void {
  visitWhere(arena, (head) => Atomics.load(arena.words, head + BLOCK.KIND) === kind, visit);
}

/** Calls `visit` with every block in use that `keeper` keeps; it may be dead already. */
export function visitKept(arena: Arena, keeper: Block, visit: (block: Block) => void): void {
  const isOne = (head: number): boolean =>
    Atomics.load(arena.words, head + BLOCK.KEEPER) === keeper.at / 64 &&
    Atomics.load(arena.words, head + BLOCK.KEEPER_LIFE) === keeper.generation;
  visitWhere(arena, isOne, visit);
}

function visitWhere(arena: Arena, isOne: (head: number) => boolean, visit: (block: Block) => void): void {
  const { words } = arena;
  const visitOne = (head: number, entry: number): void => {
    if (Atomics.load(words, head + BLOCK.STATE) <= 0 || !isOne(head)) return;
    const generation = Atomics.load(words, head + BLOCK.GENERATION);
    // The run may have been freed since the walk saw it; what was read may then have been somebody's payload.
    if (Atomics.load(words, pageWord(Math.floor((head * 4) / PAGE_BYTES))) !== entry) return;
    const block = { at: head * 4 + BLOCK_HEADER_BYTES, generation };
    if (isAlive(arena, block)) visit(block);
  };
  forEachHead(arena, visitOne);
}
