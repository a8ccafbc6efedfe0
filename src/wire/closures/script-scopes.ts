/**
 * The variables of a whole script: who declares each, whether it is ever assigned again, and which of them a function sees. V8's
 * scopes tell values only; this tells what a name is.
 */
import {
  childrenOf,
  isFunction,
  isPlainName,
  namesInPattern,
  nodesIn,
  type SyntaxNode,
} from './free-names.js';

/** One variable of a script. */
export interface Binding {
  readonly name: string;
  readonly kind: 'import' | 'const' | 'let' | 'var' | 'function' | 'class' | 'parameter';
  /** Declared at the script's top level. */
  readonly isTopLevel: boolean;
  /** What it is initialised with, where one declarator does so. */
  readonly init: SyntaxNode | null;
  /** Assigned after its declaration, somewhere. */
  isReassigned: boolean;
  /** For an import: where from, and the export's name (`*` for all). */
  readonly source: { readonly specifier: string; readonly exportName: string } | null;
}

/** A function of the script and where it stands. */
export interface PlacedFunction {
  readonly isStrict: boolean;
  /** Finds what a free name of the function means; `null` for a global. */
  lookup(name: string): Binding | null;
}

class Scope {
  readonly parent: Scope | null;
  readonly isFunction: boolean;
  readonly names = new Map<string, Binding>();

  constructor(parent: Scope | null, isFunctionScope: boolean) {
    this.parent = parent;
    this.isFunction = isFunctionScope;
  }

  lookup(name: string): Binding | null {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const binding = scope.names.get(name);
      if (binding !== undefined) return binding;
    }
    return null;
  }
}

/** Looks through a script once. */
export class ScriptScopes {
  private readonly functions = new Map<string, PlacedFunction>();
  private readonly writes: { scope: Scope; name: string }[] = [];
  private readonly top = new Scope(null, true);

  constructor(program: SyntaxNode, isModule: boolean) {
    const body = nodesIn(program['body']);
    this.hoist(body, this.top);
    this.statements(body, this.top, isModule || hasUseStrict(body));
    for (const { scope, name } of this.writes) {
      const binding = scope.lookup(name);
      if (binding !== null) binding.isReassigned = true;
    }
  }

