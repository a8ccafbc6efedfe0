import type { SettledItem } from './stream-job.js';

/** Items of a stream that ended together, at indices that follow one another. */
export interface FinishedRun {
  readonly first: number;
  readonly status: SettledItem<unknown>['status'];
  /** What each returned, or threw. */
  readonly outcomes: readonly unknown[];
}

/**
 * Items of a stream that are through and not yet taken, in the order in which its consumer wants them. They are kept in the runs in
 * which they came: an object for each item would live just long enough to be expensive.
 */
export interface FinishedItems {
  readonly size: number;
  add(run: FinishedRun): void;
  /** The next item; `undefined` when it is not there yet. */
  take(): SettledItem<unknown> | undefined;
  clear(): void;
}

const NOTHING: FinishedRun = { first: 0, status: 'fulfilled', outcomes: [] };

/** The run that is being taken from. */
class Current {
  #run = NOTHING;
  #at = 0;

  get isUsedUp(): boolean {
    return this.#at >= this.#run.outcomes.length;
  }

  begin(run: FinishedRun): void {
    this.#run = run;
    this.#at = 0;
  }

  take(): SettledItem<unknown> {
    const { first, status, outcomes } = this.#run;
    const index = first + this.#at;
    const outcome = outcomes[this.#at++];
    return status === 'fulfilled' ? { index, status, value: outcome } : { index, status, reason: outcome };
  }
}

/** Items by their index. */
export class InOrder implements FinishedItems {
  readonly #runs = new Map<number, FinishedRun>();
  readonly #current = new Current();
  #next = 0;
  size = 0;

  add(run: FinishedRun): void {
    this.#runs.set(run.first, run);
    this.size += run.outcomes.length;
  }

  take(): SettledItem<unknown> | undefined {
    if (this.#current.isUsedUp) {
      const run = this.#runs.get(this.#next);
      if (run === undefined) return undefined;
      this.#runs.delete(this.#next);
      this.#next += run.outcomes.length;
      this.#current.begin(run);
    }
    this.size--;
    return this.#current.take();
  }

  clear(): void {
    this.#runs.clear();
    this.#current.begin(NOTHING);
    this.size = 0;
  }
}

/** What has been taken is cut off once it is so long, and half of all. */
const CUT_AT = 1024;

/** Items as they came. Not a Map: its first entry is found by a walk over all that were taken out before. */
export class AsTheyCome implements FinishedItems {
  #runs: (FinishedRun | undefined)[] = [];
  #head = 0;
  readonly #current = new Current();
  size = 0;

  add(run: FinishedRun): void {
    this.#runs.push(run);
    this.size += run.outcomes.length;
  }

  take(): SettledItem<unknown> | undefined {
    if (this.#current.isUsedUp) {
      const run = this.#runs[this.#head];
      if (run === undefined) return undefined;
      this.#current.begin(run);
      this.#dropFirst();
    }
    this.size--;
    return this.#current.take();
  }

  #dropFirst(): void {
    this.#runs[this.#head] = undefined;
    this.#head++;
    if (this.#head >= CUT_AT && this.#head * 2 >= this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#runs = [];
    this.#head = 0;
    this.#current.begin(NOTHING);
    this.size = 0;
  }
}
