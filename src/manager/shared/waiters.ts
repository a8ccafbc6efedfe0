import { after } from '../../connection/waiting.js';
import type { CallContext } from './shared-object.js';

interface Waiter<Given, Offer> {
  readonly context: CallContext;
  readonly offer: Offer;
  settle(outcome: { readonly given: Given } | undefined): void;
}

/** Calls that wait for something of an object, in order. One whose connection ends, or whose time is over, waits no more. */
export class Waiters<Given, Offer = undefined> {
  readonly #queue: Waiter<Given, Offer>[] = [];

  get size(): number {
    return this.#queue.length;
  }

  /**
   * Waits for its turn; `undefined` when `seconds` are over first, or the caller is gone.
   *
   * @param seconds - `null` or a negative number: for ever.
   */
  wait(
    context: CallContext,
    seconds: number | null,
    offer: Offer,
  ): Promise<{ readonly given: Given } | undefined> {
    return new Promise((resolve) => {
      const waiter: Waiter<Given, Offer> = {
        context,
        offer,
        settle: (outcome) => {
          stopTimer();
          stopWatching();
          const at = this.#queue.indexOf(waiter);
          if (at >= 0) this.#queue.splice(at, 1);
          resolve(outcome);
        },
      };
      const giveUp = (): void => waiter.settle(undefined);
      const isEndless = seconds === null || seconds < 0;
      const stopTimer = isEndless ? () => {} : after(seconds * 1000, giveUp);
      this.#queue.push(waiter);
      let stopWatching = (): void => {};
      stopWatching = context.lane.onGone(giveUp);
    });
  }

  /** Ends the first wait; answers who waited and with what offer. */
  grant(given: Given): { readonly context: CallContext; readonly offer: Offer } | undefined {
    const waiter = this.#queue[0];
    waiter?.settle({ given });
    return waiter;
  }

  grantAll(given: Given): void {
    while (this.grant(given) !== undefined);
  }
}
