import { UsageError } from '../base/errors.js';
import type { StartMethod } from './start-request.js';

const METHODS: readonly StartMethod[] = ['forkserver', 'fork', 'spawn'];

let chosen: StartMethod | undefined;

/**
 * Lists the ways to start a process here, the default first.
 *
 * @example
 * getAllStartMethods(); // => ['forkserver', 'fork', 'spawn']
 */
export function getAllStartMethods(): StartMethod[] {
  return [...METHODS];
}

/** The method used where none is named, without fixing it as `getStartMethod` does. */
export function defaultStartMethod(): StartMethod {
  return chosen ?? 'forkserver';
}

/**
 * The start method used by `new Process` and `new Pool`. Asking fixes the default, as in Python.
 *
 * @param options.allowNone - Answer `null`, and fix nothing, while no method was set. Default `false`.
 *
 * @example
 * getStartMethod({ allowNone: true }); // => null
 */
export function getStartMethod(options: { readonly allowNone: true }): StartMethod | null;
export function getStartMethod(options?: { readonly allowNone?: false }): StartMethod;
export function getStartMethod(options: { readonly allowNone?: boolean } = {}): StartMethod | null {
  if (chosen === undefined && options.allowNone === true) return null;
  chosen ??= 'forkserver';
  return chosen;
}

/**
 * Sets the start method of this program, once.
 *
 * @param method - One of {@link getAllStartMethods}; `null` with `force` goes back to the default.
 * @param options.force - Replace a method that was set before. Default `false`.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such method.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: a method was set before.
 *
 * @example
 * setStartMethod('spawn', { force: true });
 * getStartMethod(); // => 'spawn'
 */
export function setStartMethod(method: StartMethod | null, options: { readonly force?: boolean } = {}): void {
  const next = method === null ? undefined : checkedStartMethod(method);
  if (chosen !== undefined && options.force !== true) {
    throw new UsageError(
      `Setting the start method failed: it has been set to '${chosen}' before. Pass { force: true } to replace it.`,
      'ERR_FURCA_INVALID_STATE',
    );
  }
  chosen = next;
}

/** Passes a name of a start method through. */
export function checkedStartMethod(method: string): StartMethod {
  const found = METHODS.find((known) => known === method);
  if (found !== undefined) return found;
  throw new UsageError(
    `There is no start method '${method}'. Use one of: ${METHODS.join(', ')}.`,
    'ERR_FURCA_INVALID_ARGUMENT',
  );
}