  /** The function that ends at `end` and begins at one of `starts` (V8 and toString differ for methods). */
  find(end: number, starts: readonly number[]): PlacedFunction | null {
    for (const start of starts) {
      const found = this.functions.get(`${start}:${end}`);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Variables of the script's top level. */
  get topLevel(): ReadonlyMap<string, Binding> {
    return this.top.names;
  }

  private declare(
    scope: Scope,
    name: string,
    kind: Binding['kind'],
    init: SyntaxNode | null = null,
    source: Binding['source'] = null,
  ): void {
    const before = scope.names.get(name);
    // `var` twice, or a function of the same name: it has more than one value in its life.
    const isReassigned = before !== undefined && before.kind !== 'parameter';
    scope.names.set(name, { name, kind, isTopLevel: scope === this.top, init, isReassigned, source });
  }

  private declarePattern(
    scope: Scope,
    pattern: unknown,
    kind: Binding['kind'],
    init: SyntaxNode | null,
  ): void {
    const names = new Set<string>();
    namesInPattern(pattern, names);
    const isPlain = (pattern as SyntaxNode).type === 'Identifier';
    for (const name of names) this.declare(scope, name, kind, isPlain ? init : null);
  }

  /** Declares what a function's or script's body declares with `var` anywhere in it, and what its own level declares. */
  private hoist(statements: readonly SyntaxNode[], scope: Scope): void {
    this.hoistVars(statements, scope);
    this.declareBlock(statements, scope);
  }

  private hoistVars(nodes: readonly SyntaxNode[], scope: Scope): void {
    for (const node of nodes) {
      if (node.type === 'VariableDeclaration' && node['kind'] === 'var') {
        for (const declarator of nodesIn(node['declarations']))
          this.declarePattern(
            scope,
            declarator['id'],
            'var',
            (declarator['init'] ?? null) as SyntaxNode | null,
          );
      }
      if (!isFunction(node) && node.type !== 'StaticBlock') this.hoistVars(childrenOf(node), scope);
    }
  }

  private declareBlock(statements: readonly SyntaxNode[], scope: Scope): void {
    for (const outer of statements) {
      let statement = outer;
      while (statement.type === 'LabeledStatement') statement = statement['body'] as SyntaxNode;
      if (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration')
        statement = (statement['declaration'] ?? statement) as SyntaxNode;
      if (statement.type === 'VariableDeclaration' && statement['kind'] !== 'var') {
        const kind = statement['kind'] === 'let' ? 'let' : 'const';
        for (const declarator of nodesIn(statement['declarations'])) {
          const init = (declarator['init'] ?? null) as SyntaxNode | null;
          this.declarePattern(scope, declarator['id'], kind, init);
          // `let x;` gets its value later.
          if (init === null && kind === 'let')
            for (const { name } of identifiersIn(declarator['id'])) this.writes.push({ scope, name });
        }
      } else if (statement.type === 'FunctionDeclaration' && statement['id'] != null) {
        this.declare(scope, (statement['id'] as SyntaxNode)['name'] as string, 'function', statement);
      } else if (statement.type === 'ClassDeclaration' && statement['id'] != null) {
        this.declare(scope, (statement['id'] as SyntaxNode)['name'] as string, 'class', statement);
      } else if (statement.type === 'ImportDeclaration') this.declareImports(statement, scope);
    }
  }

  private declareImports(statement: SyntaxNode, scope: Scope): void {
    const specifier = (statement['source'] as SyntaxNode)['value'] as string;
    for (const one of nodesIn(statement['specifiers'])) {
      const local = (one['local'] as SyntaxNode)['name'] as string;
      const imported = one['imported'] as SyntaxNode | undefined;
      let exportName = 'default';
      if (one.type === 'ImportNamespaceSpecifier') exportName = '*';
      else if (imported !== undefined) exportName = (imported['name'] ?? imported['value']) as string;
      this.declare(scope, local, 'import', null, { specifier, exportName });
    }
  }

  private statements(nodes: readonly SyntaxNode[], scope: Scope, isStrict: boolean): void {
    for (const node of nodes) this.visit(node, scope, isStrict);
  }

  private visit(node: SyntaxNode, scope: Scope, isStrict: boolean): void {
    switch (node.type) {
      case 'FunctionExpression':
      case 'FunctionDeclaration':
      case 'ArrowFunctionExpression':
        this.functionNode(node, scope, isStrict);
        break;
      case 'ClassExpression':
      case 'ClassDeclaration':
        this.classNode(node, scope);
        break;
      case 'BlockStatement':
      case 'StaticBlock': {
        const inner = new Scope(scope, node.type === 'StaticBlock');
        const body = nodesIn(node['body']);
        if (node.type === 'StaticBlock') this.hoistVars(body, inner);
        this.declareBlock(body, inner);
        this.statements(body, inner, isStrict);
        break;
      }
      case 'SwitchStatement': {
        const inner = new Scope(scope, false);
        this.declareBlock(
          nodesIn(node['cases']).flatMap((one) => nodesIn(one['consequent'])),
          inner,
        );
        this.statements(childrenOf(node), inner, isStrict);
        break;
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.loop(node, scope, isStrict);
        break;
      case 'CatchClause': {
        const inner = new Scope(scope, false);
        if (node['param'] != null) this.declarePattern(inner, node['param'], 'parameter', null);
        this.statements(childrenOf(node), inner, isStrict);
        break;
      }
      case 'AssignmentExpression':
        this.written(node['left'], scope);
        this.statements(childrenOf(node), scope, isStrict);
        break;
      case 'UpdateExpression':
        this.written(node['argument'], scope);
        this.statements(childrenOf(node), scope, isStrict);
        break;
      default:
        this.parts(node, scope, isStrict);
    }
  }

  private parts(node: SyntaxNode, scope: Scope, isStrict: boolean): void {
    for (const [field, content] of Object.entries(node)) {
      for (const child of nodesIn(content)) {
        if (child.type !== 'Identifier' || !isPlainName(node, field)) this.visit(child, scope, isStrict);
      }
    }
  }

  private loop(node: SyntaxNode, scope: Scope, isStrict: boolean): void {
    const inner = new Scope(scope, false);
    const head = (node['init'] ?? node['left'] ?? null) as SyntaxNode | null;
    if (head !== null) {
      // The variable of for-in and for-of is a new one in each round; that of `for (let …;…;…)` a copy.
      if (node.type === 'ForStatement') this.declareBlock([head], inner);
      else if (head.type === 'VariableDeclaration') this.declareLoopVariable(head, inner);
      else this.written(head, scope);
    }
    const { update, ...rest } = node as SyntaxNode & { readonly update?: SyntaxNode | null };
    this.statements(nodesIn(Object.values(rest)), inner, isStrict);
    const before = this.writes.length;
    this.statements(nodesIn(update), inner, isStrict);
    // Each round has a variable of its own, which this gives its first value: what a closure sees does not change.
    const others = this.writes.splice(before).filter(({ name }) => inner.names.get(name)?.kind !== 'let');
    this.writes.push(...others);
  }

  private declareLoopVariable(head: SyntaxNode, scope: Scope): void {
    const [declarator] = nodesIn(head['declarations']);
    if (declarator === undefined) return;
    if (head['kind'] === 'var')
      for (const { name } of identifiersIn(declarator['id'])) this.writes.push({ scope, name });
    else this.declarePattern(scope, declarator['id'], 'const', null);
  }

  private written(target: unknown, scope: Scope): void {
    for (const { name } of identifiersIn(target)) this.writes.push({ scope, name });
  }

  private functionNode(node: SyntaxNode, scope: Scope, outerStrict: boolean): void {
    const body = node['body'] as SyntaxNode;
    const statements = body.type === 'BlockStatement' ? nodesIn(body['body']) : [];
    const isStrict = outerStrict || hasUseStrict(statements);
    this.place(node, scope, isStrict);
    let around = scope;
    if (node.type === 'FunctionExpression' && node['id'] != null) {
      around = new Scope(scope, false);
      this.declare(around, (node['id'] as SyntaxNode)['name'] as string, 'function', node);
    }
    const inner = new Scope(around, true);
    for (const parameter of nodesIn(node['params'])) this.declarePattern(inner, parameter, 'parameter', null);
    this.hoist(statements, inner);
    for (const parameter of nodesIn(node['params'])) this.visit(parameter, inner, isStrict);
    if (body.type === 'BlockStatement') this.statements(statements, inner, isStrict);
    else this.visit(body, inner, isStrict);
  }

  private classNode(node: SyntaxNode, scope: Scope): void {
    this.place(node, scope, true);
    const inner = new Scope(scope, false);
    if (node['id'] != null) this.declare(inner, (node['id'] as SyntaxNode)['name'] as string, 'class', node);
    for (const field of ['superClass', 'body']) this.statements(nodesIn(node[field]), inner, true);
  }

  private place(node: SyntaxNode, scope: Scope, isStrict: boolean): void {
    this.functions.set(`${node.start}:${node.end}`, { isStrict, lookup: (name) => scope.lookup(name) });
  }
}

function identifiersIn(pattern: unknown): { readonly name: string }[] {
  const names = new Set<string>();
  namesInPattern(pattern, names);
  return [...names].map((name) => ({ name }));
}

function hasUseStrict(statements: readonly SyntaxNode[]): boolean {
  for (const statement of statements) {
    if (statement.type !== 'ExpressionStatement' || typeof statement['directive'] !== 'string') return false;
    if (statement['directive'] === 'use strict') return true;
  }
  return false;
}
