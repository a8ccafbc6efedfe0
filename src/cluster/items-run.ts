import type { ProgressMeter } from '../pool/jobs/progress-meter.js';
import { encode } from '../wire/codec.js';
import { ChunkSizes } from './chunk-sizes.js';
import { callTooLong } from './failures.js';
import type { ItemSource } from './item-source.js';
import type { ClusterPlan } from './options.js';
import { type ClusterFunction, failedOutcome, type Outcome, type Run, type RunOwner } from './run.js';
import type { Session } from './session.js';

/** How a run over items is wanted. */
export interface ItemsWishes {
  readonly runId: string;
  readonly fn: ClusterFunction;
  readonly plan: ClusterPlan;
  readonly chunkSize: number | undefined;
  readonly bufferItems: number | undefined;
  readonly isOrdered: boolean;
  /** Results are taken off the engine as the caller takes them; otherwise all together at the end. */
  readonly isStreaming: boolean;
  readonly progress: ProgressMeter | undefined;
}

/** Chunks for each process that are on their way: one running, one waiting there. */
const CHUNKS_PER_PROCESS = 2;
/** While no worker has been seen. */
const LEAST_CHUNKS = 4;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Waiting {
  resolve(outcome: Outcome | undefined): void;
  reject(error: unknown): void;
}

/** The run behind `map` and `imap`: reads items, submits them in chunks, and gives out what became of them, chunk by chunk. */
export class ItemsRun implements RunOwner {
  readonly #session: Session;
  readonly #wishes: ItemsWishes;
  readonly #source: ItemSource;
  readonly #sizes: ChunkSizes;
  readonly #onOver: () => void;
  readonly #ready = new Map<number, Outcome>();
  readonly #waiting: Waiting[] = [];
  readonly #begun: Promise<void>;
  #run: Run | undefined;
  #readCount = 0;
  #settledCount = 0;
  #takenCount = 0;
  #consumedCount = 0;
  #outstanding = 0;
  #isInputOver = false;
  #inputError: { readonly error: unknown } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isPumping = false;
  #isPumpDue = false;
  #taken: { readonly id: string; readonly chunk: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #onAbort: (() => void) | undefined;
  #isClosing = false;
  /** Nothing of the run is in the engine, or will soon be. */
  #hasLeft = false;
  isOver = false;

