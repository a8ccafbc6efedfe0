/** What runs in the workers of `furca map`: imported by URL, in whose query the target stands; see `workerUrl`. */
import { type InputFunction, loadTarget } from './load-target.js';
import type { Target } from './target.js';

/**
 * Calls the target with one input and answers its result as JSON text.
 *
 * The text is made here, in many processes, and not in the one that writes all lines; and whatever JSON cannot hold fails
 * where the input is known.
 *
 * @throws What the target throws; `TypeError` when its result has no JSON text.
 */
export function callTarget(input: string): string | Promise<string> {
  keepStdoutClean();
  const result = target(input);
  return isThenable(result) ? Promise.resolve(result).then(toJson) : toJson(result);
}

function toJson(result: unknown): string {
  if (result === undefined) return 'null';
  const json = JSON.stringify(result);
  if (json !== undefined) return json;
  throw new TypeError(`The result is a ${typeof result}, which JSON cannot hold`);
}

function isThenable(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

let isClean = false;

/** Results go to stdout, one JSON text a line: what the target prints goes to stderr. */
function keepStdoutClean(): void {
  if (isClean) return;
  isClean = true;
  Object.defineProperty(process, 'stdout', {
    get: () => process.stderr,
    configurable: true,
    enumerable: true,
  });
}

const given = new URL(import.meta.url).searchParams.get('target');
keepStdoutClean();
/** Loaded with this module, so that no input's time limit pays for it. */
const target: InputFunction = await loadTarget(JSON.parse(given ?? '') as Target);
