import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MODULES } from '../../base/programs.js';
import { cannotLoad } from '../failures.js';
import { compileUnit, type Factory, type Instance, importFrom, unwarned } from './compile.js';
import type { ImportRecord, Unit } from './descriptor.js';
import { rememberNamespace } from './received.js';

/** A unit in this process: what it needs is loaded once, then it can be used at once. */
export class LoadedUnit {
  readonly unit: Unit;
  /** Modules by specifier, `undefined` before they are loaded. */
  private modules: ReadonlyMap<string, unknown> | undefined;
  private failure: Error | undefined;
  private factory: Factory | undefined;
  private loading: Promise<void> | undefined;

  constructor(unit: Unit) {
    this.unit = unit;
  }

  /** Needs `load`, or will load what it needs while everything stands still. */
  get needsLoading(): boolean {
    return this.modules === undefined && this.specifiers().length > 0;
  }

  private specifiers(): readonly string[] {
    const { unit } = this;
    if (unit.kind === 'reference') return unit.isCommonJs ? [] : [unit.url];
    return unit.imports.filter(isImported).map(({ specifier }) => specifier);
  }

  /** Loads the modules it needs; a failure is told where the unit is used, and the next message tries again. */
  load(): Promise<void> {
    this.failure = undefined;
    this.loading ??= this.loadAll().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async loadAll(): Promise<void> {
    const modules = new Map<string, unknown>();
    try {
      for (const specifier of this.specifiers()) modules.set(specifier, await this.importOne(specifier));
      this.modules = modules;
    } catch (error) {
      this.failure = error as Error;
    }
  }

  private async importOne(specifier: string): Promise<unknown> {
    const { unit } = this;
    try {
      const namespace: unknown =
        unit.kind === 'reference' ? await import(specifier) : await importFrom(specifier, unit.url);
      rememberNamespace(namespace, addressOf(specifier, unit));
      return namespace;
    } catch (error) {
      throw cannotLoad(nameOf(unit), `importing ${specifier} failed`, error);
    }
  }

  /** @throws what loading threw. */
  private ready(): ReadonlyMap<string, unknown> {
    if (this.failure !== undefined) throw this.failure;
    if (this.modules !== undefined) return this.modules;
    const modules = new Map<string, unknown>();
    for (const specifier of this.specifiers()) modules.set(specifier, this.requireOne(specifier));
    this.modules = modules;
    return modules;
  }

  /** Loads a module without waiting, as a blocking receiver must. */
  private requireOne(specifier: string): unknown {
    const { unit } = this;
    const from = unit.url ?? MODULES;
    const target = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
    try {
      const required: unknown = unwarned(() => createRequire(from)(target) as unknown);
      rememberNamespace(required, addressOf(specifier, unit));
      return required;
    } catch (error) {
      const isAsync = (error as { readonly code?: unknown } | null)?.code === 'ERR_REQUIRE_ASYNC_MODULE';
      const why = isAsync
        ? 'it awaits something while it loads, and nothing can wait for it here'
        : 'it failed';
      throw cannotLoad(nameOf(unit), `loading ${specifier} at once was tried, and ${why}`, error);
    }
  }

  /** The function that a reference names. */
  value(): unknown {
    const { unit } = this;
    if (unit.kind !== 'reference') throw cannotLoad('a function', 'its text was sent as a reference');
    const modules = this.ready();
    const whole = unit.isCommonJs ? this.requireOne(unit.url) : modules.get(unit.url);
    if (unit.exportName === '*') return whole;
    let value = unit.isCommonJs ? whole : exportOf(whole, unit.exportName);
    for (const key of unit.member) value = ownValue(value, key);
    if (typeof value !== 'function') {
      throw cannotLoad(`the function ${unit.exportName}`, `${unit.url} has no such function`);
    }
    return value;
  }

  /** Makes the variables of a function anew, and what makes the function. */
  instantiate(): Instance {
    const { unit } = this;
    if (unit.kind !== 'code') throw cannotLoad('a function', 'a reference was sent as a text');
    const modules = this.ready();
    this.factory ??= compileUnit(unit);
    return this.factory(unit.imports.map((one) => importedValue(one, unit.url, modules)));
  }
}

function isImported({ via }: ImportRecord): boolean {
  return via === 'import';
}

function nameOf(unit: Unit): string {
  return unit.kind === 'reference' ? `the function ${unit.exportName}` : 'a function';
}

function addressOf(specifier: string, { url }: Unit): string {
  return /^(\.|\/)/.test(specifier) && url !== null ? new URL(specifier, url).href : specifier;
}

function ownValue(owner: unknown, key: string): unknown {
  if ((typeof owner !== 'object' && typeof owner !== 'function') || owner === null) return undefined;
  return Object.hasOwn(owner, key) ? (owner as Record<string, unknown>)[key] : undefined;
}

function exportOf(namespace: unknown, name: string): unknown {
  const direct = ownValue(namespace, name);
  if (direct !== undefined) return direct;
  // CommonJS: `module.exports` is the default export, and its names are not always seen from outside.
  const whole = ownValue(namespace, 'default');
  if (name !== 'default') return ownValue(whole, name);
  return whole ?? namespace;
}

function importedValue(
  record: ImportRecord,
  from: string | null,
  modules: ReadonlyMap<string, unknown>,
): unknown {
  const { specifier, exportName, via } = record;
  if (via === 'createRequire') return createRequire(specifier);
  if (via !== 'import') return requiredValue(record, from);
  const namespace = modules.get(specifier);
  return exportName === '*' ? namespace : exportOf(namespace, exportName);
}

/** What `require` gives, in the wrapper that the module's compiler put around it. */
function requiredValue({ specifier, via }: ImportRecord, from: string | null): unknown {
  const target = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
  let value: unknown;
  try {
    value = createRequire(from ?? MODULES)(target);
  } catch (error) {
    throw cannotLoad('a function', `requiring ${specifier} failed`, error);
  }
  const isModule = ownValue(value, '__esModule') === true;
  if (via === 'require' || (isModule && via !== 'importStarNode')) return value;
  return via === 'importDefault' ? { default: value } : { ...(value as object), default: value };
}

/** Units of this process by id, the latest last: code that comes again is not compiled again. */
const units = new Map<string, LoadedUnit>();
const MAX_UNITS = 1024;

/** The unit of this process that stands for one of a message. */
export function loadedUnit(unit: Unit): LoadedUnit {
  let loaded = units.get(unit.id);
  if (loaded === undefined) {
    loaded = new LoadedUnit(unit);
    if (units.size >= MAX_UNITS) units.delete(units.keys().next().value as string);
    units.set(unit.id, loaded);
  }
  return loaded;
}
