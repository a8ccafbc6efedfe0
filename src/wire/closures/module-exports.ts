import type { SyntaxNode } from './free-names.js';

/** A name under which a module gives something away. */
export interface ModuleExport {
  readonly exportName: string;
  /** The module's own variable behind it, or `null` for an anonymous `export default`. */
  readonly local: string | null;
  /**
   * Where the function begins that stands in the export itself, as V8 tells it (an offset into the text), or `null`
   * when something else stands there.
   */
  readonly functionAt: number | null;
}

/** Lists what a module exports of its own; re-exports are found in the module that has them. */
export function exportsOf(program: SyntaxNode, source: string): readonly ModuleExport[] {
  return (program['body'] as readonly SyntaxNode[]).flatMap((statement) =>
    exportsOfStatement(statement, source),
  );
}

function exportsOfStatement(statement: SyntaxNode, source: string): readonly ModuleExport[] {
  if (statement.type === 'ExportDefaultDeclaration') {
    const declaration = statement['declaration'] as SyntaxNode;
    return [
      {
        exportName: 'default',
        local: nameOf(declaration.type === 'Identifier' ? declaration : declaration['id']),
        functionAt: functionPosition(declaration, source),
      },
    ];
  }
  if (statement.type !== 'ExportNamedDeclaration' || statement['source'] !== null) return [];
  const declaration = statement['declaration'] as SyntaxNode | null;
  if (declaration === null) return (statement['specifiers'] as readonly SyntaxNode[]).map(specifier);
  if (declaration.type === 'VariableDeclaration') {
    return (declaration['declarations'] as readonly SyntaxNode[]).flatMap((declarator) =>
      declared(declarator['id'], declarator['init'] as SyntaxNode | null, source),
    );
  }
  return declared(declaration['id'], declaration, source);
}

function specifier(node: SyntaxNode): ModuleExport {
  const exported = node['exported'] as SyntaxNode;
  return {
    exportName: (exported['name'] ?? exported['value']) as string,
    local: nameOf(node['local']),
    functionAt: null,
  };
}

function declared(id: unknown, value: SyntaxNode | null, source: string): readonly ModuleExport[] {
  const name = nameOf(id);
  // `export const { a, b } = …` gives no function that stands there.
  if (name === null) return [];
  return [
    { exportName: name, local: name, functionAt: value === null ? null : functionPosition(value, source) },
  ];
}

function nameOf(node: unknown): string | null {
  const identifier = node as SyntaxNode | null | undefined;
  return identifier?.type === 'Identifier' ? (identifier['name'] as string) : null;
}

/** V8's position of a function: of `function` the parenthesis before the parameters, of an arrow its beginning. */
function functionPosition(node: SyntaxNode, source: string): number | null {
  if (node.type === 'ArrowFunctionExpression') return node.start;
  if (node.type !== 'FunctionDeclaration' && node.type !== 'FunctionExpression') return null;
  const id = node['id'] as SyntaxNode | null;
  const parenthesis = source.indexOf('(', id === null ? node.start : id.end);
  return parenthesis < 0 ? null : parenthesis;
}

/** Turns V8's line and column (from 0) into an offset. */
export function offsetIn(source: string, line: number, column: number): number {
  let start = 0;
  for (let left = line; left > 0; left -= 1) {
    const next = source.indexOf('\n', start);
    if (next < 0) return -1;
    start = next + 1;
  }
  return start + column;
}
