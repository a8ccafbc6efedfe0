import { EVENT, KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import { clearEvent, eventState, isSet, setEvent, wasSetSince } from '../arena/primitives/event-word.js';
import { joinWaiters, leaveWaiters, waitersOf } from '../arena/primitives/wait-set.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { Arrivals, type Gate, passGate, passGateSync } from '../arena/waiting.js';
import { TimeoutError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';

/** What an event is doing, at the moment of the call. */
export interface EventStats {
  readonly isSet: boolean;
  /** Processes and threads that wait. */
  readonly waiters: number;
}

const WAITING = 'Waiting for the event';

/**
 * A flag that processes, threads and async flows can wait for. Whoever waits when it is set is released, even if it is cleared at once.
 * Waiters that have died hold nothing up.
 *
 * @example
 * const event = new Event();
 * await event.wait({ timeoutMs: 5 }); // => false
 * event.set();
 * await event.wait(); // => true
 */
export class Event extends SharedObject {
  readonly #arrivals: Arrivals;

  /** Makes one that is not set. */
  constructor();
  /** @internal */
  constructor(handle?: Handle);
  constructor(handle: Handle = takeBlock(KIND.EVENT, EVENT.BYTES).handle) {
    super(handle);
    handle.local.shared ??= new Arrivals();
    this.#arrivals = handle.local.shared as Arrivals;
  }

  /** Sets the flag and releases all who wait. */
  set(): void {
    setEvent(this.arena, this.open('Setting the event'));
  }

  /** Takes the flag back: who waits from now on does wait. */
  clear(): void {
    clearEvent(this.arena, this.open('Clearing the event'));
  }

  /** Tells whether the flag is set. */
  isSet(): boolean {
    return isSet(eventState(this.arena, this.open('Asking the event')));
  }

  /**
   * Resolves with `true` once the flag is set, at once if it is.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; after it the answer is `false`. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait and rejects with its reason.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    try {
      await passGate(this.#gate(), WAITING, options);
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /** As {@link Event.wait}, but blocks this thread; its event loop stands still meanwhile. */
  waitSync(options: SyncWaitOptions = {}): boolean {
    try {
      passGateSync(this.#gate(), WAITING, options.timeoutMs);
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  #gate(): Gate {
    const word = this.open(WAITING);
    const { arena } = this;
    const arrivals = this.#arrivals;
    const state = eventState(arena, word);
    const pass = (): boolean => wasSetSince(arena, word, state);
    return {
      tryPass: pass,
      pass,
      arrive: () => {
        if (arrivals.add()) joinWaiters(arena, word, me());
      },
      leave: () => {
        if (arrivals.remove()) leaveWaiters(arena, word, me());
      },
    };
  }

  /** Whether it is set, and how many wait. */
  stats(): EventStats {
    const word = this.open('Asking the event');
    return Object.freeze({ isSet: this.isSet(), waiters: waitersOf(this.arena, word).length });
  }
}

registerHandleKind<Event>(Event, {
  id: KIND.EVENT,
  handleOf: openHandleOf,
  revive: (handle) => new Event(handle),
});
