import { NotSendableError } from '../base/errors.js';

/** What kind of thing was refused, in words, and what to do about it. */
export interface Refusal {
  /** Such as `a function` or `a Socket`. */
  readonly what: string;
  readonly hint: string;
}

/** Raised for a part of a value that cannot leave the process. */
export function cannotSend(refusal: Refusal, path: string): NotSendableError {
  return new NotSendableError(`Cannot send ${refusal.what} at ${path}. ${refusal.hint}`, path);
}

/** Raised when a value is nested deeper than the stack is high. */
export function tooDeep(path: string, cause: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot send ${path}: it is nested too deeply for the stack. Send a flat list of its parts.`,
    path,
    'send',
    { cause },
  );
}

/** Raised when reading a value for sending failed by itself: a getter threw, or memory ran out. */
export function readingFailed(path: string, cause: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot send ${path}: reading it threw. \`cause\` says what; send plain data made beforehand.`,
    path,
    'send',
    { cause },
  );
}

/** Raised for bytes that are no whole message. */
export function notAMessage(fact: string, cause?: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot read a message: ${fact}. Both sides must run the same furca.`,
    '',
    'receive',
    cause === undefined ? {} : { cause },
  );
}

/** What a refused function is called: its name, where it was written if that is known, and its place in the call. */
export interface FunctionName {
  readonly name: string;
  /** Such as `src/a.ts:12:5`. */
  readonly where: string | null;
  readonly path: string;
}

/** Raised for a function that cannot leave the process. */
export function cannotSendFunction(
  { name, where, path }: FunctionName,
  fact: string,
  hint: string,
  cause?: unknown,
): NotSendableError {
  const called = name === '' ? 'an anonymous function' : `function ${name}`;
  const place = where === null ? '' : ` (${where})`;
  return new NotSendableError(
    `Cannot send ${called}${place} at ${path}: ${fact}. ${hint}`,
    path,
    'send',
    cause === undefined ? {} : { cause },
  );
}
