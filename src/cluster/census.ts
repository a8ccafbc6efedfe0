import type { Redis } from 'ioredis';
import type { Names } from './names.js';

/** A worker that has not said for so long that it lives counts no more, in milliseconds. */
export const PRESUMED_DEAD_MS = 15_000;

/** What a worker says of itself. */
export interface WorkerView {
  readonly id: string;
  readonly jobs: number;
  readonly tags: readonly string[];
  readonly seenAt: number;
}

/** Which workers there are, as a caller knows. */
export class Census {
  readonly #names: Names;
  readonly #requires: readonly string[];
  #workers: readonly WorkerView[] = [];

  constructor(names: Names, requires: readonly string[]) {
    this.#names = names;
    this.#requires = requires;
  }

  /** Workers that may have this caller's work. */
  get workers(): readonly WorkerView[] {
    return this.#workers;
  }

  /** Processes that run tasks, in all of them. */
  get processes(): number {
    return this.#workers.reduce((sum, { jobs }) => sum + jobs, 0);
  }

  async take(redis: Redis): Promise<void> {
    const [seconds = '0', micros = '0'] = (await redis.time()).map(String);
    const now = Number(seconds) * 1000 + Number(micros) / 1000;
    const known = Object.entries(await redis.hgetall(this.#names.workers)).flatMap(([id, text]) =>
      viewOf(id, text),
    );
    const gone = known.filter(({ seenAt }) => now - seenAt > PRESUMED_DEAD_MS);
    if (gone.length > 0) await redis.hdel(this.#names.workers, ...gone.map(({ id }) => id));
    this.#workers = known.filter(
      (one) => !gone.includes(one) && this.#requires.every((tag) => one.tags.includes(tag)),
    );
  }
}

function viewOf(id: string, text: string): WorkerView[] {
  try {
    const { jobs, tags, seenAt } = JSON.parse(text) as Partial<WorkerView>;
    if (typeof jobs !== 'number' || typeof seenAt !== 'number' || !Array.isArray(tags)) return [];
    return [{ id, jobs, tags, seenAt }];
  } catch {
    return [];
  }
}

/** What a worker leaves for callers to find. */
export function entryOf(jobs: number, tags: readonly string[], seenAt: number): string {
  return JSON.stringify({ jobs, tags, seenAt });
}
