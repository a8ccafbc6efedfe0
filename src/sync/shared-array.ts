import { payloadBytes } from '../arena/allocator.js';
import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { UsageError } from '../base/errors.js';
import { makeUserBuffer, revokeUserBuffer } from '../kernel/user-buffer.js';
import { registerHandleKind } from '../wire/handles.js';
import { checkedDataLock, dataLock, type LockChoice } from './data-lock.js';
import type { Guard } from './guard.js';
import type { Lock } from './lock.js';
import {
  type ArrayOf,
  arrayOver,
  bytesOf,
  Cells,
  checkElement,
  checkedType,
  checkSummand,
  type Element,
  type NumberType,
  type Summand,
} from './number-types.js';
import type { RLock } from './rlock.js';

/** Options of a {@link SharedArray}. */
export interface SharedArrayOptions {
  /** The lock that comes with it: an RLock of its own, none, or this one. Default `true`. */
  readonly lock?: LockChoice;
}

/** What an array is, at the moment of the call. */
export interface SharedArrayStats {
  readonly type: NumberType;
  readonly length: number;
  readonly sizeBytes: number;
  /** Process that has its lock; `null` while it is free, or if there is none. */
  readonly ownerPid: number | null;
}

const MAKING = 'Making a SharedArray';
/** Whoever has a view has the array: its memory is not given to others. */
const arrayOfBuffer = new WeakMap<ArrayBuffer, SharedArray>();

/**
 * Numbers that processes and threads share, without copies: what one writes to `view` the others read there.
 *
 * @example
 * const array = new SharedArray('float64', [1.5, 2.5]);
 * array.view[1] = 4;
 * [...array]; // => [1.5, 4]
 */
