import type { Block } from '../arena/allocator.js';
import { Lending } from '../arena/lending.js';
import { attachHandle, type Handle, openBlock } from '../arena/local-handles.js';
import { ClosedError } from '../base/errors.js';

/** Asks for a message to be received without a copy. */
export interface ZeroCopy {
  /** Arrays of 4 KiB and more are looked at where they lie in shared memory, until the {@link Loan} is closed. */
  readonly zeroCopy: true;
}

/** Asks for a message to be received as a copy, as it is by default. */
export interface WithCopy {
  readonly zeroCopy?: false | undefined;
}

/** Whoever has a buffer of a loan has the loan: its memory is not given to others. */
const loanOfBuffer = new WeakMap<ArrayBuffer, Loan<unknown>>();

/**
 * A message that was received with `zeroCopy`. Its typed arrays, buffers and views of 4 KiB and more lie in shared memory where the sender has
 * put them; all else is a copy. They are this process's alone and may be written. Closing the loan gives the memory back and leaves these arrays
 * empty; what is never closed is given back when nothing of the loan is used any more, or when the process ends, in whatever way.
 *
 * @example
 * const queue = new Queue<Float64Array>();
 * await queue.put(new Float64Array(1000).fill(2));
 * const loan = await queue.get({ zeroCopy: true });
 * const samples = loan.value;
 * samples[999]; // => 2
 * loan.close();
 * samples.length; // => 0
 */
export class Loan<T> implements Disposable {
  #value: T | undefined;
  #isClosed = false;
  readonly #lent: Lent | undefined;

  /** @internal */
  constructor(value: T, lent?: Lent) {
    this.#value = value;
    this.#lent = lent;
    if (lent === undefined) return;
    attachHandle(this, lent.handle);
    for (const buffer of lent.lending.buffers) loanOfBuffer.set(buffer, this as Loan<unknown>);
  }

  /**
   * What was received.
   *
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: the loan was closed, or its process has left the family by `os.fork()`.
   */
  get value(): T {
    if (!this.isClosed) return this.#value as T;
    throw new ClosedError('Looking at a loan failed: it was closed. Copy what is needed for longer.');
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed || (this.#lent?.handle.isClosed ?? false);
  }

  /** Gives the memory back: what was lent is empty from now on. May be called twice. */
  close(): void {
    if (this.isClosed) return;
    this.#isClosed = true;
    this.#value = undefined;
    if (this.#lent !== undefined) giveBack(this.#lent);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** What a loan has of shared memory. */
interface Lent {
  readonly handle: Handle;
  readonly lending: Lending;
  /** Leaves the block to be written again, while it is still held. */
  readonly leave: () => void;
}

function giveBack({ handle, lending, leave }: Lent): void {
  lending.end();
  // What a forked child looks at is freed by the last of them, and not written again before.
  if (!handle.local.isForked) leave();
  handle.close();
}

/**
 * Reads a message that lies in `block`, which this process holds; the loan lets go of it, or this does where nothing was lent, or on an error.
 *
 * @param leave - Leaves the block to be written again, while it is still held.
 */
export function lendFrom<T>(block: Block, leave: () => void, read: (lending: Lending) => T): Loan<T> {
  const handle = openBlock(block);
  const lent: Lent = { handle, lending: new Lending(handle.local.arena), leave };
  let value: T;
  try {
    value = read(lent.lending);
  } catch (error) {
    giveBack(lent);
    throw error;
  }
  if (lent.lending.buffers.length > 0) return new Loan(value, lent);
  giveBack(lent);
  return new Loan(value);
}
