import { PythonError } from '../../pickle/python-values.js';
import { type CallContext, pythonError, SharedObject } from './shared-object.js';
import { Waiters } from './waiters.js';

/** A queue. An item is handed to one who still waits, or stays; one that could not be delivered goes back to the head. */
export class SharedQueue extends SharedObject {
  override readonly exposed: readonly string[] = [
    'put',
    'put_nowait',
    'get',
    'get_nowait',
    'qsize',
    'empty',
    'full',
    'task_done',
    'join',
  ];
  readonly #maxItems: number;
  readonly #items: unknown[] = [];
  readonly #getters = new Waiters<unknown>();
  /** Each with the item that it wants to put. */
  readonly #putters = new Waiters<true, unknown>();
  readonly #joiners = new Waiters<true>();
  #unfinished = 0;

  /** @param maxItems - 0 or less: any number. */
  constructor(maxItems: number = 0) {
    super();
    this.#maxItems = maxItems > 0 ? maxItems : Number.POSITIVE_INFINITY;
  }

  async put(context: CallContext, item?: unknown, block?: unknown, timeout?: unknown): Promise<void> {
    if (this.#items.length < this.#maxItems) {
      this.#accept(item);
      return;
    }
    const isPut = block !== false && (await this.#putters.wait(context, secondsOf(timeout), item));
    if (!isPut) throw new PythonError('Full', [], { module: 'queue' });
  }

  put_nowait(context: CallContext, item?: unknown): Promise<void> {
    return this.put(context, item, false);
  }

  async get(context: CallContext, block?: unknown, timeout?: unknown): Promise<unknown> {
    if (this.#items.length > 0) {
      const item = this.#items.shift();
      this.#admit();
      return item;
    }
    const got =
      block === false ? undefined : await this.#getters.wait(context, secondsOf(timeout), undefined);
    if (got === undefined) throw new PythonError('Empty', [], { module: '_queue' });
    return got.given;
  }

  get_nowait(context: CallContext): Promise<unknown> {
    return this.get(context, false);
  }

  qsize(_context: CallContext): number {
    return this.#items.length;
  }

  empty(_context: CallContext): boolean {
    return this.#items.length === 0;
  }

  full(_context: CallContext): boolean {
    return this.#items.length >= this.#maxItems;
  }

  task_done(_context: CallContext): void {
    if (this.#unfinished === 0) throw pythonError('ValueError', 'task_done() called too many times');
    this.#unfinished--;
    if (this.#unfinished === 0) this.#joiners.grantAll(true);
  }

  async join(context: CallContext): Promise<void> {
    if (this.#unfinished > 0) await this.#joiners.wait(context, null, undefined);
  }

  override undelivered(method: string, result: unknown): void {
    if (method !== 'get' && method !== 'get_nowait') return;
    if (this.#getters.grant(result) === undefined) this.#items.unshift(result);
  }

  #accept(item: unknown): void {
    this.#unfinished++;
    if (this.#getters.grant(item) === undefined) this.#items.push(item);
  }

  /** Lets in who waits to put, now that there is room. */
  #admit(): void {
    while (this.#items.length < this.#maxItems) {
      const putter = this.#putters.grant(true);
      if (putter === undefined) return;
      this.#accept(putter.offer);
    }
  }
}

function secondsOf(timeout: unknown): number | null {
  return typeof timeout === 'number' ? Math.max(0, timeout) : null;
}
