import { notAPickle } from './failures.js';
import { asTuple, frozenset, isTuple, PythonComplex, PythonError } from './python-values.js';

/** What stands for a class or function of Python in a pickle: makes a plain value of what it is called with. */
export interface Maker {
  make(args: readonly unknown[]): unknown;
  /** Gives what it made its state (BUILD); without it there is none to be given. */
  setState?(made: unknown, state: unknown): void;
  /** Where it is not called but stands by itself: what it is then. Without it, it may only be called. */
  readonly value?: unknown;
}

/** Looks up a class or function of Python; `undefined` when it is not data. */
export type FindGlobal = (module: string, name: string) => Maker | undefined;

/** The built-in exceptions of CPython 3.14. */
const EXCEPTIONS: ReadonlySet<string> = new Set(
  `ArithmeticError AssertionError AttributeError BaseException BlockingIOError BrokenPipeError BufferError BytesWarning
  ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError
  EncodingWarning EnvironmentError Exception FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError
  ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError
  MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning
  PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning
  StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError
  UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning
  ZeroDivisionError`.split(/\s+/),
);

/** Exceptions of the standard library that multiprocessing itself raises. */
const OTHER_EXCEPTIONS: ReadonlySet<string> = new Set([
  '_queue.Empty',
  'queue.Empty',
  'queue.Full',
  'queue.ShutDown',
  'threading.BrokenBarrierError',
  'multiprocessing.context.ProcessError',
  'multiprocessing.context.BufferTooShort',
  'multiprocessing.context.TimeoutError',
  'multiprocessing.context.AuthenticationError',
  'multiprocessing.managers.RemoteError',
]);

/** Tells whether a class of exceptions is one that any Python has. */
export function isKnownException(module: string, name: string): boolean {
  return module === 'builtins' ? EXCEPTIONS.has(name) : OTHER_EXCEPTIONS.has(`${module}.${name}`);
}

/** Makes errors of a class of exceptions; a known one or not, nothing of it runs. */
export function exceptionMaker(module: string, name: string): Maker {
  return {
    make: (args) => withoutStack(() => new PythonError(name, args, { module })),
    setState(made, state) {
      if (!(state instanceof Map)) return;
      for (const [key, value] of state)
        (made as { attributes: Map<unknown, unknown> }).attributes.set(key, value);
    },
  };
}

/** Where it was thrown is not here; what is here would only mislead. */
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Python 2's names, which protocols 0 to 2 still use. */
const OLD_MODULES: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['exceptions', 'builtins'],
  ['Queue', 'queue'],
]);

const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ['builtins.set', { make: ([items]) => new Set(listOf(items)) }],
  ['builtins.frozenset', { make: ([items]) => frozenset(listOf(items)) }],
  ['builtins.list', { make: ([items]) => [...listOf(items)] }],
  ['builtins.tuple', { make: ([items]) => asTuple([...listOf(items)]) }],
  ['builtins.bytes', { make: ([content]) => bytesOf(content) }],
  ['builtins.bytearray', { make: ([content, encoding]) => bytesOf(content, encoding) }],
  ['builtins.complex', { make: ([real, imag]) => new PythonComplex(Number(real), Number(imag)) }],
  ['_codecs.encode', { make: ([text, encoding]) => bytesOf(text, encoding) }],
  ['collections.OrderedDict', { make: ([pairs]) => new Map(listOf(pairs).map(pairOf)) }],
  ['collections.deque', { make: ([items]) => [...listOf(items)] }],
]);

/** The classes and functions of Python that are data, and nothing else. */
export const findDataGlobal: FindGlobal = (oldModule, name) => {
  const module = OLD_MODULES.get(oldModule) ?? oldModule;
  const maker = MAKERS.get(`${module}.${name}`);
  if (maker !== undefined) return maker;
  return isKnownException(module, name) ? exceptionMaker(module, name) : undefined;
};

function listOf(items: unknown): readonly unknown[] {
  if (items === undefined) return [];
  if (Array.isArray(items)) return items;
  throw notAPickle('a collection in it is made of something else than a list');
}

function pairOf(pair: unknown): [unknown, unknown] {
  if (Array.isArray(pair) && pair.length === 2) return [pair[0], pair[1]];
  throw notAPickle('a dict in it is made of something else than pairs');
}

/** Bytes as protocols 0 to 2 write them: as Latin-1 text; later ones as bytes. */
function bytesOf(content: unknown, encoding?: unknown): Uint8Array {
  if (content === undefined) return new Uint8Array(0);
  if (content instanceof Uint8Array) return content.slice();
  const isLatin1 = typeof content === 'string' && /^(latin1|latin-1)$/.test(String(encoding));
  if (isLatin1 && !/[^\0-\xff]/.test(content)) return new Uint8Array(Buffer.from(content, 'latin1'));
  throw notAPickle('bytes in it are made of something else than bytes or Latin-1 text');
}

/** The arguments of a call in a pickle. */
export function argsOf(args: unknown): readonly unknown[] {
  if (Array.isArray(args) && isTuple(args)) return args;
  throw notAPickle('something in it is called with something else than a tuple');
}
