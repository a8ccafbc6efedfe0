import type { Node } from 'acorn';

/** Something found at a line of a file. */
export interface Found {
  readonly name: string;
  readonly line: number;
  /** How long, or how deep, it is. */
  readonly size: number;
}

/** What is counted in a syntax tree. */
export interface TreeFacts {
  functions: number;
  asyncFunctions: number;
  awaits: number;
  classes: number;
  imports: number;
  /** The longest function that has a name: the wrapper around a bundle has none. */
  longest: Found | null;
  /** Where functions, loops and branches are nested deepest. */
  deepest: Found;
  /** How often each name of three letters or more is used: shorter ones are a minifier's. */
  readonly names: Map<string, number>;
}

/** The fields of syntax nodes that are looked at; acorn has a type for each kind of node, this is all of them at once. */
interface AnyNode extends Node {
  readonly async?: boolean;
  readonly await?: boolean;
  readonly name?: string;
  readonly value?: unknown;
  readonly id?: AnyNode | null;
  readonly key?: AnyNode;
  readonly left?: AnyNode;
  readonly property?: AnyNode;
  readonly callee?: AnyNode;
  readonly alternate?: AnyNode | null;
}

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const CLASS = /^Class(Declaration|Expression)$/;
const IMPORT = /^Import(Declaration|Expression)$/;
const NESTS = /^(If|For|ForIn|ForOf|While|DoWhile|Switch|Try)Statement$/;

/** Walks a syntax tree and counts what it meets. */
export function countTree(root: Node): TreeFacts {
  const facts: TreeFacts = {
    functions: 0,
    asyncFunctions: 0,
    awaits: 0,
    classes: 0,
    imports: 0,
    longest: null,
    deepest: { name: '', line: 1, size: 0 },
    names: new Map(),
  };
  visit(root as AnyNode, null, 0, facts);
  return facts;
}

function visit(node: AnyNode, parent: AnyNode | null, outside: number, facts: TreeFacts): void {
  let depth = outside;
  const line = node.loc?.start.line ?? 1;
  if (FUNCTION.test(node.type)) {
    depth++;
    facts.functions++;
    if (node.async === true) facts.asyncFunctions++;
    const name = node.id?.name ?? nameFrom(parent);
    const size = (node.loc?.end.line ?? line) - line + 1;
    if (name !== undefined && size > (facts.longest?.size ?? 0)) facts.longest = { name, line, size };
  } else if (CLASS.test(node.type)) {
    facts.classes++;
  } else if (NESTS.test(node.type)) {
    // `else if` reads as one level, though the tree nests it.
    if (parent?.alternate !== node) depth++;
    if (node.await === true) facts.awaits++;
  } else if (node.type === 'AwaitExpression') {
    facts.awaits++;
  } else if (IMPORT.test(node.type) || (node.type === 'CallExpression' && node.callee?.name === 'require')) {
    facts.imports++;
  } else if (node.type === 'Identifier' && node.name !== undefined && node.name.length > 2) {
    facts.names.set(node.name, (facts.names.get(node.name) ?? 0) + 1);
  }
  if (depth > facts.deepest.size) facts.deepest = { name: node.type, line, size: depth };
  for (const child of Object.values(node)) {
    if (Array.isArray(child)) {
      for (const one of child) if (isNode(one)) visit(one, node, depth, facts);
    } else if (isNode(child)) {
      visit(child, node, depth, facts);
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

/** What a function without a name of its own is assigned to. */
function nameFrom(parent: AnyNode | null): string | undefined {
  return parent?.id?.name ?? parent?.key?.name ?? parent?.left?.name ?? parent?.left?.property?.name;
}
