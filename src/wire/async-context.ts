import type { AsyncLocalStorage } from 'node:async_hooks';
import { type AnyFunction, type CodeUnit, ownUnit } from './closures/descriptor.js';
import { rememberReceived } from './closures/received.js';
import { allowTwin, findHomes } from './closures/twins.js';

/** A storage whose store is to be seen by tasks in other processes, too. */
export type CarriedStorage = AsyncLocalStorage<unknown>;

let unit: CodeUnit | undefined;

/** What runs in the other process: the function, within the stores of all storages. */
function carrierUnit(): CodeUnit {
  unit ??= ownUnit(
    'function (...args) { const run = (i) => i === storages.length ? fn.apply(this, args) : storages[i].run(stores[i], run, i + 1); return run(0); }',
    ['fn', 'storages', 'stores'],
  );
  return unit;
}

/**
 * Makes a function that, sent to another process, calls `fn` there within the stores that the storages have here and now.
 *
 * The storage that `fn` uses there is the one that the same module has there, if the module that `fn` was written in imports or
 * exports it; otherwise the one that functions get which capture it.
 */
export function withStores(fn: AnyFunction, storages: readonly CarriedStorage[]): AnyFunction {
  const filled = storages.filter((storage) => storage.getStore() !== undefined);
  for (const storage of storages) allowTwin(storage);
  findHomes(fn, storages);
  const stores = filled.map((storage) => storage.getStore());
  const carrier: AnyFunction = (...args: never[]) => fn(...args);
  Object.defineProperty(carrier, 'name', { value: fn.name, configurable: true });
  rememberReceived(carrier, { unit: carrierUnit(), values: () => [fn, filled, stores] });
  return carrier;
}
