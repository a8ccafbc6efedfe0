import { isKnownException } from './globals.js';
import { PythonError } from './python-values.js';
import type { Reduction } from './reduction.js';

/** Exceptions of Python for the errors of JavaScript and of furca that mean the same. */
const COUNTERPARTS: ReadonlyMap<string, string> = new Map([
  ['TypeError', 'TypeError'],
  ['RangeError', 'ValueError'],
  ['SyntaxError', 'SyntaxError'],
  ['ReferenceError', 'NameError'],
  ['TimeoutError', 'TimeoutError'],
  ['AbortError', 'InterruptedError'],
]);

/** How Python makes the exception that stands for an error. */
export function exceptionFor(error: Error): Reduction {
  if (error instanceof PythonError && isKnownException(error.module, error.name)) {
    const { module, name, args, attributes } = error;
    return attributes.size === 0 ? { module, name, args } : { module, name, args, state: attributes };
  }
  const module = 'builtins';
  const { name, message } = error;
  if (!(error instanceof PythonError) && isKnownException(module, name) && !COUNTERPARTS.has(name)) {
    return { module, name, args: [message] };
  }
  const counterpart = COUNTERPARTS.get(name);
  if (counterpart !== undefined) return { module, name: counterpart, args: [message] };
  const text = name === 'Error' ? message : `${name}: ${message}`;
  return { module, name: 'RuntimeError', args: [text] };
}
