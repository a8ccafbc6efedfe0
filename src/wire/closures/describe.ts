import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import type { NotSendableError } from '../../base/errors.js';
import { cannotSendFunction } from '../failures.js';
import type { AnyFunction, FunctionDescriptor } from './descriptor.js';
import { type FunctionText, readFunctionText } from './function-text.js';
import { globalPathOf, isBuiltinGlobal } from './globals.js';
import {
  type FunctionView,
  InspectorUnavailable,
  type ScriptView,
  viewFunction,
  viewScript,
} from './inspector.js';
import { fileUrlOf, findReference, isEntryFile } from './references.js';

const MOVE_IT = 'Move it to a module of its own and export it from there.';

const NO_INSPECTOR =
  'Whether a module exports it cannot be told without the inspector: run Node 24 or later with --allow-inspector, or without --permission.';

/** Why a function cannot go by value; `hint` when there is better advice than to export it. */
interface Obstacle {
  readonly fact: string;
  readonly hint?: string;
}

/** Names that no scope can give another meaning worth asking the inspector for. */
const NEVER_SHADOWED: ReadonlySet<string> = new Set(['undefined', 'NaN', 'Infinity', 'globalThis']);

/** See `describeFunction`, which keeps what this finds. */
export function describe(fn: AnyFunction, path: string): FunctionDescriptor {
  return new Description(fn, path).describe();
}

/** See `describeClass`, which keeps what this finds. */
export function describeExportedClass(type: AnyFunction, path: string): FunctionDescriptor {
  return new Description(type, path).describeReference({ fact: 'a class travels by reference only' });
}

/** The finding of one descriptor; asks the inspector only once, and only if it must. */
class Description {
  private readonly fn: AnyFunction;
  private readonly path: string;
  private view: FunctionView | null = null;
  private script: ScriptView | null = null;
  private unavailable: InspectorUnavailable | null = null;

  constructor(fn: AnyFunction, path: string) {
    this.fn = fn;
    this.path = path;
  }

  describe(): FunctionDescriptor {
    const { fn } = this;
    if (typeof fn !== 'function') {
      throw this.refuse(
        `it is no function but ${fn === null ? 'null' : `of type ${typeof fn}`}`,
        'Pass a function.',
      );
    }
    if (types.isProxy(fn)) throw this.refuse('it is a Proxy', 'Wrap it: `(...args) => fn(...args)`.');
    const text = Function.prototype.toString.call(fn);
    if (/\{ \[native code\] \}$/.test(text)) return this.describeNative();
    const read = readFunctionText(text, isSloppy(fn));
    const obstacle = this.obstacleTo(read);
    if (obstacle === null) return this.describeValue(read);
    // Even imported it could not be called.
    if (read.form === 'class') throw this.refuse(obstacle.fact, obstacle.hint ?? MOVE_IT);
    return this.describeReference(obstacle);
  }

  private describeNative(): FunctionDescriptor {
    const path = globalPathOf(this.fn);
    if (path !== null) return { kind: 'global', path };
    if (this.fn.name.startsWith('bound ')) {
      throw this.refuse('it is a bound function', 'Pass a function that takes the object as an argument.');
    }
    throw this.refuse('it is native code that no global name leads to', 'Wrap it: `(x) => theFunction(x)`.');
  }

  /** Says what keeps the function from going by value; `null` when nothing does. */
  private obstacleTo({ form, surroundings }: FunctionText): Obstacle | null {
    if (form === 'unknown') return { fact: 'its text cannot be read' };
    if (form === 'accessor') {
      return {
        fact: 'it is a getter or setter',
        hint: 'Pass a function that takes the object as an argument.',
      };
    }
    if (form === 'class') {
      return {
        fact: 'it is a class',
        hint: 'Wrap its use, `(...args) => new TheClass(...args)`, in a module that exports this.',
      };
    }
    const { names, context } = surroundings;
    const captured = [...names].filter((name) => !isBuiltinGlobal(name) || this.isShadowed(name));
    if (captured.length > 0) return { fact: `it captures ${listed(captured)}, which would stay behind` };
    if (context.size > 0) {
      return {
        fact: `it uses ${listed([...context])} of the place where it was written`,
        hint: 'Let it take what it needs as arguments.',
      };
    }
    const own = ownNames(this.fn);
    return own.length > 0
      ? { fact: `it has properties of its own (${listed(own)}), which would stay behind` }
      : null;
  }

