import type { Spinner } from 'yocto-spinner';
import { badOption } from '../failures.js';
import { ownTimer } from '../own-timer.js';

/** How far the work of one call has come. */
export interface ProgressSnapshot {
  readonly done: number;
  /** Those of `done` that failed. */
  readonly failed: number;
  /** Number of items; `null` where nobody knows. */
  readonly total: number | null;
  readonly elapsedMs: number;
  readonly isOver: boolean;
}

/** Where progress goes: a bar on stderr, a function that is called a few times a second and at the end, or a {@link ProgressFeed}. */
export type ProgressOption = boolean | ((snapshot: ProgressSnapshot) => void) | ProgressFeed;

/** Nobody reads faster than this. */
const PAUSE_MS = 100;

/**
 * Snapshots of a call's progress, to be iterated over while it goes on; each is the latest there is.
 *
 * @example
 * const pool = new Pool(1);
 * const feed = new ProgressFeed();
 * const results = pool.map((x: number) => x, [1, 2, 3], { progress: feed });
 * let last = 0;
 * for await (const { done } of feed) last = done;
 * last; // => 3
 * await results; // => [1, 2, 3]
 * await pool.close();
 */
export class ProgressFeed implements AsyncIterable<ProgressSnapshot> {
  #latest: ProgressSnapshot | undefined;
  #isNew = false;
  #wake: (() => void) | undefined;

  /** Called by the pool. */
  publish(snapshot: ProgressSnapshot): void {
    this.#latest = snapshot;
    this.#isNew = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgressSnapshot, void, undefined> {
    for (;;) {
      if (!this.#isNew) {
        if (this.#latest?.isOver === true) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      this.#isNew = false;
      const latest = this.#latest as ProgressSnapshot;
      yield latest;
      if (latest.isOver) return;
    }
  }
}

/** Counts what a call has done and shows it. */
export class ProgressMeter {
  readonly #show: (snapshot: ProgressSnapshot) => void;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout;
  #total: number | null;
  #done = 0;
  #failed = 0;
  #isOver = false;

  private constructor(show: (snapshot: ProgressSnapshot) => void, total: number | null) {
    this.#show = show;
    this.#total = total;
    this.#timer = ownTimer(() => this.#tick(), PAUSE_MS);
  }

  /** @returns `undefined` when nobody wants to see it. */
  static of(option: ProgressOption | undefined, total: number | null): ProgressMeter | undefined {
    if (option === undefined || option === false) return undefined;
    if (option === true) return new ProgressMeter(bar(), total);
    if (option instanceof ProgressFeed) return new ProgressMeter((one) => option.publish(one), total);
    if (typeof option === 'function') return new ProgressMeter(option, total);
    throw badOption('progress', 'a boolean, a function or a ProgressFeed');
  }

  #tick(): void {
    this.#show(this.#snapshot());
    this.#timer = ownTimer(() => this.#tick(), PAUSE_MS);
  }

  settled(count: number, failed: number): void {
    this.#done += count;
    this.#failed += failed;
  }

  /** The number of items is known now. */
  set total(total: number) {
    this.#total = total;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#show(this.#snapshot());
  }

  #snapshot(): ProgressSnapshot {
    return Object.freeze({
      done: this.#done,
      failed: this.#failed,
      total: this.#total,
      elapsedMs: performance.now() - this.#startedAt,
      isOver: this.#isOver,
    });
  }
}

const BAR_CELLS = 24;

/** A line on stderr, where that is a terminal. */
function bar(): (snapshot: ProgressSnapshot) => void {
  let spinner: Spinner | undefined;
  let isOver = false;
  if (process.stderr.isTTY === true) {
    // Loaded only now: it listens to the process as soon as it is there.
    void import('yocto-spinner').then(({ default: make }) => {
      // The program itself decides what a signal does.
      if (!isOver) spinner = make({ handleSignals: false }).start();
    });
  }
  return (snapshot) => {
    isOver = snapshot.isOver;
    if (spinner === undefined) return;
    spinner.text = lineOf(snapshot).slice(0, Math.max(0, (process.stderr.columns || 80) - 3));
    if (snapshot.isOver) spinner.stop();
  };
}

/** Such as `━━━━━━╌╌╌╌ 3,120 of 5,000 · 412/s · 2 failed`. */
export function lineOf({ done, failed, total, elapsedMs }: ProgressSnapshot): string {
  const rate = elapsedMs > 0 ? Math.round((done * 1000) / elapsedMs) : 0;
  const facts = [
    total === null
      ? `${done.toLocaleString('en')} done`
      : `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`,
    `${rate.toLocaleString('en')}/s`,
    ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : []),
  ].join(' · ');
  if (total === null) return facts;
  const full = total === 0 ? BAR_CELLS : Math.floor((Math.min(done, total) / total) * BAR_CELLS);
  return `${'━'.repeat(full)}${'╌'.repeat(BAR_CELLS - full)} ${facts}`;
}
