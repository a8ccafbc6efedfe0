/**
 * What a function's text refers to outside of itself, by a walk over the syntax tree: names, and the things that
 * only the place where it was written can give (`this` of an arrow, `super`, private names, `import.meta`).
 */

/** A node of acorn's tree; its fields are read by name, as the walk does not care for most kinds. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Where a free name is used, as offsets into the text. */
export interface NameUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** `{ name }` stands for `{ name: name }`; `name()` passes no `this`. */
  readonly role: 'plain' | 'shorthand' | 'callee';
}

/** What a function takes from its surroundings. */
export interface Surroundings {
  /** Free names in order of appearance. */
  readonly names: ReadonlySet<string>;
  /** Each use of each free name. */
  readonly uses: readonly NameUse[];
  /** Each `import.meta`. */
  readonly metas: readonly SyntaxNode[];
  /** Of a class: the names that its evaluation itself uses, in static fields and blocks and in computed keys. */
  readonly early: ReadonlySet<string>;
  /** `this`, `arguments`, `new.target`, `super`, `import.meta`, `eval`, private names such as `#size`. */
  readonly context: ReadonlySet<string>;
  readonly hasDynamicImport: boolean;
}

type Scope = ReadonlySet<string>;

/** What the position in the text allows a node to use. */
interface Place {
  readonly scopes: readonly Scope[];
  /** Inside of a function of its own `this`, `arguments` and `new.target`. */
  readonly hasThis: boolean;
  /** Inside of a method or field whose object or class stands in the text. */
  readonly hasSuper: boolean;
  /** Private names of the classes in the text around. */
  readonly privates: Scope;
}

/**
 * Looks through a function; `node` is the function itself, not what it stands in. What a class extends is left out: it is found
 * through its prototype.
 */
export function surroundingsOf(node: SyntaxNode): Surroundings {
  const walk = new Walk(node);
  walk.visit(node, { scopes: [], hasThis: false, hasSuper: false, privates: new Set() });
  return walk;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

export function nodesIn(value: unknown): readonly SyntaxNode[] {
  if (isNode(value)) return [value];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.values(node).flatMap(nodesIn);
}

/** Fields in which an identifier is a name of something, not a use of a variable. */
export function isPlainName(parent: SyntaxNode, field: string): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return field === 'property' && parent['computed'] === false;
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return field === 'key' && parent['computed'] === false;
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return field === 'label';
    case 'MetaProperty':
      return true;
    default:
      return false;
  }
}

export function namesInPattern(pattern: unknown, into: Set<string>): void {
  for (const node of nodesIn(pattern)) {
    switch (node.type) {
      case 'Identifier':
        into.add(node['name'] as string);
        break;
      case 'ObjectPattern':
        for (const property of nodesIn(node['properties'])) {
          namesInPattern(property['value'] ?? property['argument'], into);
        }
        break;
      case 'ArrayPattern':
        namesInPattern(node['elements'], into);
        break;
      case 'AssignmentPattern':
        namesInPattern(node['left'], into);
        break;
      case 'RestElement':
        namesInPattern(node['argument'], into);
        break;
    }
  }
}

export function isFunction(node: SyntaxNode): boolean {
  return (
    node.type === 'FunctionExpression' ||
    node.type === 'FunctionDeclaration' ||
    node.type === 'ArrowFunctionExpression'
  );
}

/** `var` names reach up to their function, out of every block. */
export function varNames(nodes: readonly SyntaxNode[], into: Set<string>): void {
  for (const node of nodes) {
    if (node.type === 'VariableDeclaration' && node['kind'] === 'var') {
      for (const declarator of nodesIn(node['declarations'])) namesInPattern(declarator['id'], into);
    }
    if (!isFunction(node) && node.type !== 'StaticBlock') varNames(childrenOf(node), into);
  }
}

/** Names that a block declares for itself. */
export function blockNames(statements: readonly SyntaxNode[]): Set<string> {
  const names = new Set<string>();
  for (const labelled of statements) {
    let statement = labelled;
    while (statement.type === 'LabeledStatement') statement = statement['body'] as SyntaxNode;
    if (statement.type === 'VariableDeclaration') {
      for (const declarator of nodesIn(statement['declarations'])) namesInPattern(declarator['id'], names);
    } else if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
      namesInPattern(statement['id'], names);
    }
  }
  return names;
}

