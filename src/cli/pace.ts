/** How far back the rate looks, in milliseconds: long enough to be steady, short enough to follow. */
const WINDOW_MS = 10_000;
const BAR_CELLS = 24;

interface Reading {
  readonly atMs: number;
  readonly done: number;
}

/** Measures how fast something goes on, and draws it. */
export class Pace {
  readonly #total: number | null;
  readonly #readings: Reading[];

  /** @param total - How much there is to do; `null` where nobody knows. */
  constructor(total: number | null, startMs: number) {
    this.#total = total;
    this.#readings = [{ atMs: startMs, done: 0 }];
  }

  /** Notes that `done` were done at `nowMs`. */
  note(done: number, nowMs: number): void {
    this.#readings.push({ atMs: nowMs, done });
    // The oldest one is kept until the next has left the window too, so that the window is always full.
    while (this.#readings.length > 2 && (this.#readings[1] as Reading).atMs <= nowMs - WINDOW_MS)
      this.#readings.shift();
  }

  /** Done per second, lately. */
  get rate(): number {
    const first = this.#readings[0] as Reading;
    const last = this.#readings.at(-1) as Reading;
    const elapsedMs = last.atMs - first.atMs;
    return elapsedMs <= 0 ? 0 : ((last.done - first.done) * 1000) / elapsedMs;
  }

  /** Such as `━━━━━━╌╌╌╌ 3,120 of 5,000 · 412/s · 5 s left · 2 failed`. */
  draw(failed: number): string {
    const { done } = this.#readings.at(-1) as Reading;
    const { rate } = this;
    const facts = [
      this.#total === null ? `${grouped(done)} done` : `${grouped(done)} of ${grouped(this.#total)}`,
    ];
    if (rate > 0) {
      facts.push(`${rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate))}/s`);
      if (this.#total !== null) facts.push(`${duration((this.#total - done) / rate)} left`);
    }
    if (failed > 0) facts.push(`${grouped(failed)} failed`);
    return `${this.#total === null ? '' : `${bar(done, this.#total)} `}${facts.join(' · ')}`;
  }
}

function bar(done: number, total: number): string {
  const full = total === 0 ? BAR_CELLS : Math.floor((done / total) * BAR_CELLS);
  return '━'.repeat(full) + '╌'.repeat(BAR_CELLS - full);
}

/** Such as `9 s`, `2 min 05 s`, `3 h 10 min`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(whole % 60)} s`;
  return `${grouped(Math.floor(minutes / 60))} h ${twoDigits(minutes % 60)} min`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `12345` as `12,345`. */
export function grouped(value: number): string {
  return value.toLocaleString('en');
}
