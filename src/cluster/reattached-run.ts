import { runCutShort, runLost } from './failures.js';
import type { OutcomeSource } from './outcomes.js';
import type { Outcome, Run, RunOwner } from './run.js';
import type { RunStanding } from './run-standing.js';
import type { Session } from './session.js';

interface Waiting {
  resolve(outcome: Outcome | undefined): void;
  reject(error: unknown): void;
}

/** Looks so often whether the run that was taken over has anything left to give. */
const LOOK_MS = 500;
/** A run is given up that seemed to have nothing under way this many times. */
const VAIN_LOOKS = 5;

/** What is left of a run whose caller is gone: its results that nobody has taken, and those that are still to come. */
export class ReattachedRun implements RunOwner, OutcomeSource {
  readonly #session: Session;
  readonly #ready: Outcome[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #seen = new Set<number>();
  readonly #onOver: () => void;
  readonly #runId: string;
  #run: Run | undefined;
  #failure: { readonly error: unknown } | undefined;
  #taken: { readonly id: string; readonly chunk: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looksInVain = 0;
  #isOver = false;

  constructor(session: Session, runId: string, onOver: () => void) {
    this.#session = session;
    this.#runId = runId;
    this.#onOver = onOver;
    void this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      const { run } = await this.#session.takeOver(this.#runId, this);
      this.#run = run;
      this.#session.expectForeign(run);
      void this.#look(run);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The run is over when every chunk that was submitted is done, and nothing is left in its stream. */
  async #look(run: Run): Promise<void> {
    if (this.#isOver) return;
    try {
      const standing = await this.#session.standing(run);
      const { chunks, done, waiting, hasJobs } = standing;
      const isIdle = this.#ready.length === 0 && this.#taken.length === 0 && waiting === 0;
      if (isIdle && done >= chunks) {
        this.#finish(standing);
        return;
      }
      // Between two commands of the dead caller, or with the last second of a dead engine, chunks may have been lost.
      this.#looksInVain = isIdle && !hasJobs ? this.#looksInVain + 1 : 0;
      if (this.#looksInVain >= VAIN_LOOKS) {
        this.fail(runLost(this.#runId, chunks - done));
        return;
      }
      // Who has asked for more than there is has had what came before.
      if (this.#waiting.length > 0) this.#acknowledgeTaken();
    } catch {
      // The engine is away; it is asked again.
    }
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#look(run), LOOK_MS);
  }

  #finish({ submitted, total }: RunStanding): void {
    if (total === undefined) this.fail(runCutShort(this.#runId, submitted));
    else this.cancel();
  }

  settle(outcome: Outcome): void {
    if (this.#isOver || outcome.entry === null || this.#seen.has(outcome.entry.chunk)) return;
    this.#seen.add(outcome.entry.chunk);
    this.#ready.push(outcome);
    this.#giveOut();
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = { error };
    this.#end();
    this.#giveOut();
  }

  next(): Promise<Outcome | undefined> {
    this.#acknowledgeTaken();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#giveOut();
    });
  }

  #acknowledgeTaken(): void {
    if (this.#run === undefined || this.#isOver) return;
    this.#session.acknowledge(this.#run, this.#taken.splice(0));
  }

  #giveOut(): void {
    while (this.#waiting.length > 0) {
      const outcome = this.#ready.shift();
      if (outcome !== undefined) {
        if (outcome.entry !== null) this.#taken.push(outcome.entry);
        this.#waiting.shift()?.resolve(outcome);
      } else if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        this.#waiting.shift()?.reject(error);
      } else if (this.#isOver) this.#waiting.shift()?.resolve(undefined);
      else return;
    }
  }

  cancel(): void {
    this.#end();
    this.#giveOut();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const ended = this.#run === undefined ? Promise.resolve() : this.#session.end(this.#run);
    void ended.catch(() => {}).finally(this.#onOver);
  }
}
