/** Places for each doubling of the time: an answer is at most a fifth too large. */
const PER_OCTAVE = 4;
const OCTAVES = 40;

/** How long something took, many times: count, mean, largest, and quantiles to about a fifth; all in milliseconds. */
export interface Distribution {
  readonly count: number;
  readonly meanMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Upper bound in milliseconds and count of each place that holds anything, shortest first. */
  readonly places: readonly (readonly [upToMs: number, count: number])[];
}

/** Counts times by their logarithm: a few instructions a time, whatever their number. */
export class Histogram {
  readonly #places = new Uint32Array(PER_OCTAVE * OCTAVES);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;
  #lastMs = Number.NaN;
  #lastPlace = 0;

  note(ms: number): void {
    if (ms !== this.#lastMs) {
      this.#lastMs = ms;
      if (ms > this.#maxMs) this.#maxMs = ms;
      const place = Math.ceil(Math.log2(Math.max(ms * 1000, 1)) * PER_OCTAVE);
      this.#lastPlace = Math.min(place, this.#places.length - 1);
    }
    this.again();
  }

  /** The same time as the last one, whose logarithm is known. */
  again(): void {
    this.#count++;
    this.#sumMs += this.#lastMs;
    this.#places[this.#lastPlace]!++;
  }

  snapshot(): Distribution {
    const places = [...this.#places.entries()]
      .filter(([, count]) => count > 0)
      .map(([place, count]) => [2 ** (place / PER_OCTAVE) / 1000, count] as const);
    const quantile = (share: number): number => {
      let left = share * this.#count;
      for (const [upToMs, count] of places) {
        left -= count;
        if (left <= 0) return Math.min(upToMs, this.#maxMs);
      }
      return this.#maxMs;
    };
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      maxMs: this.#maxMs,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      places,
    };
  }
}
