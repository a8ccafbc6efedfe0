import { Refused } from '../failures.js';
import type { FunctionScope } from './inspector.js';
import type { Binding } from './script-scopes.js';

/** A variable that a function captures. */
export interface Slot {
  readonly name: string;
  /** What its script says of it, if the script could be read. */
  readonly binding: Binding | null;
  /**
   * Set for a variable of the module itself that is assigned again: all functions of one message share it, as they do here. The same
   * for the same variable.
   */
  readonly cellKey: string | null;
}

/** The scope that a name belongs to: the innermost that has it. */
export function scopeWith(name: string, scopes: readonly FunctionScope[]): FunctionScope | null {
  return scopes.find(({ kind, object }) => kind !== 'Global' && Object.hasOwn(object, name)) ?? null;
}

/**
 * Reads a captured variable.
 *
 * @throws Refused when it has no value yet. Node 20 gives `undefined` for it, which cannot be told apart.
 */
export function readCaptured({ name }: Slot, scopes: readonly FunctionScope[]): unknown {
  const scope = scopeWith(name, scopes);
  if (scope === null) return undefined;
  try {
    return (scope.object as Record<string, unknown>)[name];
  } catch {
    throw new Refused({
      what: `captured variable ${name}`,
      fact: 'it is not yet initialised',
      hint: 'Send the function after the line that declares the variable.',
    });
  }
}
