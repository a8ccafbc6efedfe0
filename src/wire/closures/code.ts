import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refused } from '../failures.js';
import { type ClassMembers, membersOf } from './class-members.js';
import {
  type AnyFunction,
  CELL_PREFIX,
  type CodeUnit,
  type ImportRecord,
  META_NAME,
  SUPER_NAME,
} from './descriptor.js';
import type { NameUse } from './free-names.js';
import { type Edit, edited, type FunctionText } from './function-text.js';
import { isBuiltinGlobal } from './globals.js';
import { nextId } from './identities.js';
import { commonJsVariable, importOf } from './imports.js';
import type { FunctionView } from './inspector.js';
import { offsetIn } from './module-exports.js';
import { fileUrlOf } from './references.js';
import { readCaptured, type Slot, scopeWith } from './scope-values.js';
import type { Script } from './script-analysis.js';
import { addressOnStack } from './stack-scripts.js';
import { editsOfViteWord, isWordOfVite } from './vitest.js';

/** What is the same for all functions made from one piece of text at one place. */
export interface Code {
  readonly unit: CodeUnit;
  /** In the order of `unit.names`; of a class the first `early` ones must be there when it is made. */
  readonly slots: readonly Slot[];
  readonly early: number;
  readonly members: ClassMembers;
  /** A class that extends another. */
  readonly isDerived: boolean;
  /** Such as `src/a.ts:12:5`, if it is known. */
  readonly where: string | null;
}

/** Code by where it stands (the script and its offset, or without the inspector its text), the latest last. */
const known = new Map<string, Code>();
const MAX_KNOWN = 2048;

/** Names that no scope can give another meaning worth a look. */
const FIXED: ReadonlySet<string> = new Set(['undefined', 'NaN', 'Infinity', 'globalThis']);

/** Tells whether a name means the same wherever it stands. */
export function isFixed(name: string): boolean {
  return FIXED.has(name);
}

/** Tells whether a name that nothing captures means the same in every process. */
export function isKnownGlobal(name: string): boolean {
  return FIXED.has(name) || isBuiltinGlobal(name);
}

/**
 * Makes, or finds, what is needed to send functions with this text from this place.
 *
 * @throws Refused when the function uses something of its place that cannot be taken along.
 */
export function codeOf(
  fn: AnyFunction,
  text: string,
  read: FunctionText,
  view: FunctionView | null,
  script: Script | null,
  what: string,
): Code {
  const site = view?.site;
  const key =
    site == null
      ? `${read.isStrict}${read.expression}`
      : `${site.scriptId}:${site.line}:${site.column}:${fn.name}`;
  let code = known.get(key);
  if (code === undefined) {
    code = new Coding(text, read, view, script, what).make();
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    known.set(key, code);
  }
  return code;
}

class Coding {
  private readonly read: FunctionText;
  private readonly view: FunctionView | null;
  private readonly script: Script | null;
  private readonly what: string;
  private readonly url: string | null;
  private readonly text: string;
  private readonly start: number;
  private readonly end: number;
  private readonly at: number;
  private readonly slots: Slot[] = [];
  private readonly imports: ImportRecord[] = [];
  private readonly edits: Edit[] = [];

  constructor(
    text: string,
    read: FunctionText,
    view: FunctionView | null,
    script: Script | null,
    what: string,
  ) {
    this.read = read;
    this.view = view;
    this.script = script;
    this.what = what;
    const site = view?.site ?? null;
    const address = script?.url ?? (site === null ? null : addressOnStack(site.scriptId));
    this.url = address === null ? null : fileUrlOf(address);
    this.text = text;
    this.at = site === null || script === null ? -1 : offsetIn(script.source, site.line, site.column);
    // V8 tells where the parameters begin, or the arrow or class; the text begins there or before.
    this.start = this.at < 0 || script === null ? -1 : script.source.lastIndexOf(text, this.at);
    this.end = this.start + text.length;
    if (this.at >= this.end) this.start = -1;
  }

  make(): Code {
    const { read, url, script } = this;
    const { surroundings, heritage } = read;
    this.checkSurroundings();
    const placed = this.start < 0 ? null : (script?.scopes.find(this.end, [this.start, this.at]) ?? null);
    for (const name of surroundings.names) this.name(name, placed?.lookup(name) ?? null);
    for (const meta of surroundings.metas)
      this.edits.push({ start: meta.start, end: meta.end, text: META_NAME });
    const isDerived = heritage !== null && heritage['raw'] !== 'null';
    if (isDerived) this.edits.push({ start: heritage.start, end: heritage.end, text: SUPER_NAME });
    const isEarly = ({ name }: Slot): boolean => surroundings.early.has(name);
    const slots = [...this.slots.filter(isEarly), ...this.slots.filter((slot) => !isEarly(slot))];
    const position = this.position();
    const unit: CodeUnit = {
      kind: 'code',
      id: nextId(),
      source: edited(read, this.edits),
      names: slots.map(({ name, cellKey }) => (cellKey === null ? name : CELL_PREFIX + name)),
      imports: this.imports,
      strict: placed?.isStrict ?? read.isStrict,
      isClass: read.form === 'class',
      url,
      ...position,
    };
    return {
      unit,
      slots,
      early: slots.filter(isEarly).length,
      members: membersOf(read),
      isDerived,
      where: this.where(),
    };
  }

