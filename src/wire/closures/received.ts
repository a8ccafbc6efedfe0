import type { AnyFunction, CodeUnit } from './descriptor.js';

/** How a function that was made from a `CodeUnit` can be sent on. */
export interface ReceivedCode {
  readonly unit: CodeUnit;
  /** What the variables of the unit hold now, in their order. */
  values(): readonly unknown[];
}

const received = new WeakMap<AnyFunction, ReceivedCode>();

/** Notes where a function came from. */
export function rememberReceived(fn: AnyFunction, code: ReceivedCode): void {
  received.set(fn, code);
}

/** Where a function came from, if it was made from a `CodeUnit`. */
export function receivedCode(fn: AnyFunction): ReceivedCode | undefined {
  return received.get(fn);
}

/** Modules that were imported for others, by the object that stands for them. */
const namespaces = new WeakMap<object, string>();

export function rememberNamespace(namespace: unknown, url: string): void {
  if (typeof namespace === 'object' && namespace !== null) namespaces.set(namespace, url);
}

/** The address of a module whose namespace this is, if it is known. */
export function namespaceUrl(namespace: object): string | undefined {
  return namespaces.get(namespace);
}