function inner(place: Place, scope: Scope): Place {
  return { ...place, scopes: [...place.scopes, scope] };
}

class Walk implements Surroundings {
  private readonly root: SyntaxNode;
  private isEarly = false;
  readonly early = new Set<string>();
  readonly names = new Set<string>();
  readonly uses: NameUse[] = [];
  readonly metas: SyntaxNode[] = [];
  readonly context = new Set<string>();
  hasDynamicImport = false;

  constructor(root: SyntaxNode) {
    this.root = root;
  }

  visit(node: SyntaxNode, place: Place): void {
    switch (node.type) {
      case 'FunctionExpression':
      case 'FunctionDeclaration':
      case 'ArrowFunctionExpression':
        this.functionNode(node, place);
        break;
      case 'Identifier':
        this.use(node, 'plain', place);
        break;
      case 'ThisExpression':
        if (!place.hasThis) this.context.add('this');
        break;
      case 'Super':
        if (!place.hasSuper) this.context.add('super');
        break;
      case 'PrivateIdentifier':
        if (!place.privates.has(node['name'] as string)) this.context.add(`#${node['name'] as string}`);
        break;
      case 'MetaProperty':
        this.metaProperty(node, place);
        break;
      case 'ClassExpression':
      case 'ClassDeclaration':
        this.classNode(node, place);
        break;
      case 'Property':
        if (node['shorthand'] === true) {
          this.shorthand(node, place);
          break;
        }
        // Only a method has the object for its `super`.
        this.fields(node, place, { ...place, hasSuper: place.hasSuper || isMethod(node) });
        break;
      case 'BlockStatement':
      case 'StaticBlock':
        this.fields(node, inner(place, blockNames(nodesIn(node['body']))));
        break;
      case 'SwitchStatement':
        this.switchNode(node, place);
        break;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.fields(node, inner(place, blockNames(nodesIn(node['init'] ?? node['left']))));
        break;
      case 'CatchClause': {
        const names = new Set<string>();
        namesInPattern(node['param'], names);
        this.fields(node, inner(place, names));
        break;
      }
      case 'ImportExpression':
        this.hasDynamicImport = true;
        this.fields(node, place);
        break;
      case 'CallExpression':
        if (isDirectEval(node)) this.context.add('eval');
        this.callNode(node, place);
        break;
      case 'TaggedTemplateExpression':
        this.taggedNode(node, place);
        break;
      default:
        this.fields(node, place);
        break;
    }
  }

  private use(node: SyntaxNode, role: NameUse['role'], place: Place): void {
    const name = node['name'] as string;
    if (place.scopes.some((scope) => scope.has(name))) return;
    if (name === 'arguments') {
      if (!place.hasThis) this.context.add('arguments');
      return;
    }
    this.names.add(name);
    if (this.isEarly) this.early.add(name);
    this.uses.push({ name, start: node.start, end: node.end, role });
  }

  /** `{ a }`, or `{ a = 1 }` in a pattern: its value alone is a use. */
  private shorthand(property: SyntaxNode, place: Place): void {
    const value = property['value'] as SyntaxNode;
    if (value.type === 'AssignmentPattern') {
      this.use(value['left'] as SyntaxNode, 'shorthand', place);
      this.visit(value['right'] as SyntaxNode, place);
    } else this.use(value, 'shorthand', place);
  }

  private callNode(node: SyntaxNode, place: Place): void {
    const callee = node['callee'] as SyntaxNode;
    if (callee.type === 'Identifier') this.use(callee, 'callee', place);
    else this.visit(callee, place);
    for (const argument of nodesIn(node['arguments'])) this.visit(argument, place);
  }

  private taggedNode(node: SyntaxNode, place: Place): void {
    const tag = node['tag'] as SyntaxNode;
    if (tag.type === 'Identifier') this.use(tag, 'callee', place);
    else this.visit(tag, place);
    this.visit(node['quasi'] as SyntaxNode, place);
  }

