import { type Block, kindOf } from '../arena/allocator.js';
import { attachHandle, type Handle, openBlock } from '../arena/local-handles.js';
import { ClosedError } from '../base/errors.js';

/** How objects of a class that stand for a block of the family's memory travel: as the block's name. */
export interface HandleKind<T extends object> {
  /** Kind of the block, see arena/layout.ts: the same in every process. */
  readonly id: number;
  /** The handle of an object that is not closed; throws where it is. */
  handleOf(object: T): Handle;
  /** What travels along besides the block: any sendable value, other handles included. */
  partsOf?(object: T): unknown;
  /** Makes the object anew from its block, to which it attaches the handle it is given. */
  revive(handle: Handle, parts: unknown): T;
}

/** Marks the prototype of a class whose objects travel as handles. */
const KIND: unique symbol = Symbol('furca:handle-kind');
const kinds: (HandleKind<object> | undefined)[] = [];

/** Lets objects of `type` and of its subclasses travel; one of a subclass arrives as one of `type`. */
export function registerHandleKind<T extends object>(
  type: abstract new (...args: never[]) => T,
  kind: HandleKind<T>,
): void {
  kinds[kind.id] = kind as unknown as HandleKind<object>;
  Object.defineProperty(type.prototype, KIND, { value: kind });
}

/** How `object` travels as a handle; `undefined` for one that does not. */
export function handleKindOf(object: object): HandleKind<object> | undefined {
  return (object as { readonly [KIND]?: HandleKind<object> })[KIND];
}

/** Makes the object that was named in a message; the message holds its block meanwhile. */
export function reviveHandle(id: number, block: Block, parts: unknown): object {
  const kind = kinds[id];
  if (kind === undefined)
    throw new ClosedError(`Receiving a handle failed: its kind ${id} is not known here.`);
  const handle = openBlock(block);
  if (kindOf(handle.local.arena, block) === id) return kind.revive(handle, parts);
  handle.close();
  throw new ClosedError('Receiving a handle failed: it names something else.');
}

/** The blocks that a message names. Kept beside its bytes, for who sends it must see to it that they live until it is read. */
const carried = new WeakMap<Uint8Array, readonly Block[]>();
let hasCarried = false;

/** Notes which blocks a message names. */
export function setCarried(message: Uint8Array, blocks: readonly Block[]): Uint8Array {
  if (blocks.length === 0) return message;
  hasCarried = true;
  carried.set(message, blocks);
  return message;
}

const NONE: readonly Block[] = [];

/** The blocks that a message names; none for bytes that `encode` did not make, or a copy of such. */
export function carriedBy(message: Uint8Array): readonly Block[] {
  return hasCarried ? (carried.get(message) ?? NONE) : NONE;
}

/** A copy of a message, which names the same blocks. */
export function copyMessage(message: Uint8Array): Uint8Array {
  return setCarried(message.slice(), carriedBy(message));
}

/** Handles that a message, itself part of another, has brought: they live for as long as its bytes do. */
const kept = new WeakMap<Uint8Array, readonly Handle[]>();

/** Holds the blocks that the received `message` names for as long as its bytes live, since nobody knows when it will be read. */
export function keepCarried(message: Uint8Array, blocks: readonly Block[]): void {
  kept.set(
    message,
    blocks.map((block) => attachHandle(message, openBlock(block))),
  );
  setCarried(message, blocks);
}

/** Lets go of what `message` has brought: it has been read, and will not be again. */
export function forgetCarried(message: Uint8Array): void {
  for (const handle of kept.get(message) ?? []) handle.close();
  kept.delete(message);
}
