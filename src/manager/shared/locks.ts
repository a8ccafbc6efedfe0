import { type CallContext, type Ending, pythonError, SharedObject } from './shared-object.js';
import { Waiters } from './waiters.js';

/** What a condition needs of its lock. */
export interface ConditionLock {
  isHeldBy(context: CallContext): boolean;
  /** Gives it back however often it was taken; answers how often. */
  releaseFully(): number;
  takeAgain(context: CallContext, times: number): Promise<void>;
}

function checkedTimeout(blocking: unknown, timeout: unknown): number | null {
  if (blocking === false) return 0;
  return typeof timeout === 'number' && timeout >= 0 ? timeout : null;
}

/** A lock. Any process may release it; when the one that holds it dies, the next in line has it. */
export class SharedLock extends SharedObject implements ConditionLock {
  override readonly exposed: readonly string[] = ['acquire', 'release', 'locked'];
  readonly #waiters = new Waiters<true>();
  #isHeld = false;
  #forget: () => void = () => {};

  async acquire(context: CallContext, blocking?: unknown, timeout?: unknown): Promise<boolean> {
    if (!this.#isHeld) {
      this.#take(context);
      return true;
    }
    if (blocking === false) return false;
    return (await this.#waiters.wait(context, checkedTimeout(blocking, timeout), undefined)) !== undefined;
  }

  release(_context: CallContext): void {
    if (!this.#isHeld) throw pythonError('RuntimeError', 'release unlocked lock');
    this.#free();
  }

  locked(_context: CallContext): boolean {
    return this.#isHeld;
  }

  isHeldBy(_context: CallContext): boolean {
    return this.#isHeld;
  }

  releaseFully(): number {
    this.#free();
    return 1;
  }

  async takeAgain(context: CallContext): Promise<void> {
    await this.acquire(context);
  }

  #take({ client }: CallContext): void {
    this.#isHeld = true;
    this.#forget = () => {};
    if (client.isGone) this.#free();
    else this.#forget = client.onGone(() => this.#free());
  }

  #free(): void {
    this.#forget();
    this.#isHeld = false;
    const next = this.#waiters.grant(true);
    if (next !== undefined) this.#take(next.context);
  }
}

/** A lock that its holder can take again; the holder is a connection, as in Python, and its end gives the lock back. */
export class SharedRLock extends SharedObject implements ConditionLock {
  override readonly exposed: readonly string[] = ['acquire', 'release'];
  readonly #waiters = new Waiters<true, number>();
  #holder: Ending | undefined;
  #times = 0;
  #forget: () => void = () => {};

  async acquire(context: CallContext, blocking?: unknown, timeout?: unknown): Promise<boolean> {
    if (this.#holder === context.lane) {
      this.#times++;
      return true;
    }
    if (this.#holder === undefined) {
      this.#take(context, 1);
      return true;
    }
    if (blocking === false) return false;
    return (await this.#waiters.wait(context, checkedTimeout(blocking, timeout), 1)) !== undefined;
  }

  release(context: CallContext): void {
    if (!this.isHeldBy(context)) throw pythonError('RuntimeError', 'cannot release un-acquired lock');
    this.#times--;
    if (this.#times === 0) this.#free();
  }

  isHeldBy({ lane }: CallContext): boolean {
    return this.#holder === lane;
  }

  releaseFully(): number {
    const times = this.#times;
    this.#free();
    return times;
  }

  async takeAgain(context: CallContext, times: number): Promise<void> {
    if (this.#holder === undefined) this.#take(context, times);
    else await this.#waiters.wait(context, null, times);
  }

  #take({ lane }: CallContext, times: number): void {
    this.#holder = lane;
    this.#times = times;
    this.#forget = () => {};
    if (lane.isGone) this.#free();
    else this.#forget = lane.onGone(() => this.#free());
  }

  #free(): void {
    this.#forget();
    this.#holder = undefined;
    this.#times = 0;
    const next = this.#waiters.grant(true);
    if (next !== undefined) this.#take(next.context, next.offer);
  }
}

/** Counts permits; those of a process that dies are given back. */
export class SharedSemaphore extends SharedObject {
  override readonly exposed: readonly string[] = ['acquire', 'release', 'get_value'];
  readonly #waiters = new Waiters<true>();
  readonly #most: number;
  #value: number;
  readonly #held = new Map<Ending, { count: number; readonly forget: () => void }>();

  /** @param most - Above it `release` is an error. */
  constructor(value: number, most: number = Number.POSITIVE_INFINITY) {
    super();
    if (!Number.isInteger(value) || value < 0) {
      throw pythonError('ValueError', 'semaphore initial value must be >= 0');
    }
    this.#value = value;
    this.#most = most;
  }

  async acquire(context: CallContext, blocking?: unknown, timeout?: unknown): Promise<boolean> {
    if (this.#value > 0) {
      this.#value--;
      this.#note(context.client);
      return true;
    }
    if (blocking === false) return false;
    return (await this.#waiters.wait(context, checkedTimeout(blocking, timeout), undefined)) !== undefined;
  }

  release({ client }: CallContext, count: unknown = 1): void {
    const times = typeof count === 'number' && count >= 1 ? Math.floor(count) : 1;
    if (this.#value + times > this.#most) {
      throw pythonError('ValueError', 'Semaphore released too many times');
    }
    for (let left = times; left > 0; left--) {
      this.#forget(client);
      this.#give();
    }
  }

  get_value(_context: CallContext): number {
    return this.#value;
  }

  #note(client: Ending): void {
    const held = this.#held.get(client);
    if (held !== undefined) {
      held.count++;
      return;
    }
    if (client.isGone) this.#give();
    else this.#held.set(client, { count: 1, forget: client.onGone(() => this.#giveBackOf(client)) });
  }

  #forget(client: Ending): void {
    const held = this.#held.get(client);
    if (held === undefined) return;
    held.count--;
    if (held.count > 0) return;
    held.forget();
    this.#held.delete(client);
  }

  #giveBackOf(client: Ending): void {
    const count = this.#held.get(client)?.count ?? 0;
    this.#held.delete(client);
    for (let left = count; left > 0; left--) this.#give();
  }

  #give(): void {
    const next = this.#waiters.grant(true);
    if (next === undefined) this.#value++;
    else this.#note(next.context.client);
  }
}
