import * as commandErrors from '../base/command-errors.js';
import * as furcaErrors from '../base/errors.js';

/** Key of the names of properties that could not be sent, on an error that was rebuilt. */
export const DROPPED: unique symbol = Symbol.for('furca:dropped') as never;

const BUILT_IN = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
];

const PROTOTYPES: Map<string, object> = new Map<string, object>([
  ...BUILT_IN.map((Class): [string, object] => [Class.name, Class.prototype as object]),
  ...Object.values({ ...furcaErrors, ...commandErrors }).map((Class): [string, object] => [
    Class.name,
    Class.prototype,
  ]),
]);

/** Names that were registered: they go before what the class itself could tell. */
const registered = new Map<object, string>();

/** The prototype of the errors that are known as `base` here. */
export function errorPrototype(base: string): object | undefined {
  return PROTOTYPES.get(base);
}

/**
 * The name of the nearest class above `error` that both sides know (by name, so that other realms and copies count), and whether that
 * is the class of the error itself.
 */
export function knownBaseOf(error: Error): { readonly base: string; readonly isExact: boolean } {
  if (error instanceof DOMException) return { base: 'DOMException', isExact: true };
  let isExact = true;
  for (
    let level = Object.getPrototypeOf(error) as object | null;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    const known = registered.get(level);
    if (known !== undefined) return { base: known, isExact };
    const maker: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker === 'function' && isKnown(maker, level)) return { base: maker.name, isExact };
    isExact = false;
  }
  return { base: 'Error', isExact };
}

function isKnown(maker: { readonly name: string }, level: object): boolean {
  const prototype = PROTOTYPES.get(maker.name);
  if (prototype === undefined) return false;
  // A class of the user's that is called like one of these is another, unless it is of another realm or copy of furca.
  return prototype === level || isForeignTwin(maker, level);
}

function isForeignTwin(maker: { readonly name: string }, level: object): boolean {
  return (
    Function.prototype.toString.call(maker).endsWith('{ [native code] }') ||
    Symbol.for('furca:error') in level
  );
}

/**
 * Makes a class of errors known by name, so that its errors arrive as instances of it wherever the same name is registered.
 *
 * Needed only where the class cannot be found by itself: for messages from sockets, which carry data alone, and for classes whose code
 * cannot travel. Call it in the module that defines the class. The constructor does not run when an error arrives.
 *
 * @param type - The class.
 * @param name - What it is called in messages. Default the class's name.
 *
 * @example
 * class QuotaError extends Error {}
 * registerError(QuotaError, 'app:QuotaError');
 */
export function registerError(
  type: abstract new (...args: never[]) => Error,
  name: string = type.name,
): void {
  const prototype = type.prototype as object;
  PROTOTYPES.set(name, prototype);
  registered.set(prototype, name);
}
