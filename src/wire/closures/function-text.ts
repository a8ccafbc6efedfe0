import { parser } from '../parser.js';
import { type Surroundings, type SyntaxNode, surroundingsOf } from './free-names.js';

/** What kind of function a text is, where it matters for sending it. */
export type FunctionForm = 'function' | 'arrow' | 'method' | 'accessor' | 'class' | 'unknown';

/** A function's text, understood. */
export interface FunctionText {
  readonly form: FunctionForm;
  /** An expression that makes the function anew. */
  readonly expression: string;
  readonly isStrict: boolean;
  readonly surroundings: Surroundings;
  /** What a class says behind `extends`. */
  readonly heritage: SyntaxNode | null;
  /** The members of a class. */
  readonly members: readonly SyntaxNode[];
  /** Positions in the tree are this much larger than in `expression`. */
  readonly base: number;
}

/** A piece of an expression to be replaced; offsets as in the tree. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const NOTHING: Surroundings = {
  names: new Set(),
  uses: [],
  metas: [],
  early: new Set(),
  context: new Set(),
  hasDynamicImport: false,
};
const UNKNOWN: FunctionText = {
  form: 'unknown',
  expression: '',
  isStrict: true,
  surroundings: NOTHING,
  heritage: null,
  members: [],
  base: 0,
};

/**
 * Understands what `Function.prototype.toString` gave.
 *
 * @param text - The text of one function that was not written in C++.
 * @param isSloppy - Whether it is known to be sloppy code; only plain functions tell.
 */
export function readFunctionText(text: string, isSloppy: boolean): FunctionText {
  for (const isStrict of isSloppy ? [false] : [true, false]) {
    const read = readExpression(text, isStrict) ?? readMethod(text, isStrict);
    if (read !== null) return read;
  }
  return UNKNOWN;
}

/** The expression with pieces replaced. */
export function edited({ expression, base }: FunctionText, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
    result += expression.slice(from, start - base) + text;
    from = end - base;
  }
  return result + expression.slice(from);
}

function tryParse(code: string, isStrict: boolean): SyntaxNode | null {
  try {
    const program = parser().parse(code, {
      ecmaVersion: 'latest',
      // A module's code is strict, and only in one `import.meta` is found and not an error.
      sourceType: isStrict ? 'module' : 'script',
      allowSuperOutsideMethod: true,
      checkPrivateFields: false,
    }) as unknown as SyntaxNode;
    const statement = (program['body'] as readonly SyntaxNode[])[0];
    return (program['body'] as readonly SyntaxNode[]).length === 1 &&
      statement?.type === 'ExpressionStatement'
      ? (statement['expression'] as SyntaxNode)
      : null;
  } catch {
    return null;
  }
}

/** Parsed inside of a function, where an arrow may say `new.target`. */
const AROUND_HEAD = '(function(){return(';
const AROUND_TAIL = '\n)})';

/** Parses one expression; positions in the tree are those of `code` plus the head's length. */
function parseInFunction(code: string, isStrict: boolean): SyntaxNode | null {
  const around = tryParse(`${AROUND_HEAD}${code}${AROUND_TAIL}`, isStrict);
  const body = (around?.['body'] as SyntaxNode | undefined)?.['body'] as readonly SyntaxNode[] | undefined;
  const argument = body?.length === 1 ? body[0]?.['argument'] : null;
  return (argument ?? null) as SyntaxNode | null;
}

function readExpression(text: string, isStrict: boolean): FunctionText | null {
  const node = parseInFunction(text, isStrict);
  if (node === null) return null;
  const form = formOf(node.type);
  if (form === null) return null;
  return {
    form,
    expression: text,
    isStrict,
    surroundings: surroundingsOf(node),
    heritage: (node['superClass'] ?? null) as SyntaxNode | null,
    members: form === 'class' ? ((node['body'] as SyntaxNode)['body'] as readonly SyntaxNode[]) : [],
    base: AROUND_HEAD.length,
  };
}

function formOf(type: string): FunctionForm | null {
  switch (type) {
    case 'FunctionExpression':
      return 'function';
    case 'ArrowFunctionExpression':
      return 'arrow';
    case 'ClassExpression':
      return 'class';
    default:
      return null;
  }
}

function readMethod(text: string, isStrict: boolean): FunctionText | null {
  const head = '({';
  const object = parseInFunction(`${head}${text}\n})`, isStrict);
  const properties = object?.['properties'] as readonly SyntaxNode[] | undefined;
  const property = properties?.length === 1 ? properties[0] : undefined;
  if (property === undefined) return null;
  const value = property['value'] as SyntaxNode;
  if (property['kind'] !== 'init') return { ...UNKNOWN, form: 'accessor' };
  if (property['method'] !== true) return null;
  const marks = `${value['async'] === true ? 'async ' : ''}${value['generator'] === true ? '*' : ''}`;
  // The key is left out: it may be computed from something that stays behind. `name` travels apart.
  const rest = text.slice(value.start - AROUND_HEAD.length - head.length);
  const front = `({${marks}method`;
  return {
    form: 'method',
    expression: `${front}${rest}}).method`,
    isStrict,
    surroundings: surroundingsOf(value),
    heritage: null,
    members: [],
    base: value.start - front.length,
  };
}
