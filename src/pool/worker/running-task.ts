import type { Member } from '../../arena/member.js';
import type { Progress } from '../../arena/progress.js';
import type { TaskOrigin } from '../jobs/task.js';
import type { CurrentTask, TaskAnswers } from './current-task.js';

/** The task that a worker runs now, as the task itself sees it. Nothing is made unless the task asks. */
export class RunningTask implements TaskAnswers {
  readonly #member: Member;
  readonly #progress: Progress;
  readonly #poolKey: string;
  #number = 0;
  #job = 0;
  #first = 0;
  #attempt = 0;
  #origin: TaskOrigin | undefined;
  #isRunning = false;
  #shown: CurrentTask | undefined;
  #watch: AbortWatch | undefined;

  constructor(member: Member, progress: Progress, poolKey: string) {
    this.#member = member;
    this.#progress = progress;
    this.#poolKey = poolKey;
  }

  /** @param first - Index within the job of its first item; which one of them runs is for the progress to say. */
  begin(number: number, job: number, first: number, attempt: number, origin?: TaskOrigin): void {
    this.#number = number;
    this.#job = job;
    this.#first = first;
    this.#attempt = attempt;
    this.#origin = origin;
    this.#isRunning = true;
  }

  end(): void {
    this.#isRunning = false;
    if (this.#shown !== undefined) this.forget();
  }

  /** It has asked what it is, and perhaps for its signal. */
  get isShown(): boolean {
    return this.#shown !== undefined;
  }

  /** What was shown is no longer true. */
  forget(): void {
    this.#shown = undefined;
    this.#watch?.end();
    this.#watch = undefined;
  }

  get task(): CurrentTask | undefined {
    if (!this.#isRunning) return undefined;
    this.#shown ??= this.#show();
    return this.#shown;
  }

  /** The signal of the running task. */
  get signal(): AbortSignal {
    this.#watch ??= new AbortWatch(this.#member, this.#progress, this.#number);
    return this.#watch.signal;
  }

  #show(): CurrentTask {
    const job = this.#job;
    const item = Math.max(0, this.#progress.item);
    const origin = this.#origin;
    const index = this.#first + item + (origin?.first ?? 0);
    const attempt = item === 0 ? this.#attempt : 1;
    const signalOf = (): AbortSignal => this.signal;
    let signal: AbortSignal | undefined;
    return Object.freeze({
      id: job,
      index,
      attempt: attempt + (origin?.attempt ?? 1) - 1,
      idempotencyKey: `${origin?.key ?? `${this.#poolKey}-${job}`}-${index}`,
      get signal() {
        signal ??= signalOf();
        return signal;
      },
    });
  }
}

/** Turns the word by which a parent asks a task to stop into an AbortSignal. */
class AbortWatch {
  readonly #member: Member;
  readonly #look: () => boolean;
  readonly signal: AbortSignal;

  constructor(member: Member, progress: Progress, number: number) {
    this.#member = member;
    const controller = new AbortController();
    const { signal } = controller;
    this.signal = signal;
    const inherited = AbortSignal.prototype;
    const isAborted = Object.getOwnPropertyDescriptor(inherited, 'aborted')?.get as () => boolean;
    this.#look = () => {
      if (isAborted.call(signal) || !progress.isAborted(number)) return false;
      controller.abort();
      return true;
    };
    const look = this.#look;
    // A task that never awaits gives the event loop no turn in which to hear of it: it looks by itself.
    Object.defineProperty(signal, 'aborted', {
      get: () => {
        look();
        return isAborted.call(signal);
      },
    });
    Object.defineProperty(signal, 'throwIfAborted', {
      value: () => {
        look();
        inherited.throwIfAborted.call(signal);
      },
    });
    progress.heed(number);
    look();
    // Who waits for nothing but this waits for something that may come: the event loop stays alive.
    member.parking.poll(look, true);
  }

  end(): void {
    this.#member.parking.stopPolling(this.#look);
  }
}
