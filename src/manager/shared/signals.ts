import { PythonError } from '../../pickle/python-values.js';
import { type ConditionLock, SharedRLock } from './locks.js';
import { type CallContext, pythonError, SharedObject } from './shared-object.js';
import { Waiters } from './waiters.js';

function secondsOf(timeout: unknown): number | null {
  return typeof timeout === 'number' ? Math.max(0, timeout) : null;
}

/** An event. */
export class SharedEvent extends SharedObject {
  override readonly exposed: readonly string[] = ['is_set', 'set', 'clear', 'wait'];
  readonly #waiters = new Waiters<true>();
  #isSet = false;

  is_set(_context: CallContext): boolean {
    return this.#isSet;
  }

  set(_context: CallContext): void {
    this.#isSet = true;
    this.#waiters.grantAll(true);
  }

  clear(_context: CallContext): void {
    this.#isSet = false;
  }

  async wait(context: CallContext, timeout?: unknown): Promise<boolean> {
    if (this.#isSet) return true;
    return (await this.#waiters.wait(context, secondsOf(timeout), undefined)) !== undefined;
  }
}

/** A condition and its lock. */
export class SharedCondition extends SharedObject {
  override readonly exposed: readonly string[] = ['acquire', 'release', 'wait', 'notify', 'notify_all'];
  readonly #lock: SharedObject & ConditionLock;
  readonly #waiters = new Waiters<true>();

  constructor(lock: SharedObject & ConditionLock = new SharedRLock()) {
    super();
    this.#lock = lock;
  }

  acquire(context: CallContext, ...args: readonly unknown[]): Promise<boolean> {
    return (this.#lock as SharedRLock).acquire(context, ...args);
  }

  release(context: CallContext): void {
    (this.#lock as SharedRLock).release(context);
  }

  async wait(context: CallContext, timeout?: unknown): Promise<boolean> {
    this.#assertHeld(context, 'wait on');
    const times = this.#lock.releaseFully();
    const isNotified = (await this.#waiters.wait(context, secondsOf(timeout), undefined)) !== undefined;
    if (!context.lane.isGone) await this.#lock.takeAgain(context, times);
    return isNotified;
  }

  notify(context: CallContext, count: unknown = 1): void {
    this.#assertHeld(context, 'notify on');
    for (let left = Number(count); left > 0 && this.#waiters.grant(true) !== undefined; left--);
  }

  notify_all(context: CallContext): void {
    this.#assertHeld(context, 'notify on');
    this.#waiters.grantAll(true);
  }

  #assertHeld(context: CallContext, doing: string): void {
    if (!this.#lock.isHeldBy(context)) throw pythonError('RuntimeError', `cannot ${doing} un-acquired lock`);
  }
}

/** A barrier. A party that dies while it waits breaks it, so that the others need not wait for ever. */
export class SharedBarrier extends SharedObject {
  override readonly exposed: readonly string[] = ['__getattribute__', 'wait', 'abort', 'reset'];
  readonly #parties: number;
  readonly #waiters = new Waiters<'passed' | 'broken'>();
  #isBroken = false;

  constructor(parties: number) {
    super();
    if (!Number.isInteger(parties) || parties < 1) throw pythonError('ValueError', 'parties must be >= 1');
    this.#parties = parties;
  }

  async wait(context: CallContext, timeout?: unknown): Promise<number> {
    if (this.#isBroken) throw broken();
    const number = this.#waiters.size;
    if (number + 1 === this.#parties) {
      this.#waiters.grantAll('passed');
      return number;
    }
    const outcome = await this.#waiters.wait(context, secondsOf(timeout), undefined);
    if (outcome?.given === 'passed') return number;
    // Timed out, or the party is gone: without it the others can never pass.
    if (outcome === undefined) this.abort(context);
    throw broken();
  }

  abort(_context: CallContext): void {
    this.#isBroken = true;
    this.#waiters.grantAll('broken');
  }

  reset(_context: CallContext): void {
    this.#waiters.grantAll('broken');
    this.#isBroken = false;
  }

  __getattribute__(_context: CallContext, name: unknown): number | boolean {
    if (name === 'parties') return this.#parties;
    if (name === 'n_waiting') return this.#waiters.size;
    if (name === 'broken') return this.#isBroken;
    throw pythonError('AttributeError', `'Barrier' object has no attribute '${String(name)}'`);
  }
}

function broken(): PythonError {
  return new PythonError('BrokenBarrierError', [], { module: 'threading' });
}
