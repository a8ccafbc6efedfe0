/** Name of the method by which an object says how Python makes it. */
export const REDUCE = 'furca:reduce';

/** A call that makes a value in Python; only of what the other side has anyway. */
export interface Reduction {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Given to what was made (BUILD). */
  readonly state?: unknown;
  /** `name.__new__(name, ...args)` instead of `name(...args)`. */
  readonly isNew?: boolean;
}

/** An object that says how Python makes it. */
export interface Reducible {
  [REDUCE](): Reduction;
}

/** A class or function of Python as an argument of a {@link Reduction}. */
export class PythonGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

export function isReducible(value: object): value is Reducible {
  // A function: no message that was received can hold one.
  return typeof (value as { readonly [REDUCE]?: unknown })[REDUCE] === 'function';
}
