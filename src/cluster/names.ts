import { badClusterOption } from './failures.js';

/** Tags that a worker may have: it listens to a queue for each set of them. */
const MAX_TAGS = 5;
const NAME = /^[\w.-]{1,128}$/;

/** Keys of one queue. All of them have the same hash tag, so that a Redis cluster keeps them together. */
export class Names {
  readonly queue: string;
  readonly prefix: string;

  constructor(queue: string) {
    this.queue = queue;
    this.prefix = `{furca:${queue}}`;
  }

  /** The engine's queue of the work that needs workers with these tags. */
  chunks(requires: readonly string[]): string {
    return [this.queue, ...requires].join('+');
  }

  job(chunkQueue: string, jobId: string): string {
    return `${this.prefix}:${chunkQueue}:${jobId}`;
  }

  failed(chunkQueue: string): string {
    return `${this.prefix}:${chunkQueue}:failed`;
  }

  /** A hash: what is known of a run. Without it nobody works for the run any more. */
  run(runId: string): string {
    return `${this.prefix}:run:${runId}`;
  }

  /** A bitmap: chunks that have a result. */
  done(runId: string): string {
    return `${this.prefix}:run:${runId}:done`;
  }

  /** A stream: results that the caller has not taken. */
  results(runId: string): string {
    return `${this.prefix}:run:${runId}:results`;
  }

  /** A result too large to stand in the stream. */
  large(runId: string, chunk: number): string {
    return `${this.prefix}:run:${runId}:large:${chunk}`;
  }

  /** A function, by what it is. */
  code(codeId: string): string {
    return `${this.prefix}:code:${codeId}`;
  }

  /** A hash of the workers: until when each is known to live, and how many processes it has. */
  get workers(): string {
    return `${this.prefix}:workers`;
  }
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedName(name: string, value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw badClusterOption(name, 'a name of letters, digits, dot, dash and underscore');
}

/** Tags in order, each once. */
export function checkedTags(name: string, tags: unknown): readonly string[] {
  if (tags === undefined) return [];
  if (!Array.isArray(tags) || tags.length > MAX_TAGS)
    throw badClusterOption(name, `a list of at most ${MAX_TAGS} tags`);
  return [...new Set(tags.map((tag: unknown) => checkedName(name, tag)))].sort();
}

/** All sets of tags, the empty one too: the work that a worker with these tags may do. */
export function subsetsOf(tags: readonly string[]): readonly (readonly string[])[] {
  let sets: (readonly string[])[] = [[]];
  for (const tag of tags) sets = sets.concat(sets.map((set) => set.concat(tag)));
  return sets;
}
