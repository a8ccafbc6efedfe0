import { type CarriedStorage, withStores } from '../../wire/async-context.js';
import type { Packed } from '../../wire/family-message.js';
import { type AnyFunction, packFunction } from '../../wire/functions.js';
import type { TaskFunction } from './task.js';

/** Pieces of code for which the latest function is kept. */
const MAX_KEPT = 256;

/** How the functions are to be called. */
export interface TaskFunctionsOptions {
  /** Each item is the list of the arguments. */
  readonly isSpread: boolean;
  readonly nextId: () => number;
  /** Storages whose stores at the call are those of the task. */
  readonly carry: readonly CarriedStorage[];
}

/** The functions that a pool was given, each with what it captured at its latest call. */
export class TaskFunctions {
  readonly #byFunction = new WeakMap<AnyFunction, TaskFunction>();
  /** The latest function of each piece of code: who writes `pool.apply((x) => x * 2, [1])` in a loop makes a new one each time. */
  readonly #byCode = new Map<string, TaskFunction>();
  readonly #options: TaskFunctionsOptions;

  constructor(options: TaskFunctionsOptions) {
    this.#options = options;
  }

  /**
   * The function as its pool knows it. A function that captured something else than before counts as another, of which the time it
   * takes is known already.
   *
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`.
   */
  describe(fn: AnyFunction): TaskFunction {
    const known = this.#byFunction.get(fn);
    const { carry } = this.#options;
    const sent = carry.length === 0 ? fn : withStores(fn, carry);
    const packed = packFunction(sent, 'task', known?.packed);
    if (known?.packed === packed) return known;
    // What carries stores is the same around all functions.
    const code = packed.units[sent === fn ? 0 : 1]?.id ?? '';
    const latest = known ?? this.#byCode.get(code);
    const isSame = latest !== undefined && Buffer.compare(latest.packed.bytes, packed.bytes) === 0;
    const described = isSame ? latest : this.#make(fn, packed, latest?.meanMs);
    this.#byFunction.set(fn, described);
    this.#byCode.delete(code);
    this.#byCode.set(code, described);
    if (this.#byCode.size > MAX_KEPT) this.#byCode.delete(this.#byCode.keys().next().value as string);
    return described;
  }

  #make(fn: AnyFunction, packed: Packed, meanMs: number | undefined): TaskFunction {
    const { nextId, isSpread } = this.#options;
    return { id: nextId(), name: fn.name, packed, isSpread, meanMs };
  }
}
