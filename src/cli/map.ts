import { functionIn, NotSendableError, Pool, type PoolOptions, WorkerLostError } from '../index.js';
import { errorLine, errorTrace } from './error-line.js';
import { gatherInputs, type Inputs } from './inputs.js';
import type { callTarget } from './map-worker.js';
import { EXIT, Mistake } from './mistake.js';
import { MAP_WORKER } from './own-files.js';
import { NO_PROGRESS, type Progress, showProgress } from './progress.js';
import { ResultLines } from './result-lines.js';
import { findTarget, type Target } from './target.js';

/** Options of `furca map`, as its help names them. */
export interface MapOptions {
  readonly jobs?: number;
  readonly chunkSize?: number;
  readonly taskTimeoutMs?: number;
  readonly retries?: number;
  readonly backoffMs?: number;
  readonly maxTasksPerChild?: number;
  readonly maxMemoryMb?: number;
  readonly trace?: string;
  readonly unordered?: true;
  readonly withInput?: true;
  readonly keepGoing?: true;
  readonly stack?: true;
  readonly glob: boolean;
  readonly allowEmpty?: true;
  readonly null?: true;
  readonly progress: boolean;
}

/** How long a worker's death by Ctrl-C waits for this process to hear of the key too. */
const INTERRUPT_GRACE_MS = 500;

/**
 * Gives each input to a function of a module, in many processes, and prints the results as lines of JSON.
 *
 * @param specifier - `module[#export]`.
 * @param words - Inputs as on the command line.
 * @returns the exit code. Ctrl-C, SIGTERM and a closed stdout end the process before this resolves.
 * @throws {@link Mistake} the command was used wrongly; nothing was printed.
 */
export async function mapInputs(
  specifier: string,
  words: readonly string[],
  options: MapOptions,
): Promise<number> {
  const target = findTarget(specifier);
  if (words.length === 0 && process.stdin.isTTY) {
    process.stderr.write('furca map: reading inputs from the terminal, one a line; Ctrl-D ends them\n');
  }
  const inputs = await gatherInputs(words, process.stdin, {
    isGlobbing: options.glob,
    mayBeEmpty: options.allowEmpty === true,
    separator: options.null === true ? '\0' : '\n',
  });
  return new MapRun(options, inputs).run(workerUrl(target));
}

/** The export of the worker's module that the pool calls. */
const TASK = 'callTarget';

/** The module of the workers, told their target by its URL: it is loaded once in each, with the target. */
function workerUrl(target: Target): URL {
  const url = new URL(MAP_WORKER);
  url.searchParams.set('target', JSON.stringify(target));
  return url;
}

class MapRun {
  readonly #options: MapOptions;
  readonly #inputs: Inputs;
  readonly #pool: Pool;
  readonly #progress: Progress;
  readonly #lines = new ResultLines(process.stdout);
  /** Inputs that were handed to the pool and are not settled, by index. */
  readonly #waiting = new Map<number, string>();
  #failed = 0;
  #settled = 0;

  constructor(options: MapOptions, inputs: Inputs) {
    this.#options = options;
    this.#inputs = inputs;
    this.#pool = new Pool(options.jobs, poolOptionsOf(options));
    const isShown = options.progress && process.stderr.isTTY && inputs.total !== 0;
    this.#progress = isShown ? showProgress(inputs.total) : NO_PROGRESS;
  }

  async run(url: URL): Promise<number> {
    process.once('SIGINT', () => this.#leave(EXIT.SIGINT));
    process.once('SIGTERM', () => this.#leave(EXIT.SIGTERM));
    // As with `grep | head`: who closes the pipe has read enough. A failure that was reported still counts.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === 'EPIPE';
      if (!isClosed) process.stderr.write(`furca map: stdout cannot be written: ${error.message}\n`);
      this.#leave(isClosed && this.#failed === 0 ? EXIT.OK : EXIT.FAILED);
    });
    try {
      const isDone = await this.#consume(url);
      await (isDone ? this.#pool.close() : this.#pool.terminate());
      await this.#lines.end();
    } finally {
      this.#progress.stop();
    }
    return this.#summary();
  }

  /** @returns `false` when it stopped at a failure. */
  async #consume(url: URL): Promise<boolean> {
    const { chunkSize, unordered, keepGoing } = this.#options;
    const task = functionIn<typeof callTarget>(url, TASK);
    const results = this.#pool.imapSettled(task, this.#handOut(), {
      unordered: unordered === true,
      ...(chunkSize === undefined ? {} : { chunkSize }),
    });
    for (;;) {
      // Not `for await`: leaving such a loop waits for the inputs to end, and stdin may stay open for long.
      const { done, value: result } = await results.next();
      if (done === true) return true;
      const input = this.#waiting.get(result.index) ?? '';
      this.#waiting.delete(result.index);
      this.#settled++;
      this.#progress.advance(result.status === 'rejected');
      if (result.status === 'rejected') {
        await this.#report(input, result.reason);
        if (keepGoing !== true) return false;
      } else {
        const untilRead = this.#lines.write(this.#lineOf(result.index, input, result.value));
        if (untilRead !== undefined) await untilRead;
      }
    }
  }

  async *#handOut(): AsyncGenerator<string, void, undefined> {
    let index = 0;
    try {
      for await (const input of this.#inputs.items) {
        this.#waiting.set(index++, input);
        yield input;
      }
    } catch (error) {
      throw new Mistake(`stdin cannot be read: ${(error as Error).message}`);
    }
  }

  #lineOf(index: number, input: string, json: string): string {
    if (this.#options.unordered !== true && this.#options.withInput !== true) return json;
    return `{"index":${index},"input":${JSON.stringify(input)},"value":${json}}`;
  }

  async #report(input: string, reason: unknown): Promise<void> {
    // The function never was there: that is no failure of this input.
    if (reason instanceof NotSendableError && reason.path === TASK && reason.cause instanceof Error) {
      throw new Mistake(reason.cause.message);
    }
    if (reason instanceof WorkerLostError && reason.signal === 'SIGINT') {
      await new Promise((resolve) => setTimeout(resolve, INTERRUPT_GRACE_MS));
    }
    this.#failed++;
    // On a terminal, what came before stands before.
    this.#lines.flush();
    const why = this.#options.stack === true ? errorTrace(reason) : errorLine(reason);
    process.stderr.write(`furca map: ${JSON.stringify(input)} failed: ${why}\n`);
  }

  #summary(): number {
    if (this.#failed === 0) return EXIT.OK;
    if (this.#options.keepGoing === true) {
      process.stderr.write(`furca map: ${this.#failed} of ${this.#settled} inputs failed\n`);
    }
    return EXIT.FAILED;
  }

  /** Ends the family at once: workers that would rather not end are not asked. */
  #leave(exitCode: number): never {
    for (const pid of this.#pool.stats().pids) kill(pid);
    this.#progress.stop();
    process.exit(exitCode);
  }
}

function poolOptionsOf(options: MapOptions): PoolOptions {
  const { taskTimeoutMs, retries, backoffMs, maxTasksPerChild, maxMemoryMb, trace } = options;
  return {
    ...(taskTimeoutMs === undefined ? {} : { taskTimeoutMs }),
    ...(retries === undefined ? {} : { retries }),
    ...(backoffMs === undefined ? {} : { backoffMs }),
    ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
    ...(maxMemoryMb === undefined ? {} : { maxMemoryPerChildBytes: maxMemoryMb * 1024 * 1024 }),
    ...(trace === undefined ? {} : { trace }),
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
