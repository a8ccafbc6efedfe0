import { parser } from '../parser.js';
import { nodesIn, type SyntaxNode } from './free-names.js';
import { type ScriptView, viewScript } from './inspector.js';
import { exportsOf, type ModuleExport } from './module-exports.js';
import { ScriptScopes } from './script-scopes.js';

/** A script, understood as far as sending its functions needs it. */
export interface Script extends ScriptView {
  readonly id: string;
  readonly isModule: boolean;
  readonly exports: readonly ModuleExport[];
  readonly scopes: ScriptScopes;
  /** Imports a test runner: importing it in a child would run its tests. */
  readonly isTest: boolean;
}

/** Scripts that were understood, the latest last; a syntax tree is some hundred times its text. */
const known = new Map<string, Script | null>();
const MAX_KNOWN = 48;

const TEST_RUNNERS: ReadonlySet<string> = new Set(['node:test', 'vitest', '@jest/globals', 'bun:test']);

/**
 * Understands the script that V8 calls `id`.
 *
 * @param hasModuleScope - Whether a function of it has a scope called `Module`.
 * @returns `null` when V8 has forgotten the script, or it cannot be parsed.
 * @throws InspectorUnavailable when there is no inspector to be had.
 */
export function scriptOf(id: string, hasModuleScope: boolean): Script | null {
  let script = known.get(id);
  if (script === undefined) {
    const view = viewScript(id);
    script = view === null ? null : understand(id, view, hasModuleScope);
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    known.set(id, script);
  }
  return script;
}

function understand(id: string, view: ScriptView, hasModuleScope: boolean): Script | null {
  const asModule = parse(view.source, 'module');
  const isModule =
    asModule !== null &&
    (hasModuleScope || /\.m[jt]s$/.test(view.url) || nodesIn(asModule['body']).some(isModuleOnly));
  const program = isModule ? asModule : (parse(view.source, 'script') ?? asModule);
  if (program === null) return null;
  const scopes = new ScriptScopes(program, program === asModule);
  const isTest = [...scopes.topLevel.values()].some(
    ({ source }) => source !== null && TEST_RUNNERS.has(source.specifier),
  );
  return {
    ...view,
    id,
    isModule: program === asModule,
    exports: program === asModule ? exportsOf(program, view.source) : [],
    scopes,
    isTest,
  };
}

function isModuleOnly(statement: SyntaxNode): boolean {
  return /^(Import|Export)\w*Declaration$/.test(statement.type);
}

function parse(source: string, sourceType: 'module' | 'script'): SyntaxNode | null {
  try {
    return parser().parse(source, {
      ecmaVersion: 'latest',
      sourceType,
      allowHashBang: true,
      // The body of a CommonJS module is that of a function.
      allowReturnOutsideFunction: sourceType === 'script',
      allowSuperOutsideMethod: true,
    }) as unknown as SyntaxNode;
  } catch {
    return null;
  }
}
