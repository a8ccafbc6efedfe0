import { ClosedError } from '../base/errors.js';
import { allocate, type Block } from './allocator.js';
import type { Arena } from './arena.js';
import { adoptBlock, attachHandle, type Handle } from './local-handles.js';
import { joinOrFoundFamily, ownMembership } from './member.js';
import type { OwnerId } from './slots.js';

/** Takes a block for a new object; the first one founds the family. */
export function takeBlock(kind: number, sizeBytes: number): { arena: Arena; block: Block; handle: Handle } {
  const { arena, owner } = joinOrFoundFamily();
  const block = allocate(arena, owner, kind, sizeBytes);
  return { arena, block, handle: adoptBlock(block) };
}

/** What all objects that stand for a block of the family's memory have in common. */
export abstract class SharedObject implements Disposable {
  /** @internal */
  protected readonly handle: Handle;
  /** @internal */
  protected readonly arena: Arena;

  /** @internal */
  protected constructor(handle: Handle) {
    this.arena = handle.local.arena;
    this.handle = attachHandle(this, handle);
  }

  /** @internal First word of the block's payload. */
  protected open(doing: string): number {
    const { word } = this.handle;
    if (word === -1) throw closed(this.constructor.name, doing);
    return word;
  }

  /** Whether this object was closed here. Others of its kind, here or elsewhere, are not concerned. */
  get isClosed(): boolean {
    return this.handle.isClosed;
  }

  /**
   * Lets go of the shared memory; the last one in the family to do so frees it. May be called twice. What is never closed is let go of when
   * it is collected, or when its process ends.
   */
  close(): void {
    this.handle.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The id of this member, by which the arena knows it. */
export function me(): OwnerId {
  return ownMembership().owner;
}

function closed(name: string, doing: string): ClosedError {
  return new ClosedError(
    `${doing} failed: this ${name} was closed, or its process has left the family by os.fork().`,
  );
}

/** The handle behind an object, for the codec. */
export function openHandleOf(object: SharedObject): Handle {
  const { handle } = object as unknown as { readonly handle: Handle };
  if (handle.isClosed) throw closed(object.constructor.name, 'Sending');
  return handle;
}
