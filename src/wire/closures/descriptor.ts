/** Any function at all. */
export type AnyFunction = (...args: never[]) => unknown;

/** A function that a module exports; the other side imports it. */
export interface FunctionReference {
  readonly kind: 'reference';
  /** A `file:` or `node:` URL. */
  readonly url: string;
  /** May be `default`. */
  readonly exportName: string;
}

/** A function that needs nothing from where it was written; its text travels. */
export interface FunctionValue {
  readonly kind: 'value';
  /** An expression that makes the function. */
  readonly source: string;
  readonly name: string;
  /** Where it was written; known only when it matters, that is when the text has a dynamic `import()`. */
  readonly url: string | null;
  readonly strict: boolean;
}

/** A function that JavaScript or Node has in every process. */
export interface FunctionGlobal {
  readonly kind: 'global';
  /** Its way from globalThis, such as `Math.sqrt`. */
  readonly path: string;
}

/** A function as plain data, which `encode` takes. */
export type FunctionDescriptor = FunctionReference | FunctionValue | FunctionGlobal;
