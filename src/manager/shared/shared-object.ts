import { PythonError } from '../../pickle/python-values.js';

/** Something that ends and says so. */
export interface Ending {
  readonly isGone: boolean;
  /** Calls `act` when it ends, at once if it has; answers how to stop that. */
  onGone(act: () => void): () => void;
}

/** A call as the object it is made on sees it. */
export interface CallContext {
  /** The connection it came on: what a lock knows its holder by, as in Python. */
  readonly lane: Ending;
  /** The process it came from: what it leaves held when it dies is given back. */
  readonly client: Ending;
  readonly keywords: Readonly<Record<string, unknown>>;
}

/**
 * An object of the server whose methods learn who calls: each takes the context first. Methods have Python's names, so that proxies need
 * not know whose server they talk to.
 */
export abstract class SharedObject {
  /** Names of the methods that may be called. */
  abstract readonly exposed: readonly string[];
  /** Methods whose result becomes an object of the server, and of which type. */
  readonly methodToTypeid: Readonly<Record<string, string>> = {};

  /** A copy of it, for `#GETVALUE`. */
  value(): unknown {
    throw pythonError('TypeError', 'it has no value that could be sent');
  }

  /** What Python's `repr` would give. */
  repr(): string {
    return `<${this.constructor.name.replace(/^Shared/, '')}>`;
  }

  /** Called when the result of `method` could not be delivered: who asked is gone. */
  undelivered(_method: string, _result: unknown): void {}
}

/** The method of a shared object that a call names. */
export type SharedMethod = (this: SharedObject, context: CallContext, ...args: readonly unknown[]) => unknown;

/** Where exceptions are defined that are not built in. */
const MODULES: Readonly<Record<string, string>> = {
  Empty: 'queue',
  Full: 'queue',
  ShutDown: 'queue',
  BrokenBarrierError: 'threading',
};

/** An exception that callers know from Python by its name. */
export function pythonError(name: string, text: string | readonly unknown[] = []): PythonError {
  const module = MODULES[name] ?? 'builtins';
  return new PythonError(name, typeof text === 'string' ? [text] : text, { module });
}
