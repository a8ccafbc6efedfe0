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

/**
 * Finds a built-in function by identity.
 *
 * @returns Its way from globalThis, such as `Math.sqrt`; `null` for one that is not reached so.
 */
export function globalPathOf(fn: { readonly name: string }): string | null {
  const { name } = fn;
  const globals = globalThis as unknown as Record<string, unknown>;
  if (isBuiltinGlobal(name) && globals[name] === fn) return name;
  for (const holder of HOLDERS) {
    const object = globals[holder] as Record<string, unknown> | undefined;
    if (object !== undefined && Object.hasOwn(object, name) && object[name] === fn)
      return `${holder}.${name}`;
  }
  return null;
}

/** Follows a way that `globalPathOf` gave; anything else gives `undefined`. */
export function globalAt(path: string): unknown {
  const [first = '', second, ...more] = path.split('.');
  if (more.length > 0) return undefined;
  const globals = globalThis as unknown as Record<string, unknown>;
  if (second === undefined) return isBuiltinGlobal(first) ? globals[first] : undefined;
  const object = HOLDERS.includes(first) ? globals[first] : undefined;
  return object !== undefined && Object.hasOwn(object as object, second)
    ? (object as Record<string, unknown>)[second]
    : undefined;
}
