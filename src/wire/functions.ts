import { UsageError } from '../base/errors.js';
import { describe, describeExportedClass } from './closures/describe.js';
import type { AnyFunction, FunctionDescriptor } from './closures/descriptor.js';
import { loadDescribed } from './closures/load.js';

export type {
  AnyFunction,
  FunctionDescriptor,
  FunctionGlobal,
  FunctionReference,
  FunctionValue,
} from './closures/descriptor.js';

const descriptors = new WeakMap<object, FunctionDescriptor>();

/**
 * Describes a function so that another process can have it.
 *
 * A function that uses nothing but its arguments and built-in globals goes by value; one that uses more goes by
 * reference, if a module other than the program's entry file exports it. The result is kept for as long as the
 * function lives, so that the second time costs next to nothing. Synchronous: no module is imported here.
 *
 * @param fn - Any function.
 * @param path - What it is called in an error, such as `target`. Default `function`.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the message names the function, where it was written and
 * what it captures (names, never values).
 *
 * @example
 * const fn = await loadFunction(describeFunction((x: number) => x * 2));
 * fn(21); // => 42
 */
export function describeFunction(fn: AnyFunction, path: string = 'function'): FunctionDescriptor {
  let descriptor = descriptors.get(fn);
  if (descriptor === undefined) {
    descriptor = describe(fn, path);
    descriptors.set(fn, descriptor);
  }
  return descriptor;
}

/**
 * Describes a class that a module exports, so that another process can make instances of it.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: no module other than the entry file exports it.
 */
export function describeClass(type: AnyFunction, path: string): FunctionDescriptor {
  let descriptor = descriptors.get(type);
  if (descriptor === undefined) {
    descriptor = describeExportedClass(type, path);
    descriptors.set(type, descriptor);
  }
  return descriptor;
}

/**
 * Names a function that a module exports without importing the module here: the process that runs it does.
 *
 * @param url - The module, as a `file:` URL; `new URL('./tasks.js', import.meta.url)` makes one.
 * @param exportName - Name of the export. Default `default`.
 * @returns A task for `Process` and `Pool`. Called here, it imports the module and calls the function.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `url` is no URL of a file.
 *
 * @example
 * const parse = functionIn('file:///srv/app/parse.js', 'parse');
 * parse.name; // => 'parse'
 */
export function functionIn<Task extends AnyFunction = (...args: readonly unknown[]) => unknown>(
  url: URL | string,
  exportName: string = 'default',
): (...args: Parameters<Task>) => Promise<Awaited<ReturnType<Task>>> {
  const href = String(url);
  if (!URL.canParse(href) || new URL(href).protocol !== 'file:') {
    throw new UsageError(
      `Naming a task failed: '${href}' is no file: URL. Use new URL('./module.js', import.meta.url).`,
    );
  }
  const descriptor: FunctionDescriptor = { kind: 'reference', url: href, exportName };
  const task = async (...args: Parameters<Task>): Promise<Awaited<ReturnType<Task>>> => {
    const loaded = (await loadDescribed(descriptor)) as Task;
    return (await loaded(...args)) as Awaited<ReturnType<Task>>;
  };
  Object.defineProperty(task, 'name', { value: exportName });
  descriptors.set(task, descriptor);
  return task;
}

/**
 * Makes the function that `describeFunction` described; the same one whenever the description is the same.
 *
 * A reference is imported with this process's loaders. A text is code: take it only from a process of this family.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE` with `stage` `receive`: the module failed to load (`cause`
 * says how), or has no such function any more, or the text does not compile.
 */
export function loadFunction(descriptor: FunctionDescriptor): Promise<AnyFunction> {
  return loadDescribed(descriptor);
}