  private checkSurroundings(): void {
    const { context, hasDynamicImport } = this.read.surroundings;
    const used = [...context].filter((what) => what !== 'import.meta');
    if (used.includes('eval')) {
      throw this.refuse('it calls `eval`, which may use any variable around it', 'Use `(0, eval)(text)`.');
    }
    if (used.length > 0) {
      const hint = used.includes('super')
        ? 'Send or export the whole class.'
        : 'Let it take what it needs as arguments.';
      throw this.refuse(
        `it uses ${used.map((one) => `\`${one}\``).join(' and ')} of the place where it was written`,
        hint,
      );
    }
    if ((hasDynamicImport || context.has('import.meta')) && this.url === null) {
      throw this.refuse('it uses import, and where it was written is not known', 'Move it to a file.');
    }
  }

  /** Sorts a free name: import, captured variable, global. */
  private name(name: string, binding: Slot['binding']): void {
    const scopes = this.view?.scopes ?? [];
    const scope = scopeWith(name, scopes);
    if (this.url !== null && isWordOfVite(name)) {
      for (const use of this.read.surroundings.uses)
        if (use.name === name) this.edits.push(...editsOfViteWord(use, this.read));
      return;
    }
    if (scope === null && binding === null) {
      this.global(name);
      return;
    }
    if (binding !== null && this.url !== null) {
      const isReadable = binding.source === null && scope !== null;
      const value = isReadable ? readCaptured({ name, binding, cellKey: null }, scopes) : undefined;
      const found = importOf(binding, value, this.url);
      if (found !== null) {
        this.imports.push(found);
        return;
      }
    }
    if (binding === null && this.url !== null && this.script?.isModule === false) {
      const found = commonJsVariable(name, this.url);
      if (found !== null) {
        this.imports.push(found);
        return;
      }
    }
    if (scope === null)
      throw this.refuse(`V8 keeps no value for \`${name}\``, 'Let it take this as an argument.');
    const isShared = binding?.isTopLevel === true && binding.isReassigned;
    const cellKey = isShared ? `${this.script?.id}:${name}` : null;
    this.slots.push({ name, binding, cellKey });
    if (isShared)
      this.edits.push(...this.read.surroundings.uses.filter((use) => use.name === name).map(cellUse));
  }

  private global(name: string): void {
    if (isKnownGlobal(name) || !(name in globalThis)) return;
    throw this.refuse(
      `it uses the global \`${name}\`, which this program added`,
      'Let it take this as an argument, or import what adds it.',
    );
  }

  private position(): { readonly line: number; readonly column: number } {
    const { source = '' } = this.script ?? {};
    if (this.start < 0) return this.siteOfText();
    const before = source.slice(0, this.start);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: before.split('\n').length - 1, column: this.start - lineStart };
  }

  /** Where the text begins, without the script at hand: V8 tells where the parameters of a `function` begin. */
  private siteOfText(): { readonly line: number; readonly column: number } {
    const site = this.view?.site;
    if (site == null || this.url === null) return { line: 0, column: 0 };
    const before = this.read.form === 'arrow' || this.read.form === 'class' ? 0 : this.text.indexOf('(');
    return { line: site.line, column: Math.max(0, site.column - before) };
  }

  private where(): string | null {
    const site = this.view?.site;
    if (site == null || this.script === null || this.script.url === '') return null;
    return `${shortPath(this.script.url)}:${site.line + 1}:${site.column + 1}`;
  }

  private refuse(fact: string, hint: string): Refused {
    const where = this.where();
    return new Refused({ what: where === null ? this.what : `${this.what} (${where})`, fact, hint });
  }
}

/** Writes the use of a shared variable as one of a property. */
function cellUse({ name, start, end, role }: NameUse): Edit {
  const value = `${CELL_PREFIX}${name}.v`;
  if (role === 'shorthand') return { start, end, text: `${name}:${value}` };
  return { start, end, text: role === 'callee' ? `(0,${value})` : value };
}

function shortPath(url: string): string {
  try {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  } catch {
    return url;
  }
}
