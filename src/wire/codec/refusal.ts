import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import type { Refusal } from '../failures.js';
import { parser } from '../parser.js';

const PLAIN_DATA = 'Send plain data that describes it.';

/** Built-in classes whose instances arrive by their contents, or are plain enough once their slots were looked for. */
const CARRIED: ReadonlySet<unknown> = new Set<unknown>([
  Object,
  Array,
  Map,
  Set,
  Date,
  RegExp,
  Number,
  String,
  Boolean,
  BigInt,
  Error,
]);

/** Classes that were looked at: `null` when an instance may travel as a plain object. */
const verdicts = new WeakMap<object, Refusal | null>();

/**
 * Says why an object cannot travel as a plain object of its own properties, or `null` when it can.
 *
 * For objects that are none of the kinds the writer knows. structuredClone refuses what V8 or Node keeps outside of
 * properties (promises, weak references, handles); this refuses also what it would empty silently: instances whose
 * data sits in private fields.
 */
export function whyNotPlain(value: object): Refusal | null {
  const special = specialObject(value);
  if (special !== null) return special;
  const proto = Object.getPrototypeOf(value) as object | null;
  if (proto === null) return null;
  let verdict = verdicts.get(proto);
  if (verdict === undefined) {
    verdict = judgeClass(value, proto);
    verdicts.set(proto, verdict);
  }
  return verdict;
}

/** What a function, a symbol or a proxy is called in a refusal. */
export function refusePrimitiveKind(value: unknown): Refusal {
  if (typeof value === 'symbol') {
    return { what: 'a symbol', hint: 'A symbol exists in one process only; send a string.' };
  }
  return {
    what: 'a function',
    hint: 'Inside a value only data travels; pass the function as the target, or send its name.',
  };
}

/** What an object that stands for shared memory is called in a refusal. */
export function refuseHandle(value: object): Refusal {
  const name = classNameOf(value);
  return {
    what: `${article(name)} ${name}`,
    hint: 'It stands for memory that only the processes of one family share; send what it holds.',
  };
}

export const PROXY: Refusal = {
  what: 'a Proxy',
  hint: 'Its traps would stay behind; send a plain copy, such as `{ ...proxy }`.',
};

export const ARGUMENTS: Refusal = {
  what: 'an arguments object',
  hint: 'Send an array of them, such as `[...arguments]`.',
};

export const SHARED_BUFFER: Refusal = {
  what: 'a SharedArrayBuffer',
  hint: 'Its memory is shared between threads only; use a SharedArray or SharedMemory of furca, or send a copy.',
};

const RESIZABLE_BUFFER: Refusal = {
  what: 'a resizable ArrayBuffer',
  hint: 'Send a copy of fixed size, such as `buffer.slice()`.',
};

const DETACHED_BUFFER: Refusal = {
  what: 'a detached ArrayBuffer',
  hint: 'Its memory was transferred away; send it before that.',
};

/** Says why a buffer cannot travel, or `null` when it can. */
export function whyNotBuffer(buffer: ArrayBuffer): Refusal | null {
  const { resizable } = buffer as ArrayBuffer & { readonly resizable?: boolean };
  if (resizable === true) return RESIZABLE_BUFFER;
  if (buffer.byteLength > 0) return null;
  try {
    // The only way on Node 20 to tell an empty buffer from a detached one.
    new Uint8Array(buffer);
    return null;
  } catch {
    return DETACHED_BUFFER;
  }
}

function specialObject(value: object): Refusal | null {
  if (types.isPromise(value)) return { what: 'a Promise', hint: 'Await it first.' };
  if (types.isProxy(value)) return PROXY;
  if (types.isWeakMap(value)) return { what: 'a WeakMap', hint: PLAIN_DATA };
  if (types.isWeakSet(value)) return { what: 'a WeakSet', hint: PLAIN_DATA };
  if (types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value)) {
    return { what: 'an iterator', hint: 'Send an array of what it yields, such as `[...iterator]`.' };
  }
  if (types.isModuleNamespaceObject(value)) {
    return { what: 'a module namespace', hint: 'Import the module where it is needed.' };
  }
  if (types.isExternal(value)) return { what: 'a native pointer', hint: PLAIN_DATA };
  if (types.isSymbolObject(value)) return { what: 'a Symbol object', hint: PLAIN_DATA };
  return null;
}

function judgeClass(value: object, proto: object): Refusal | null {
  const name = classNameOf(value);
  const refusal: Refusal = {
    what: `${article(name)} ${name}`,
    hint: `It lives in this process. ${PLAIN_DATA}`,
  };
  if (value instanceof EventEmitter || value instanceof EventTarget) return refusal;
  for (
    let level: object | null = proto;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    // The end of every chain, of this realm or another.
    if (Object.getPrototypeOf(level) === null && Object.hasOwn(level, 'isPrototypeOf')) break;
    if (Symbol.toStringTag in level && Symbol.iterator in level && 'next' in level) {
      return { what: 'an iterator', hint: 'Send an array of what it yields, such as `[...iterator]`.' };
    }
    const maker: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker !== 'function' || CARRIED.has(maker)) continue;
    const text = Function.prototype.toString.call(maker);
    // A class written in C++ keeps its data in slots that no property shows: WeakRef, Intl.*, TCP, WebAssembly.*.
    if (text.endsWith('{ [native code] }')) return refusal;
    if (hasPrivateData(text)) {
      return {
        what: `${article(name)} ${name}`,
        hint: 'Its class keeps data in private fields, which nothing outside of it can read. Send plain data.',
      };
    }
  }
  return null;
}

interface ClassMember {
  readonly type: string;
  readonly static: boolean;
  readonly kind?: string;
  readonly key: { readonly type: string };
}

function hasPrivateData(classText: string): boolean {
  if (!/#[\p{ID_Start}_$\\]/u.test(classText)) return false;
  let members: readonly ClassMember[];
  try {
    const node = parser().parseExpressionAt(classText, 0, { ecmaVersion: 'latest' }) as unknown as {
      readonly body?: { readonly body?: readonly ClassMember[] };
    };
    members = Array.isArray(node.body?.body) ? node.body.body : [];
  } catch {
    // Text that the parser does not know has a `#` somewhere: losing data silently would be worse than refusing.
    return true;
  }
  return members.some(
    (member) =>
      member.type === 'PropertyDefinition' && !member.static && member.key.type === 'PrivateIdentifier',
  );
}

function classNameOf(value: object): string {
  for (
    let level = Object.getPrototypeOf(value) as object | null;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    const maker: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker === 'function') {
      const name: unknown = Object.getOwnPropertyDescriptor(maker, 'name')?.value;
      if (typeof name === 'string' && name !== '') return name;
    }
  }
  return 'object';
}

function article(name: string): string {
  return /^[aeiou]/i.test(name) ? 'an' : 'a';
}
