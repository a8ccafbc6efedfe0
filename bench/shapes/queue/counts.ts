import type { Mode } from '../../runner/plan.js';

export interface QueueCounts {
  /** Small items that one observation moves. */
  readonly items: number;
  readonly warmUpTrips: number;
  readonly trips: number;
  /** Bytes of large messages that one observation moves. */
  readonly volumeBytes: number;
}

export function countsOf(mode: Mode): QueueCounts {
  return mode === 'full'
    ? { items: 200_000, warmUpTrips: 2000, trips: 20_000, volumeBytes: 2 ** 30 }
    : { items: 4000, warmUpTrips: 100, trips: 500, volumeBytes: 2 ** 27 };
}

/** A small item, the same for everybody. */
export interface Item {
  readonly id: number;
  readonly name: string;
  readonly isReady: boolean;
}

export function makeItem(id: number): Item {
  return { id, name: 'item', isReady: true };
}

/** Items in a second, `count` of which took `elapsedMs`. */
export function perSecond(count: number, elapsedMs: number): { perSecond: number } {
  return { perSecond: (count / elapsedMs) * 1000 };
}

/** The rate of `count` messages of `bytes` each that took `elapsedMs`. */
export function mebibytes(count: number, bytes: number, elapsedMs: number): { mebibytes: number } {
  return { mebibytes: ((count * bytes) / 2 ** 20 / elapsedMs) * 1000 };
}
