import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { registerHandleKind } from '../wire/handles.js';
import { checkedDataLock, dataLock, type LockChoice } from './data-lock.js';
import type { Guard } from './guard.js';
import type { Lock } from './lock.js';
import {
  Cells,
  checkElement,
  checkedType,
  checkSummand,
  type Element,
  type NumberType,
  type Summand,
} from './number-types.js';
import type { RLock } from './rlock.js';

/** Options of a {@link Value}. */
export interface ValueOptions {
  /** The lock that comes with it: an RLock of its own, none, or this one. Default `true`. */
  readonly lock?: LockChoice;
}

/** What a value is, at the moment of the call. */
export interface ValueStats<T extends NumberType> {
  readonly type: T;
  readonly value: Element<T>;
  /** Process that has its lock; `null` while it is free, or if there is none. */
  readonly ownerPid: number | null;
}

/**
 * A number that processes and threads share. Each operation is one step for all others and needs no lock; for several that belong
 * together there is one.
 *
 * @example
 * const hits = new Value('int32', 40);
 * hits.add(2); // => 40
 * hits.value; // => 42
 */
export class Value<T extends NumberType = NumberType> extends SharedObject {
  /** Type of the number. */
  readonly type: T;
  readonly #lock: Lock | RLock | null;
  /** Made with it and for it alone. */
  readonly #ownsLock: boolean;
  readonly #cells: Cells<T>;
  readonly #index: number = 0;

  /**
   * @param initial - Default 0, or the character U+0000. Integers beyond the type's range wrap round.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: unknown type, a number of the wrong kind, or no lock.
   */
  constructor(type: T, initial?: Element<T>, options?: ValueOptions);
  /** @internal */
  constructor(type: T, initial: undefined, options: ValueOptions, handle: Handle);
  constructor(type: T, initial?: Element<T>, options: ValueOptions = {}, handle?: Handle) {
    checkedType(type, MAKING);
    if (initial !== undefined) checkElement(type, initial, MAKING);
    const lock = dataLock(options.lock ?? true, MAKING);
    super(handle ?? takeBlock(KIND.VALUE, 8).handle);
    this.type = type;
    this.#lock = lock;
    this.#ownsLock = options.lock === undefined || options.lock === true;
    this.#cells = new Cells(type, this.arena.bytes.buffer as ArrayBuffer, this.handle.block.at, 1);
    if (initial !== undefined) this.#cells.store(0, initial);
  }

  /** The number. */
  get value(): Element<T> {
    this.open('Reading the value');
    return this.#cells.load(this.#index);
  }

  set value(value: Element<T>) {
    this.#check(value, 'Setting the value');
    this.#cells.store(this.#index, value);
  }

  #check(value: unknown, doing: string): void {
    this.open(doing);
    checkElement(this.type, value, doing);
  }

  /** Adds `by`; answers the value before. Errors as the constructor, and `ERR_FURCA_CLOSED`. */
  add(by: Summand<T>): Element<T> {
    this.open('Adding');
    checkSummand(this.type, by, 'Adding');
    return this.#cells.add(this.#index, by);
  }

  /** Subtracts `by`; answers the value before. Errors as {@link Value.add}. */
  sub(by: Summand<T>): Element<T> {
    this.open('Subtracting');
    checkSummand(this.type, by, 'Subtracting');
    return this.#cells.sub(this.#index, by);
  }

  /** Sets the value; answers the one before. Errors as {@link Value.add}. */
  exchange(value: Element<T>): Element<T> {
    this.#check(value, 'Exchanging');
    return this.#cells.exchange(this.#index, value);
  }

  /** Sets the value if it is `expected`; answers the one before. Errors as {@link Value.add}. */
  compareExchange(expected: Element<T>, value: Element<T>): Element<T> {
    this.#check(expected, 'Exchanging');
    this.#check(value, 'Exchanging');
    return this.#cells.compareExchange(this.#index, expected, value);
  }

  /**
   * The lock that comes with it.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it has none.
   */
  getLock(): Lock | RLock {
    return checkedDataLock(this.#lock, 'value');
  }

  /** Runs `section` while this flow has the lock; errors as {@link RLock.acquire} and {@link Value.getLock}. */
  runExclusive<R>(section: (guard: Guard) => R | PromiseLike<R>, options: WaitOptions = {}): Promise<R> {
    return this.getLock().runExclusive(section, options);
  }

  /** The value, and who has its lock. */
  stats(): ValueStats<T> {
    const ownerPid = this.#lock === null ? null : this.#lock.stats().ownerPid;
    return Object.freeze({ type: this.type, value: this.value, ownerPid });
  }

  /** As {@link SharedObject.close}; a lock that was made with it is closed with it. */
  override close(): void {
    if (this.#ownsLock) this.#lock?.close();
    super.close();
  }

  /** @internal */
  get parts(): readonly [type: NumberType, lock: Lock | RLock | null] {
    return [this.type, this.#lock];
  }
}

const MAKING = 'Making a Value';

registerHandleKind<Value>(Value, {
  id: KIND.VALUE,
  handleOf: openHandleOf,
  partsOf: ({ parts }) => parts,
  revive: (handle, parts) => {
    const [type, lock] = parts as Value['parts'];
    return new Value(type, undefined, { lock: lock ?? false }, handle);
  },
});