export class SharedArray<T extends NumberType = NumberType>
  extends SharedObject
  implements Iterable<Element<T>>
{
  /** Type of the numbers. */
  readonly type: T;
  /** How many there are; never changes. */
  readonly length: number;
  readonly #lock: Lock | RLock | null;
  /** Made with it and for it alone. */
  readonly #ownsLock: boolean;
  readonly #cells: Cells<T>;
  #view: ArrayOf<T> | undefined;

  /**
   * @param content - How many numbers, all 0, or the numbers themselves.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: unknown type, no such length, a number of the wrong kind, or no lock.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the family has no room for it.
   */
  constructor(type: T, content: number | Iterable<Element<T>>, options?: SharedArrayOptions);
  /** @internal */
  constructor(type: T, content: number, options: SharedArrayOptions, handle: Handle);
  constructor(
    type: T,
    content: number | Iterable<Element<T>>,
    options: SharedArrayOptions = {},
    handle?: Handle,
  ) {
    checkedType(type, MAKING);
    const values = typeof content === 'number' ? null : [...content];
    const length = values?.length ?? (content as number);
    if (!Number.isInteger(length) || length < 0) {
      throw new UsageError(`${MAKING} failed: ${length} is no number of elements.`);
    }
    for (const value of values ?? []) checkElement(type, value, MAKING);
    const lock = dataLock(options.lock ?? true, MAKING);
    super(handle ?? takeBlock(KIND.ARRAY, length * bytesOf(type)).handle);
    this.type = type;
    this.length = length;
    this.#lock = lock;
    this.#ownsLock = options.lock === undefined || options.lock === true;
    this.#cells = new Cells(type, this.arena.bytes.buffer as ArrayBuffer, this.handle.block.at, length);
    values?.forEach((value, index) => {
      this.#cells.store(index, value);
    });
  }

  /**
   * The numbers as a live typed array, always the same one, over this memory alone: `structuredClone` copies it, and so does its
   * buffer's `transfer()`. Plain reads and writes, not atomic.
   *
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  get view(): ArrayOf<T> {
    this.open('Looking at the array');
    if (this.#view === undefined || (this.length > 0 && this.#view.length === 0)) {
      const { at } = this.handle.block;
      const sizeBytes = this.length * bytesOf(this.type);
      // An empty stretch of memory has no address.
      const buffer =
        sizeBytes === 0 ? new ArrayBuffer(0) : makeUserBuffer(this.arena.byteAddress(at), sizeBytes);
      arrayOfBuffer.set(buffer, this as unknown as SharedArray);
      this.#view = arrayOver(this.type, buffer, 0, this.length);
    }
    return this.#view;
  }

  #at(index: number, doing: string): number {
    this.open(doing);
    const at = index < 0 ? index + this.length : index;
    if (Number.isInteger(at) && at >= 0 && at < this.length) return at;
    throw new UsageError(
      `${doing} failed: index ${index} is out of range, the array has ${this.length} elements.`,
    );
  }

  /**
   * Element `index`; negative ones count from the end.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: the index is out of range.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  get(index: number): Element<T> {
    return this.#cells.load(this.#at(index, 'Reading an element'));
  }

  /** Sets element `index`; errors as {@link SharedArray.get}, and for a value of the wrong kind. */
  set(index: number, value: Element<T>): void {
    const at = this.#at(index, 'Setting an element');
    checkElement(this.type, value, 'Setting an element');
    this.#cells.store(at, value);
  }

  /** A copy of the elements from `start` up to, not including, `end`, as `Array.prototype.slice`. */
  slice(start?: number, end?: number): ArrayOf<T> {
    return this.view.slice(start, end) as ArrayOf<T>;
  }

  /** Adds to element `index` in one step; answers the value before. Errors as {@link SharedArray.set}. */
  add(index: number, by: Summand<T>): Element<T> {
    const at = this.#at(index, 'Adding');
    checkSummand(this.type, by, 'Adding');
    return this.#cells.add(at, by);
  }

  /** Subtracts from element `index` in one step; answers the value before. Errors as {@link SharedArray.set}. */
  sub(index: number, by: Summand<T>): Element<T> {
    const at = this.#at(index, 'Subtracting');
    checkSummand(this.type, by, 'Subtracting');
    return this.#cells.sub(at, by);
  }

  /** Sets element `index`; answers the value before. Errors as {@link SharedArray.set}. */
  exchange(index: number, value: Element<T>): Element<T> {
    const at = this.#at(index, 'Exchanging');
    checkElement(this.type, value, 'Exchanging');
    return this.#cells.exchange(at, value);
  }

  /** Sets element `index` if it is `expected`; answers the value before. Errors as {@link SharedArray.set}. */
  compareExchange(index: number, expected: Element<T>, value: Element<T>): Element<T> {
    const at = this.#at(index, 'Exchanging');
    checkElement(this.type, expected, 'Exchanging');
    checkElement(this.type, value, 'Exchanging');
    return this.#cells.compareExchange(at, expected, value);
  }

  /** The elements as they are when each is come to. */
  *[Symbol.iterator](): IterableIterator<Element<T>> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  /**
   * The lock that comes with it.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it has none.
   */
  getLock(): Lock | RLock {
    return checkedDataLock(this.#lock, 'array');
  }

  /** Runs `section` while this flow has the lock; errors as {@link RLock.acquire} and {@link SharedArray.getLock}. */
  runExclusive<R>(section: (guard: Guard) => R | PromiseLike<R>, options: WaitOptions = {}): Promise<R> {
    return this.getLock().runExclusive(section, options);
  }

  /** What it is, and who has its lock. */
  stats(): SharedArrayStats {
    this.open('Asking the array');
    return Object.freeze({
      type: this.type,
      length: this.length,
      sizeBytes: payloadBytes(this.arena, this.handle.block),
      ownerPid: this.#lock === null ? null : this.#lock.stats().ownerPid,
    });
  }

  /** As {@link SharedObject.close}; its view is empty from now on. */
  override close(): void {
    if (this.#view !== undefined) revokeUserBuffer(this.#view.buffer as ArrayBuffer);
    if (this.#ownsLock) this.#lock?.close();
    super.close();
  }

  /** @internal */
  get parts(): readonly [type: NumberType, length: number, lock: Lock | RLock | null] {
    return [this.type, this.length, this.#lock];
  }
}

registerHandleKind<SharedArray>(SharedArray, {
  id: KIND.ARRAY,
  handleOf: openHandleOf,
  partsOf: ({ parts }) => parts,
  revive: (handle, parts) => {
    const [type, length, lock] = parts as SharedArray['parts'];
    return new SharedArray(type, length, { lock: lock ?? false }, handle);
  },
});
