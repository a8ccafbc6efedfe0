import { callFailed, EAGAIN, EINTR, ETIMEDOUT } from './errno.js';
import { lastErrno, native, syscallNumbers } from './library.js';
import { type Mapping, mapPrivate, viewMapping } from './memory.js';

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
/** `struct robust_list_head`: list (here always empty), futex_offset, list_op_pending; 8 bytes each. */
export const ROBUST_HEAD_BYTES = 24;
const PENDING_INDEX = 2;

/** How a futex wait ended. `changed`: the word did not hold the expected value when the kernel looked. */
export type FutexWaitResult = 'woken' | 'changed' | 'timeout' | 'interrupted';

const timespec = new BigInt64Array(2);

/**
 * Blocks this thread while the word at `address` holds `expected`, `timeoutMs` at the longest (futex(2)).
 *
 * The wait is always bounded: with SA_RESTART an endless one would be resumed after a signal and the JavaScript handler of that signal
 * would never run. A wake-up may be spurious; the caller looks again.
 */
export function futexWait(address: number, expected: number, timeoutMs: number): FutexWaitResult {
  const bounded = Math.min(Math.max(timeoutMs, 0), 0x7fffffff);
  timespec[0] = BigInt(Math.floor(bounded / 1000));
  timespec[1] = BigInt(Math.floor((bounded % 1000) * 1e6));
  const result = native().syscall_buffer(
    syscallNumbers().futex,
    address,
    FUTEX_WAIT,
    expected,
    timespec,
    0,
    0,
  );
  if (result === 0) return 'woken';
  switch (lastErrno()) {
    case EAGAIN:
      return 'changed';
    case ETIMEDOUT:
      return 'timeout';
    case EINTR:
      return 'interrupted';
    default:
      throw callFailed('futex');
  }
}

/** Wakes up to `count` threads that wait on the word at `address`; answers how many were woken. */
export function futexWake(address: number, count: number): number {
  return native().syscall(syscallNumbers().futex, address, FUTEX_WAKE, count, 0, 0, 0);
}

/**
 * The kernel's note of which futex this thread is about to hold, so that it can mark it when the thread dies
 * (get_robust_list(2), Documentation/locking/robust-futexes).
 *
 * Only the `list_op_pending` field is used: the kernel treats that one word like a list entry and checks that it
 * really carries the dead thread's id. That suffices because a thread holds at most one internal lock at a time.
 */
export class RobustRegistration {
  readonly #head: Mapping;
  readonly #words: BigInt64Array;
  /** The same bytes: see `announce`. */
  readonly #doubles: Float64Array;
  #threadId = 0;
  #lastAddress = 0;
  #lastAsDouble = 0;

  /** @param address - Memory for the list's head, which must be there for as long as the thread is. Default: a page that is never given back. */
  constructor(address?: number) {
    this.#head = address === undefined ? mapPrivate(4096) : viewMapping(address, ROBUST_HEAD_BYTES);
    this.#words = new BigInt64Array(this.#head.buffer, 0, 3);
    this.#doubles = new Float64Array(this.#head.buffer, 0, 3);
    this.register();
  }

  /** Registers the calling thread; a forked child does so again, since fork(2) clears the registration. */
  register(): void {
    // An empty list points at its own head.
    this.#words[0] = BigInt(this.#head.address);
    this.#words[1] = 0n;
    this.#words[PENDING_INDEX] = 0n;
    const call = syscallNumbers().setRobustList;
    if (native().syscall(call, this.#head.address, ROBUST_HEAD_BYTES, 0, 0, 0, 0) !== 0) {
      throw callFailed('set_robust_list');
    }
    this.#threadId = native().gettid();
  }

  /** Kernel id of the registered thread: what its locks carry in their word. */
  get threadId(): number {
    return this.#threadId;
  }

  /** Names the futex word that this thread is about to take; it stays named until `clear`. */
  announce(address: number): void {
    // One store of eight bytes, without a BigInt for every lock: a subnormal double has the integer that it is a multiple of as its bits.
    if (address !== this.#lastAddress) {
      this.#lastAddress = address;
      this.#lastAsDouble = address * Number.MIN_VALUE;
    }
    this.#doubles[PENDING_INDEX] = this.#lastAsDouble;
  }

  /** Says that this thread holds no futex any more. */
  clear(): void {
    this.#doubles[PENDING_INDEX] = 0;
  }
}
