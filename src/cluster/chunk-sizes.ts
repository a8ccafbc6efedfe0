/** Time of work that a chunk shall hold at first, in milliseconds. */
const CHUNK_MS = 50;
const LONGEST_CHUNK_MS = 5000;
/** Beyond so many chunks a second the engine is spared: chunks get longer. Below the lower bound they get shorter again. */
const MOST_PER_SECOND = 250;
const FEW_PER_SECOND = 60;
const LARGEST_CHUNK = 16_384;
const LARGEST_BYTES = 512 * 1024;
/** A chunk is at most this much larger than the one before of which the time is known. */
const GROWTH = 8;

/** How many items travel together, by the time that items took so far. */
export class ChunkSizes {
  readonly #wanted: number | undefined;
  #meanMs: number | undefined;
  #bytesPerItem = 0;
  #size = 1;
  #chunkMs = CHUNK_MS;
  #countedAt = performance.now();
  #counted = 0;

  /** @param wanted - What the caller asked for. */
  constructor(wanted: number | undefined) {
    this.#wanted = wanted;
  }

  /**
   * @param left - Items that are left, as far as is known.
   * @param processes - Processes that share them.
   */
  next(left: number, processes: number): number {
    if (this.#wanted !== undefined) return this.#wanted;
    const share = Math.max(1, Math.ceil(left / (Math.max(1, processes) * 3)));
    return Math.min(this.#size, share);
  }

  /** A chunk left. */
  sent(items: number, bytes: number): void {
    if (items > 0) this.#bytesPerItem = Math.max(this.#bytesPerItem * 0.9, bytes / items);
  }

  /** A chunk came back. */
  settled(items: number, meanMs: number | undefined): void {
    this.#meterRate();
    if (meanMs === undefined) return;
    this.#meanMs = this.#meanMs === undefined ? meanMs : this.#meanMs * 0.7 + meanMs * 0.3;
    const byTime = this.#chunkMs / Math.max(this.#meanMs, 1e-5);
    const byBytes = LARGEST_BYTES / Math.max(this.#bytesPerItem, 1);
    const most = Math.max(this.#size, items * GROWTH);
    this.#size = Math.max(1, Math.floor(Math.min(byTime, byBytes, most, LARGEST_CHUNK)));
  }

  #meterRate(): void {
    this.#counted += 1;
    const now = performance.now();
    const seconds = (now - this.#countedAt) / 1000;
    if (seconds < 1) return;
    const rate = this.#counted / seconds;
    if (rate > MOST_PER_SECOND) this.#chunkMs = Math.min(LONGEST_CHUNK_MS, this.#chunkMs * 2);
    else if (rate < FEW_PER_SECOND) this.#chunkMs = Math.max(CHUNK_MS, this.#chunkMs / 2);
    this.#countedAt = now;
    this.#counted = 0;
  }
}