  constructor(session: Session, items: ItemSource, wishes: ItemsWishes, onOver: () => void) {
    this.#session = session;
    this.#wishes = wishes;
    this.#source = items;
    this.#sizes = new ChunkSizes(wishes.chunkSize);
    this.#onOver = onOver;
    this.#guard();
    this.#begun = this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      const run = await this.#session.begin(this.#wishes.runId, this);
      this.#run = run;
      if (this.isOver) await this.#session.end(run);
      else this.#pump();
    } catch (error) {
      this.fail(error);
    }
  }

  #guard(): void {
    const { signal, timeoutMs } = this.#wishes.plan;
    if (signal?.aborted === true) {
      this.fail(signal.reason);
      return;
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.fail(signal.reason);
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    if (timeoutMs <= LONGEST_TIMER_MS)
      this.#timer = setTimeout(() => this.fail(callTooLong(timeoutMs)), timeoutMs);
  }

  get #window(): number {
    return Math.max(LEAST_CHUNKS, this.#session.census.processes * CHUNKS_PER_PROCESS + 2);
  }

  #pump(): void {
    if (this.#run === undefined) return;
    // Whoever comes while it runs may have changed what it has looked at already.
    this.#isPumpDue = this.#isPumping;
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#submitAll(this.#run).finally(() => {
      this.#isPumping = false;
      if (this.#isPumpDue) this.#pump();
      this.#giveOut();
      this.#leaveIfDone();
    });
  }

  async #submitAll(run: Run): Promise<void> {
    while (!this.isOver && !this.#isInputOver && this.#outstanding < this.#window) {
      const size = this.#nextSize();
      if (size < 1) return;
      let isOver: boolean;
      try {
        const read = await this.#source.read(size);
        isOver = read.isOver;
        if (this.isOver) return;
        if (read.items.length > 0) this.#submit(run, read.items);
      } catch (error) {
        // What was read before is still answered.
        this.#inputError = { error };
        isOver = true;
      }
      if (isOver) {
        this.#isInputOver = true;
        this.#wishes.progress?.settled(0, 0);
        void this.#session.note(run, { total: this.#readCount }).catch(() => {});
      }
    }
  }

  #nextSize(): number {
    const { bufferItems } = this.#wishes;
    const processes = this.#session.census.processes;
    const size = this.#sizes.next(this.#source.left, processes);
    if (bufferItems === undefined) {
      // Results that nobody takes hold up the input.
      const isFull = this.#wishes.isStreaming && this.#ready.size >= this.#window * 2;
      return isFull ? 0 : size;
    }
    return Math.min(size, bufferItems - (this.#readCount - this.#consumedCount));
  }

  #submit(run: Run, items: readonly unknown[]): void {
    const first = this.#readCount;
    this.#readCount += items.length;
    this.#outstanding += 1;
    this.#submitPart(run, items, first, true);
  }

  #submitPart(run: Run, items: readonly unknown[], first: number, isWhole: boolean): void {
    const { fn, plan } = this.#wishes;
    let bytes: Uint8Array;
    try {
      bytes = encode(items, 'items');
    } catch (error) {
      if (!isWhole || items.length === 1) {
        this.settle(failedOutcome(first, 1, () => unsendable(items[0], first) ?? error));
        return;
      }
      // One of them cannot leave; the others do not suffer for it.
      this.#outstanding += items.length - 1;
      for (const [at, item] of items.entries()) this.#submitPart(run, [item], first + at, false);
      return;
    }
    this.#sizes.sent(items.length, bytes.length);
    const { priority, rules } = plan;
    this.#session.submit(run, { fn, first, items, bytes, priority, rules });
    void this.#session.note(run, { submitted: this.#readCount, chunks: run.nextChunk }).catch(() => {});
  }

  settle(outcome: Outcome): void {
    if (this.isOver) return;
    this.#outstanding = Math.max(0, this.#outstanding - 1);
    this.#settledCount += outcome.values.length;
    this.#wishes.progress?.settled(outcome.values.length, outcome.failures.length);
    this.#sizes.settled(outcome.values.length, outcome.meanMs);
    this.#ready.set(outcome.first, outcome);
    this.#giveOut();
    this.#pump();
    this.#leaveIfDone();
  }

  /** The pool is closing: the run leaves the engine once every item is answered, whether or not somebody takes the answers. */
  close(): void {
    this.#isClosing = true;
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#isClosing && this.#isAnswered) this.#leave();
  }

  get #isAnswered(): boolean {
    return this.#isInputOver && !this.#isPumping && this.#settledCount >= this.#readCount;
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.#failure = { error };
    this.#end();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** The next chunk's outcome; `undefined` at the end. */
  next(): Promise<Outcome | undefined> {
    this.#acknowledgeTaken();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#giveOut();
    });
  }

  #giveOut(): void {
    while (this.#waiting.length > 0) {
      const outcome = this.#takeReady();
      if (outcome !== undefined) {
        this.#waiting.shift()?.resolve(outcome);
        this.#pump();
        continue;
      }
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        this.#waiting.shift()?.reject(error);
        continue;
      }
      if (!this.isOver && !this.#isAnswered) return;
      this.#end();
      if (this.#inputError === undefined) this.#waiting.shift()?.resolve(undefined);
      else {
        this.#waiting.shift()?.reject(this.#inputError.error);
        this.#inputError = undefined;
      }
    }
  }

  #takeReady(): Outcome | undefined {
    const key = this.#wishes.isOrdered ? this.#takenCount : this.#ready.keys().next().value;
    if (key === undefined) return undefined;
    const outcome = this.#ready.get(key);
    if (outcome === undefined) return undefined;
    this.#ready.delete(key);
    this.#takenCount += outcome.values.length;
    if (this.#wishes.isStreaming && outcome.entry !== null) this.#taken.push(outcome.entry);
    return outcome;
  }

  /** Who asks for more has had what came before. */
  #acknowledgeTaken(): void {
    if (this.#run === undefined || this.#hasLeft || this.#taken.length === 0) return;
    this.#session.acknowledge(this.#run, this.#taken);
    this.#taken = [];
  }

  /** So many items of what was given out have been consumed. */
  took(count: number): void {
    this.#consumedCount += count;
    if (this.#wishes.bufferItems !== undefined) this.#pump();
  }

  /** Nobody wants the rest. */
  cancel(): void {
    this.#ready.clear();
    this.#end();
    this.#giveOut();
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#wishes.plan.signal?.removeEventListener('abort', this.#onAbort);
    this.#source.end();
    this.#wishes.progress?.end();
    this.#leave();
  }

  #leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const ended = this.#run === undefined ? this.#begun : this.#session.end(this.#run);
    void Promise.resolve(ended)
      .catch(() => {})
      .finally(this.#onOver);
  }
}

/** Why an item cannot be sent, with its place in the input. */
function unsendable(item: unknown, index: number): unknown {
  try {
    encode(item, `items[${index}]`);
  } catch (error) {
    return error;
  }
  return undefined;
}
