import type { Redis } from 'ioredis';
import type { Names } from './names.js';

/** One entry of a run's stream of results. */
export interface ResultEntry {
  readonly id: string;
  readonly chunk: number;
  readonly kind: 'result' | 'refusal';
  readonly bytes: Buffer;
  /** It had a key of its own. */
  readonly isLarge: boolean;
}

/** Longest wait of one read, in milliseconds: the connection is heard from so often. */
const BLOCK_MS = 4000;
/** Entries of one run that are read at a time. */
const AT_A_TIME = 64;
const FROM_THE_START = '0-0';

/** Reads the results of all runs of one caller, in one blocking read. */
export class ResultReader {
  readonly #redis: Redis;
  /** Reads large results and adds to the stream by which a new run interrupts the read. */
  readonly #commands: Redis;
  readonly #names: Names;
  readonly #wakeKey: string;
  readonly #onEntry: (runId: string, entry: ResultEntry) => void;
  /** Where the reading of each run stands. */
  readonly #positions = new Map<string, string>();
  #wakePosition = FROM_THE_START;
  #isClosed = false;
  #loop: Promise<void> | undefined;

  constructor(
    redis: Redis,
    commands: Redis,
    names: Names,
    wakeKey: string,
    onEntry: (runId: string, entry: ResultEntry) => void,
  ) {
    this.#redis = redis;
    this.#commands = commands;
    this.#names = names;
    this.#wakeKey = wakeKey;
    this.#onEntry = onEntry;
    // What was said while nobody was there to hear it stands in the streams still.
    redis.on('ready', () => this.rereadAll());
  }

  add(runId: string): void {
    this.#positions.set(runId, FROM_THE_START);
    this.#loop ??= this.#read();
    // A read that blocks knows nothing of the new run: this ends it. If the engine loses it, the read ends by itself.
    void this.#commands.xadd(this.#wakeKey, 'MAXLEN', 1, '*', 'w', '1').catch(() => {});
  }

  drop(runId: string): void {
    this.#positions.delete(runId);
  }

  /** Reads again everything that was not taken off the stream. */
  rereadAll(): void {
    for (const runId of this.#positions.keys()) this.#positions.set(runId, FROM_THE_START);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#redis.disconnect();
    await this.#loop;
    await this.#commands.del(this.#wakeKey).catch(() => {});
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#readOnce();
      } catch {
        // The connection is being made anew, or was closed. What failed to be read is read again.
        if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async #readOnce(): Promise<void> {
    const runs = [...this.#positions];
    const keys = [this.#wakeKey, ...runs.map(([runId]) => this.#names.results(runId))];
    const positions = [this.#wakePosition, ...runs.map(([, position]) => position)];
    const found = (await this.#redis.callBuffer(
      'XREAD',
      ...['COUNT', AT_A_TIME, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...positions],
    )) as readonly (readonly [Buffer, readonly (readonly [Buffer, readonly Buffer[]])[]])[] | null;
    for (const [key, entries] of found ?? []) {
      const name = key.toString();
      const last = entries.at(-1)?.[0].toString();
      if (last === undefined) continue;
      const at = keys.indexOf(name);
      if (at === 0) this.#wakePosition = last;
      else await this.#take(runs[at - 1] as readonly [string, string], entries, last);
    }
  }

  async #take(
    [runId, position]: readonly [string, string],
    entries: readonly (readonly [Buffer, readonly Buffer[]])[],
    last: string,
  ): Promise<void> {
    for (const [id, fields] of entries) {
      const entry = await this.#entry(runId, id.toString(), fields);
      // The run may have ended meanwhile.
      if (entry !== undefined && this.#positions.has(runId)) this.#onEntry(runId, entry);
    }
    // Unless it was set back meanwhile.
    if (this.#positions.get(runId) === position) this.#positions.set(runId, last);
  }

  async #entry(runId: string, id: string, fields: readonly Buffer[]): Promise<ResultEntry | undefined> {
    const chunk = Number(fields[1]?.toString());
    const kind = fields[2]?.toString();
    const bytes = kind === 'l' ? await this.#commands.getBuffer(this.#names.large(runId, chunk)) : fields[3];
    // One whose bytes have expired is run again when its caller misses it.
    if (bytes === undefined || bytes === null || !Number.isSafeInteger(chunk)) return undefined;
    return { id, chunk, kind: kind === 'x' ? 'refusal' : 'result', bytes, isLarge: kind === 'l' };
  }
}
