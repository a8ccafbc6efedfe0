import { runInNewContext } from 'node:vm';

/** What Node adds to JavaScript's own globals, on any version from 20 on. */
const NODE_GLOBALS: readonly string[] = [
  'AbortController',
  'AbortSignal',
  'Blob',
  'BroadcastChannel',
  'Buffer',
  'ByteLengthQueuingStrategy',
  'CloseEvent',
  'CompressionStream',
  'CountQueuingStrategy',
  'Crypto',
  'CryptoKey',
  'CustomEvent',
  'DOMException',
  'DecompressionStream',
  'ErrorEvent',
  'Event',
  'EventSource',
  'EventTarget',
  'File',
  'FormData',
  'Headers',
  'MessageChannel',
  'MessageEvent',
  'MessagePort',
  'Navigator',
  'Performance',
  'PerformanceEntry',
  'PerformanceMark',
  'PerformanceMeasure',
  'PerformanceObserver',
  'PerformanceObserverEntryList',
  'PerformanceResourceTiming',
  'QuotaExceededError',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'Request',
  'Response',
  'Storage',
  'SubtleCrypto',
  'TextDecoder',
  'TextDecoderStream',
  'TextEncoder',
  'TextEncoderStream',
  'TransformStream',
  'TransformStreamDefaultController',
  'URL',
  'URLPattern',
  'URLSearchParams',
  'WebAssembly',
  'WebSocket',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
  'atob',
  'btoa',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'global',
  'localStorage',
  'navigator',
  'performance',
  'process',
  'queueMicrotask',
  'sessionStorage',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
];

let names: ReadonlySet<string> | null = null;

/**
 * Tells whether a free name means the same in every process: a global of JavaScript or Node that exists here.
 *
 * Not what happens to be on globalThis, where a test runner or the program itself may have put something.
 */
export function isBuiltinGlobal(name: string): boolean {
  // A fresh context has all of this V8's own globals; a list of them would be old with the next version.
  names ??= new Set([
    ...(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]),
    ...NODE_GLOBALS,
  ]);
  return names.has(name) && name in globalThis;
}

/** Objects of JavaScript whose functions are found by identity. */
const HOLDERS: readonly string[] = [
  'Math',
  'JSON',
  'Object',
  'Array',
  'Number',
  'String',
  'BigInt',
  'Date',
  'Reflect',
  'Atomics',
  'Buffer',
  'URL',
  'console',
  'process',
  'performance',
  'WebAssembly',
];

/** What a property holds, without running a getter: Node makes some of its globals only when they are asked for. */
function heldBy(owner: unknown, key: string): unknown {
  if ((typeof owner !== 'object' && typeof owner !== 'function') || owner === null) return undefined;
  return Object.getOwnPropertyDescriptor(owner, key)?.value as unknown;
}

/**
 * Finds a built-in function by identity.
 *
 * @param isNative - It is written in C++: worth a look at everything there is.
 * @returns Its way from globalThis, such as `Math.sqrt` or `Array.prototype.map`; `null` for one that is not reached so.
 */
export function globalPathOf(fn: { readonly name: string }, isNative: boolean = true): string | null {
  const { name } = fn;
  const globals = globalThis as unknown as Record<string, unknown>;
  if (isBuiltinGlobal(name) && globals[name] === fn) return name;
  for (const holder of HOLDERS) {
    if (heldBy(globals[holder], name) === fn) return `${holder}.${name}`;
  }
  return isNative ? pathByWalk(fn) : null;
}

function pathByWalk(fn: { readonly name: string }): string | null {
  const { name } = fn;
  for (const holder of names ?? []) {
    const object = heldBy(globalThis, holder);
    if (heldBy(object, name) === fn) return `${holder}.${name}`;
    if (heldBy(heldBy(object, 'prototype'), name) === fn) return `${holder}.prototype.${name}`;
  }
  return null;
}

/** Follows a way that `globalPathOf` gave; anything else gives `undefined`. */
export function globalAt(path: string): unknown {
  const [first = '', ...more] = path.split('.');
  if (!isBuiltinGlobal(first) || more.length > 2) return undefined;
  if (more.length === 2 && more[0] !== 'prototype') return undefined;
  return more.reduce<unknown>(heldBy, (globalThis as unknown as Record<string, unknown>)[first]);
}
