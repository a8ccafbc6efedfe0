import { createRequire } from 'node:module';
import type { ImportRecord } from './descriptor.js';
import { nodesIn, type SyntaxNode } from './free-names.js';
import { isEntryFile } from './references.js';
import type { Binding } from './script-scopes.js';
import { fileOfViteId, VITE_IMPORT } from './vitest.js';

/**
 * Tells how a variable that holds an import is made again elsewhere; `null` when it holds none, or one that must not be imported again.
 *
 * @param url - The module the variable is in.
 * @param value - What it holds now: a `require` is believed only if it gives just that.
 */
export function importOf(binding: Binding, value: unknown, url: string): ImportRecord | null {
  const { name, source, init } = binding;
  if (source !== null) {
    if (pointsToEntry(source.specifier, url)) return null;
    return { name, ...source, via: 'import' };
  }
  if (binding.isReassigned || init === null) return null;
  if (calleeOf(init) === 'createRequire') {
    return { name, specifier: url, exportName: '*', via: 'createRequire' };
  }
  return requiredBy(name, init, value, url) ?? viteImport(name, init);
}

/** The variables that CommonJS gives every module, except those that hold nothing but text. */
export function commonJsVariable(name: string, url: string): ImportRecord | null {
  if (name === 'require') return { name, specifier: url, exportName: '*', via: 'createRequire' };
  if (name === 'exports' && !isEntryFile(url))
    return { name, specifier: url, exportName: '*', via: 'require' };
  return null;
}

function pointsToEntry(specifier: string, url: string): boolean {
  if (!/^(\.|\/|file:)/.test(specifier)) return false;
  return URL.canParse(specifier, url) && isEntryFile(new URL(specifier, url).href);
}

/** What compilers put around a `require` to make a module of it. */
const WRAPPERS: ReadonlyMap<string, ImportRecord['via']> = new Map([
  ['__toESM', 'importStar'],
  ['__importStar', 'importStar'],
  ['_interopRequireWildcard', 'importStar'],
  ['__importDefault', 'importDefault'],
  ['_interopRequireDefault', 'importDefault'],
]);

function requiredBy(name: string, init: SyntaxNode, value: unknown, url: string): ImportRecord | null {
  const [argument, mode] = nodesIn(init['arguments']);
  const wrapper = WRAPPERS.get(calleeOf(init) ?? '');
  const call = wrapper === undefined ? init : argument;
  if (call === undefined || calleeOf(call) !== 'require') return null;
  const specifier = textOf(nodesIn(call['arguments'])[0]);
  if (specifier === null) return null;
  try {
    const required: unknown = createRequire(url)(specifier);
    if (wrapper === undefined && required !== value) return null;
  } catch {
    return null;
  }
  const via = wrapper === 'importStar' && mode !== undefined ? 'importStarNode' : (wrapper ?? 'require');
  return { name, specifier, exportName: '*', via };
}

function calleeOf(node: SyntaxNode): string | null {
  const callee = node['callee'] as SyntaxNode | undefined;
  if (node.type !== 'CallExpression' || callee === undefined) return null;
  // TypeScript writes `tslib_1.__importStar(…)` with importHelpers.
  const named = callee.type === 'MemberExpression' ? (callee['property'] as SyntaxNode) : callee;
  return named.type === 'Identifier' ? (named['name'] as string) : null;
}

function textOf(node: SyntaxNode | undefined): string | null {
  return node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : null;
}

function viteImport(name: string, init: SyntaxNode): ImportRecord | null {
  const call = init.type === 'AwaitExpression' ? (init['argument'] as SyntaxNode) : init;
  if (calleeOf(call) !== VITE_IMPORT) return null;
  const id = textOf(nodesIn(call['arguments'])[0]);
  if (id === null) return null;
  return { name, specifier: fileOfViteId(id), exportName: '*', via: 'import' };
}
