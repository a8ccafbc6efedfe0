import type { CallPlan } from '../options/call-plan.js';
import { type Job, nextJobId } from './task.js';

interface Waiting {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const END: IteratorResult<unknown, undefined> = Object.freeze({ done: true, value: undefined });

/** The work behind `stream`: one call whose values arrive as the task yields them. */
export class GeneratorJob implements Job {
  readonly id: number = nextJobId();
  readonly plan: CallPlan;
  readonly #arrived: unknown[] = [];
  readonly #waiting: Waiting[] = [];
  #tell: ((total: number) => void) | undefined;
  #taken = 0;
  #failure: { readonly error: unknown } | undefined;
  onOver: (() => void) | undefined = undefined;
  isOver = false;

  constructor(plan: CallPlan) {
    this.plan = plan;
  }

  receive(values: readonly unknown[], tell: (total: number) => void): void {
    if (this.isOver) return;
    this.#tell = tell;
    this.#arrived.push(...values);
    this.#serve();
  }

  get hasSettled(): boolean {
    return this.isOver || this.#taken > 0 || this.#arrived.length > 0;
  }

  /** The task has returned. */
  resolve(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    this.#serve();
  }

  resolveMany(): void {
    this.resolve();
  }

  reject(_index: number, error: unknown): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onOver?.();
    this.#failure = { error };
    this.#serve();
  }

  /** The next value, which the task may then follow up with another one. */
  next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  /** The consumer wants no more. */
  cancel(): void {
    this.isOver = true;
    this.onOver?.();
    this.#arrived.length = 0;
    this.#failure = undefined;
    this.#serve();
  }

  #serve(): void {
    const before = this.#taken;
    while (this.#waiting.length > 0 && this.#arrived.length > 0) {
      this.#waiting.shift()?.resolve({ done: false, value: this.#arrived.shift() });
      this.#taken++;
    }
    if (!this.isOver) {
      if (this.#taken > before) this.#tell?.(this.#taken);
      return;
    }
    // What is left was yielded before the end; it is taken first.
    if (this.#arrived.length > 0) return;
    for (const waiting of this.#waiting.splice(0)) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) waiting.resolve(END);
      else waiting.reject(failure.error);
    }
  }
}