  /** Visits all parts; those in `value` fields at `valuePlace`. */
  private fields(node: SyntaxNode, place: Place, valuePlace: Place = place): void {
    for (const [field, content] of Object.entries(node)) {
      for (const child of nodesIn(content)) {
        if (child.type === 'Identifier' && isPlainName(node, field)) continue;
        this.visit(child, field === 'value' ? valuePlace : place);
      }
    }
  }

  private functionNode(node: SyntaxNode, place: Place): void {
    const isArrow = node.type === 'ArrowFunctionExpression';
    let around = isArrow ? place : { ...place, hasThis: true };
    if (node.type === 'FunctionExpression') {
      const ownName = new Set<string>();
      namesInPattern(node['id'], ownName);
      around = inner(around, ownName);
    }
    const parameters = new Set<string>();
    namesInPattern(node['params'], parameters);
    // Defaults see the parameters, and not what the body declares.
    const head = inner(around, parameters);
    for (const parameter of nodesIn(node['params'])) this.visit(parameter, head);
    const body = node['body'] as SyntaxNode;
    const vars = new Set<string>();
    varNames([body], vars);
    this.visit(body, inner(head, vars));
  }

  private classNode(node: SyntaxNode, place: Place): void {
    const ownName = new Set<string>();
    namesInPattern(node['id'], ownName);
    const members = nodesIn((node['body'] as SyntaxNode)['body']);
    const privates = new Set(place.privates);
    for (const member of members) {
      const key = member['key'] as SyntaxNode | undefined;
      if (key?.type === 'PrivateIdentifier') privates.add(key['name'] as string);
    }
    const around = { ...inner(place, ownName), privates };
    const isRoot = node === this.root;
    if (!isRoot) for (const heritage of nodesIn(node['superClass'])) this.visit(heritage, around);
    const inside: Place = { ...around, hasThis: true, hasSuper: true };
    for (const member of members) {
      const key = member['key'] as SyntaxNode | undefined;
      // A computed key is evaluated outside: its `this` is that of the surroundings.
      if (key !== undefined && member['computed'] === true)
        this.evaluated(isRoot, () => this.visit(key, around));
      const isNow = isRoot && (member.type === 'StaticBlock' || isStaticField(member));
      this.evaluated(isNow, () => this.member(member, inside));
    }
  }

  private member(member: SyntaxNode, inside: Place): void {
    if (member.type === 'StaticBlock') {
      const vars = new Set<string>();
      varNames(nodesIn(member['body']), vars);
      this.visit(member, inner(inside, vars));
    } else {
      for (const value of nodesIn(member['value'])) this.visit(value, inside);
    }
  }

  private evaluated(isEarly: boolean, visit: () => void): void {
    const before = this.isEarly;
    this.isEarly ||= isEarly;
    visit();
    this.isEarly = before;
  }

  private switchNode(node: SyntaxNode, place: Place): void {
    const cases = nodesIn(node['cases']);
    this.visit(node['discriminant'] as SyntaxNode, place);
    const around = inner(place, blockNames(cases.flatMap((one) => nodesIn(one['consequent']))));
    for (const one of cases) this.fields(one, around);
  }

  private metaProperty(node: SyntaxNode, place: Place): void {
    const isImportMeta = (node['meta'] as SyntaxNode)['name'] === 'import';
    if (isImportMeta) {
      this.context.add('import.meta');
      this.metas.push(node);
    } else if (!place.hasThis) this.context.add('new.target');
  }
}

function isStaticField(member: SyntaxNode): boolean {
  return member.type === 'PropertyDefinition' && member['static'] === true;
}

function isMethod(property: SyntaxNode): boolean {
  return property['method'] === true || property['kind'] === 'get' || property['kind'] === 'set';
}

/** `eval?.(x)` and `(0, eval)(x)` see globals only. */
function isDirectEval(call: SyntaxNode): boolean {
  const callee = call['callee'] as SyntaxNode;
  return callee.type === 'Identifier' && callee['name'] === 'eval' && call['optional'] === false;
}