  /** Tells whether a name that looks like a global is a variable, such as an imported `setTimeout` or `performance`. */
  private isShadowed(name: string): boolean {
    if (NEVER_SHADOWED.has(name)) return false;
    const scopes = this.look()?.scopes ?? [];
    return scopes.some(({ kind, object }) => kind !== 'Global' && Object.hasOwn(object, name));
  }

  private describeValue({ expression, isStrict, surroundings }: FunctionText): FunctionDescriptor {
    // Relative imports are meant from where the function was written.
    const url = surroundings.hasDynamicImport ? fileUrlOf(this.lookAtScript()?.url ?? '') : null;
    if (surroundings.hasDynamicImport && url === null) {
      throw this.refuse('it has a dynamic import(), and where it was written is not known', this.hint());
    }
    return { kind: 'value', source: expression, name: this.fn.name, url, strict: isStrict };
  }

  describeReference({ fact, hint }: Obstacle): FunctionDescriptor {
    const view = this.look();
    const script = this.lookAtScript();
    const found = view === null || script === null ? null : findReference(this.fn, view, script);
    if (found !== null) return { kind: 'reference', ...found };
    throw this.refuse(fact, this.unavailable === null && hint !== undefined ? hint : this.hint());
  }

  private hint(): string {
    if (this.unavailable !== null) return NO_INSPECTOR;
    const url = this.script === null ? null : fileUrlOf(this.script.url);
    return url !== null && isEntryFile(url)
      ? `A child does not run the program's entry file again. ${MOVE_IT}`
      : MOVE_IT;
  }

  private look(): FunctionView | null {
    if (this.view === null && this.unavailable === null) {
      this.inspect(() => {
        this.view = viewFunction(this.fn);
      });
    }
    return this.view;
  }

  private lookAtScript(): ScriptView | null {
    const site = this.look()?.site;
    if (this.script === null && this.unavailable === null && site != null) {
      this.inspect(() => {
        this.script = viewScript(site.scriptId);
      });
    }
    return this.script;
  }

  private inspect(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!(error instanceof InspectorUnavailable)) throw error;
      this.unavailable = error;
    }
  }

  private refuse(fact: string, hint: string): NotSendableError {
    const name = typeof this.fn === 'function' ? String(this.fn.name) : '';
    return cannotSendFunction(
      { name, where: this.where(), path: this.path },
      fact,
      hint,
      this.unavailable ?? undefined,
    );
  }

  private where(): string | null {
    // What `new Function` or eval made has no address.
    if (this.script === null || this.script.url === '' || this.view?.site == null) return null;
    const { line, column } = this.view.site;
    const url = fileUrlOf(this.script.url);
    return `${url === null ? this.script.url : shortPath(url)}:${line + 1}:${column + 1}`;
  }
}

function shortPath(url: string): string {
  try {
    const path = fileURLToPath(url);
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  } catch {
    return url;
  }
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

/** `caller` may be read on sloppy plain functions only; the own property that once told them apart is gone in Node 26. */
function isSloppy(fn: AnyFunction): boolean {
  try {
    Reflect.get(fn, 'caller');
    return true;
  } catch {
    return false;
  }
}

function ownNames(fn: AnyFunction): readonly string[] {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  const methods = typeof prototype === 'object' && prototype !== null ? Object.keys(prototype) : [];
  return [...Object.keys(fn), ...methods.map((name) => `prototype.${name}`)];
}
