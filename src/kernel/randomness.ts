import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps forked siblings from drawing the same random values.
 *
 * V8 and Node keep values drawn in advance in the heap, and a fork copies the heap: without this every child draws the
 * same `Math.random()`, `randomUUID()` and `randomInt()`. The wrappers below go in before user code loads, so that a
 * module that keeps a reference to one of these functions is served as well.
 */

/** Forks that lie between this process and the one that installed the wrappers. */
let generation = 0;
let isInstalled = false;
let onDraw: (() => void) | undefined;

/** 6 KiB in 6-byte draws: after that many calls `randomInt` has used up what it drew before the fork. */
const RANDOM_INT_CACHE = 1024;

/** Tells the wrappers that this process is a fresh copy; call it first thing in a forked child. */
export function forgetInheritedRandomness(): void {
  generation++;
}

/**
 * Reports to `listener` every draw of random bytes from now on, `undefined` stops it: a module that draws while it
 * loads keeps the bytes in a pool of its own (nanoid, uuid), which no wrapper can reach.
 */
export function watchDraws(listener: (() => void) | undefined): void {
  onDraw = listener;
}

/** Puts the wrappers in place, once per process; children inherit them. */
export function guardRandomness(): void {
  if (isInstalled) return;
  isInstalled = true;
  guardMathRandom();
  guardCrypto();
  syncBuiltinESMExports();
}

function guardMathRandom(): void {
  let draw = Math.random;
  let seen = generation;
  const random = (): number => {
    if (seen !== generation) {
      seen = generation;
      draw = freshMathRandom();
    }
    onDraw?.();
    return draw();
  };
  Object.defineProperty(Math, 'random', {
    value: named(random, 'random'),
    writable: true,
    configurable: true,
  });
}

/** A generator with a state of its own: V8 seeds that of a new context from its flag on the first draw. */
function freshMathRandom(): () => number {
  const [seed = 1, skip = 0] = crypto.randomBytes(8).reduce<number[]>((words, byte, index) => {
    words[index >> 2] = (((words[index >> 2] ?? 0) << 8) | byte) >>> 0;
    return words;
  }, []);
  setFlagsFromString(`--random-seed=${(seed % 0x7fffffff) + 1}`);
  const draw = runInNewContext('Math.random') as () => number;
  // The seed has 31 bits; starting somewhere else in the sequence adds to them.
  for (let i = skip & 0xfff; i >= 0; i--) draw();
  setFlagsFromString('--random-seed=0');
  return draw;
}

function guardCrypto(): void {
  const { randomUUID, randomInt, randomFillSync, randomBytes } = crypto;
  let seenByInt = generation;
  const guardedUuid = (options?: crypto.RandomUUIDOptions): crypto.UUID => {
    onDraw?.();
    return generation === 0 ? randomUUID(options) : randomUUID({ ...options, disableEntropyCache: true });
  };
  const guardedInt = (...args: Parameters<typeof randomInt>): unknown => {
    onDraw?.();
    if (seenByInt !== generation) {
      seenByInt = generation;
      for (let i = 0; i < RANDOM_INT_CACHE; i++) randomInt(2 ** 47);
    }
    return randomInt(...args);
  };
  const watched = <F extends (...args: never[]) => unknown>(original: F, name: string): F =>
    named(
      ((...args: Parameters<F>) => {
        onDraw?.();
        return original(...args);
      }) as F,
      name,
    );
  Object.assign(crypto, {
    randomUUID: named(guardedUuid, 'randomUUID'),
    randomInt: named(guardedInt, 'randomInt'),
    randomFillSync: watched(randomFillSync as (...args: never[]) => unknown, 'randomFillSync'),
    randomBytes: watched(randomBytes as (...args: never[]) => unknown, 'randomBytes'),
  });
  guardWebCrypto(guardedUuid);
}

function guardWebCrypto(uuid: () => crypto.UUID): void {
  const prototype = Object.getPrototypeOf(crypto.webcrypto) as crypto.webcrypto.Crypto;
  const { getRandomValues } = prototype;
  const guardedValues = function (
    this: crypto.webcrypto.Crypto,
    array: NodeJS.TypedArray,
  ): NodeJS.TypedArray {
    onDraw?.();
    return getRandomValues.call(this, array as never) as NodeJS.TypedArray;
  };
  prototype.getRandomValues = named(guardedValues, 'getRandomValues') as typeof getRandomValues;
  prototype.randomUUID = named(() => uuid(), 'randomUUID');
}

function named<F extends (...args: never[]) => unknown>(wrapper: F, name: string): F {
  return Object.defineProperty(wrapper, 'name', { value: name });
}
