import { UsageError } from '../base/errors.js';
import { type AnyFunction, ownUnit, type ReferenceUnit, referenceUnit } from './closures/descriptor.js';
import { inspecting } from './closures/inspector.js';
import { LoadedUnit, loadedUnit } from './closures/loaded-units.js';
import { exportedAs, planAs, planOf } from './closures/plan.js';
import { rememberReceived } from './closures/received.js';
import { notAMessage } from './failures.js';
import { decodeFromFamily, encodeForFamily, type Packed, pack } from './family-message.js';
import { carriedBy, copyMessage, keepCarried } from './handles.js';

export type { AnyFunction, ReferenceUnit as FunctionReference } from './closures/descriptor.js';

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
  return functionOf(referenceUnit(href, exportName), exportName) as (
    ...args: Parameters<Task>
  ) => Promise<Awaited<ReturnType<Task>>>;
}

/** The function that a reference names, which nobody has loaded here. */
export function functionOf<Task extends AnyFunction = (...args: readonly unknown[]) => unknown>(
  unit: ReferenceUnit,
  name: string,
): AnyFunction {
  const task = async (...args: Parameters<Task>): Promise<Awaited<ReturnType<Task>>> => {
    const loaded = new LoadedUnit(unit);
    await loaded.load();
    return (await (loaded.value() as Task)(...args)) as Awaited<ReturnType<Task>>;
  };
  Object.defineProperty(task, 'name', { value: name });
  planAs(task, { kind: 'reference', unit });
  return task;
}

/**
 * Packs a function with what it captures at this moment.
 *
 * @param before - What this gave for the same function before; given back if it still holds, so that it need not be sent again.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the message says what of it cannot leave, and the way there.
 */
export function packFunction(fn: AnyFunction, path: string, before?: Packed): Packed {
  if (before?.isConstant === true) return before;
  const packed = pack(fn, path);
  if (before !== undefined && Buffer.compare(before.bytes, packed.bytes) === 0) return before;
  // Of its own: the bytes of messages lie in chunks with others, and this is kept; so are the handles that it names.
  const bytes = packed.bytes.slice();
  const blocks = carriedBy(packed.bytes);
  if (blocks.length > 0) keepCarried(bytes, blocks);
  return { ...packed, bytes };
}

/** A function as bytes, with all it needs. */
export type FunctionDescriptor = Uint8Array;

/**
 * Describes a function, with what it captures now, so that any process of the family can have it.
 *
 * @param path - What it is called in an error, such as `target`. Default `function`.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: the message says what of it cannot leave, and the way there.
 *
 * @example
 * const step = 2;
 * const fn = await loadFunction(describeFunction((x: number) => x * step));
 * fn(21); // => 42
 */
export function describeFunction(fn: AnyFunction, path: string = 'function'): FunctionDescriptor {
  return copyMessage(encodeForFamily(fn, path));
}

/**
 * Makes the function that `describeFunction` described; modules it needs are imported with this process's loaders.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE` with `stage` `receive`: a module failed to load (`cause` says how), or has no
 * such function any more, or the text does not compile.
 */
export async function loadFunction(descriptor: FunctionDescriptor): Promise<AnyFunction> {
  const fn = await decodeFromFamily(descriptor);
  if (typeof fn !== 'function') throw notAMessage('it holds no function');
  return fn as AnyFunction;
}

/** How `fn` is found, if it travels by reference; `null` where it does not, or cannot travel at all. */
export function referenceTo(fn: AnyFunction): ReferenceUnit | null {
  const plan = inspecting(() => {
    try {
      return planOf(fn);
    } catch {
      // Whoever sends it finds out why.
      return null;
    }
  });
  return plan?.kind === 'reference' ? plan.unit : null;
}

const exported = new WeakMap<AnyFunction, { readonly unit: ReferenceUnit | null }>();

/** The name under which a module exports `fn`, even if `fn` would travel by value within the family; `null` where none does. */
export function exportOf(fn: AnyFunction): ReferenceUnit | null {
  let known = exported.get(fn);
  if (known === undefined) {
    const unit = inspecting(() => {
      try {
        return exportedAs(fn);
      } catch {
        // Whoever sends it finds out why.
        return null;
      }
    });
    known = { unit };
    exported.set(fn, known);
  }
  return known.unit;
}

/** Loads the module of a function, so that its arrival need not; never rejects. */
export function loadReference(reference: ReferenceUnit): Promise<void> {
  const unit = loadedUnit(reference);
  if (!reference.isCommonJs) return unit.load();
  return Promise.resolve()
    .then(() => void unit.value())
    .catch(() => {});
}

/** Makes a function that looks as if it had been received, without a parser or an inspector. */
export function functionFromText(source: string): AnyFunction {
  const unit = ownUnit(source);
  const fn = loadedUnit(unit).instantiate().make();
  rememberReceived(fn, { unit, values: () => [] });
  return fn;
}
