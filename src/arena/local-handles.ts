import { ClosedError } from '../base/errors.js';
import { type Block, drop, hold, isAlive } from './allocator.js';
import type { Arena } from './arena.js';
import { membership, ownMembership, setFamilyLeft } from './member.js';
import type { OwnerId } from './slots.js';

/**
 * What this process has of the family's blocks. A block knows only that a process holds it; how many objects of that process stand for it
 * is counted here, and the last one to go drops the process's hold.
 */
export interface LocalBlock {
  readonly arena: Arena;
  readonly block: Block;
  readonly handles: Set<Handle>;
  /** Whether a forked child has a copy of what this process has of the block, or this is one. */
  isForked: boolean;
  /** What all objects of this process that stand for the block share, such as who waits here. Made by their kind. */
  shared: unknown;
}

const locals = new Map<number, LocalBlock>();

/** What one object has of a block, until it is closed or collected. */
export class Handle {
  readonly local: LocalBlock;
  readonly block: Block;
  /** First word of the payload; -1 once closed, so that a use is refused by one comparison. */
  word: number;

  constructor(local: LocalBlock) {
    this.local = local;
    this.block = local.block;
    this.word = local.block.at / 4;
    local.handles.add(this);
  }

  get isClosed(): boolean {
    return this.word === -1;
  }

  /** Lets go; may be called twice. */
  close(): void {
    if (this.word === -1) return;
    this.word = -1;
    finalizers.unregister(this);
    const { local } = this;
    local.handles.delete(this);
    if (local.handles.size > 0 || locals.get(local.block.at) !== local) return;
    locals.delete(local.block.at);
    const { owner } = ownMembership();
    drop(local.arena, local.block, owner);
  }
}

const finalizers = new FinalizationRegistry<Handle>((handle) => handle.close());

/** Gives `object` its handle of a block; it is closed at the latest when the object is collected. */
export function attachHandle(object: object, handle: Handle): Handle {
  finalizers.register(object, handle, handle);
  return handle;
}

/** A handle of a block that this process has just taken, and so holds already. */
export function adoptBlock(block: Block): Handle {
  const { arena } = ownMembership();
  const local = { arena, block, handles: new Set<Handle>(), isForked: false, shared: undefined };
  locals.set(block.at, local);
  return new Handle(local);
}

/**
 * A handle of a block that somebody else holds for as long as this takes, such as the message it was named in.
 *
 * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the block was freed.
 */
export function openBlock(block: Block): Handle {
  const { arena, owner } = ownMembership();
  const known = locals.get(block.at);
  if (known?.block.generation === block.generation) return new Handle(known);
  hold(arena, block, owner);
  if (known !== undefined) locals.delete(block.at);
  return adoptBlock(block);
}

/** Makes `owner`, a process that is about to be forked from this one, a holder of all this process holds: its copy of the heap has the handles. */
export function holdAllFor(owner: OwnerId): void {
  for (const local of locals.values()) {
    local.isForked = true;
    if (isAlive(local.arena, local.block)) hold(local.arena, local.block, owner);
  }
}

/** Lets go of everything: in a program that is about to replace itself. */
export function dropAllHandles(): void {
  const member = membership();
  if (member === undefined) return;
  for (const { arena, block } of locals.values()) drop(arena, block, member.owner);
  locals.clear();
}

/** How many blocks this process has handles of. */
export function countLocalBlocks(): number {
  return locals.size;
}

setFamilyLeft(() => {
  // Nothing is dropped: it is the family's, and this process is no member of it any more.
  for (const { handles } of locals.values()) for (const handle of handles) handle.word = -1;
  locals.clear();
});

/** Raised when an object is used that was closed, or whose process has left the family by `os.fork()`. */
export function handleClosed(doing: string): ClosedError {
  return new ClosedError(`${doing} failed: it was closed before.`);
}
