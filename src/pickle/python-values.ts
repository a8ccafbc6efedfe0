/** What Python tells apart and JavaScript does not: helpers that say which is meant, and marks on what came from there. */

const tuples = new WeakSet<object>();
const frozensets = new WeakSet<object>();

/**
 * An array that travels to Python as a tuple. What arrives as a tuple is such an array, too.
 *
 * @returns A frozen array.
 *
 * @example
 * tuple(1, 'a'); // => [1, 'a']
 */
export function tuple<const Items extends readonly unknown[]>(...items: Items): Readonly<Items> {
  tuples.add(items);
  return Object.freeze(items);
}

/** Marks an array as a tuple that is already filled; kept apart from {@link tuple}, whose arguments the stack would bound. */
export function asTuple(items: unknown[]): readonly unknown[] {
  tuples.add(items);
  return Object.freeze(items);
}

export function isTuple(value: object): boolean {
  return tuples.has(value);
}

/**
 * A set that travels to Python as a frozenset. What arrives as a frozenset is such a set, too.
 *
 * @example
 * frozenset([1, 2]).size; // => 2
 */
export function frozenset<T>(items: Iterable<T>): ReadonlySet<T> {
  const set = new Set(items);
  frozensets.add(set);
  return set;
}

export function isFrozenset(value: object): boolean {
  return frozensets.has(value);
}

/** A number that Python is to have as a float; see {@link float}. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * A number that travels to Python as a float even if it is whole. Without it 1 travels as the int 1.
 *
 * @example
 * float(1).value; // => 1
 */
export function float(value: number): PythonFloat {
  return new PythonFloat(value);
}

/** A complex number, as Python has it. */
export class PythonComplex {
  readonly real: number;
  readonly imag: number;

  constructor(real: number, imag: number) {
    this.real = real;
    this.imag = imag;
  }
}

/**
 * An exception of Python's as an error: `name` is its class, `message` its text.
 *
 * Sent to Python it arrives as an exception of that class, if it is a built-in one or of the queue module.
 *
 * @example
 * const error = new PythonError('ValueError', ['not a number', 7]);
 * String(error); // => "ValueError: ('not a number', 7)"
 */
export class PythonError extends Error {
  /** The module of its class, such as `builtins`. */
  readonly module: string;
  /** What the exception was made with. */
  readonly args: readonly unknown[];
  /** The attributes it had besides, such as `__notes__`. */
  readonly attributes: ReadonlyMap<unknown, unknown>;

  constructor(
    name: string,
    args: readonly unknown[] = [],
    options: {
      readonly module?: string;
      readonly attributes?: ReadonlyMap<unknown, unknown>;
      readonly cause?: unknown;
    } = {},
  ) {
    const { module = 'builtins', attributes = new Map() } = options;
    super(exceptionText(name, args), 'cause' in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true });
    this.module = module;
    this.args = args;
    this.attributes = attributes;
  }
}

/** What `str(exception)` gives in Python. */
function exceptionText(name: string, args: readonly unknown[]): string {
  if (args.length === 0) return '';
  // OSError(errno, strerror) and its children.
  if (args.length === 2 && typeof args[0] === 'number' && typeof args[1] === 'string' && isOsError(name)) {
    return `[Errno ${args[0]}] ${args[1]}`;
  }
  if (args.length > 1) return show(asTuple([...args]));
  return name === 'KeyError' ? show(args[0]) : typeof args[0] === 'string' ? args[0] : show(args[0]);
}

function isOsError(name: string): boolean {
  return /^(OS|Connection|BrokenPipe|FileNotFound|FileExists|Permission|Timeout|Interrupted|Blocking)/.test(
    name,
  );
}

const SHOWN_DEPTH = 4;

/** About what `repr` gives in Python: for people. */
function show(value: unknown, depth: number = 0): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.replace(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`;
  if (typeof value !== 'object') return String(value);
  if (depth === SHOWN_DEPTH) return '...';
  const inner = (parts: Iterable<unknown>): string =>
    [...parts].map((part) => show(part, depth + 1)).join(', ');
  if (Array.isArray(value)) {
    if (!isTuple(value)) return `[${inner(value)}]`;
    return value.length === 1 ? `(${inner(value)},)` : `(${inner(value)})`;
  }
  if (value instanceof Set) return `{${inner(value)}}`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, part]) => `${show(key, depth + 1)}: ${show(part, depth + 1)}`).join(', ')}}`;
  }
  return `<${value.constructor?.name ?? 'object'}>`;
}
