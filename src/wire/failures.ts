import { NotSendableError } from '../base/errors.js';

/** What kind of thing was refused, in words, and what to do about it. */
export interface Refusal {
  /** Such as `a function` or `a Socket`. */
  readonly what: string;
  /** Why, where `what` does not say it. */
  readonly fact?: string;
  readonly hint: string;
  readonly cause?: unknown;
}

/** Carries a refusal out of the recursion of a writer, which knows the path. */
export class Refused {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    this.refusal = refusal;
  }
}

/** Raised for a part of a value that cannot leave the process. */
export function cannotSend({ what, fact, hint, cause }: Refusal, path: string): NotSendableError {
  const why = fact === undefined ? '' : `: ${fact}`;
  return new NotSendableError(
    `Cannot send ${what} at ${path}${why}. ${hint}`,
    path,
    'send',
    cause === undefined ? {} : { cause },
  );
}

/** Raised where a function or class that arrived cannot be made. */
export function cannotLoad(what: string, fact: string, cause?: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot load ${what}: ${fact}.`,
    what.replace(/^the function /, ''),
    'receive',
    cause === undefined ? {} : { cause },
  );
}

/** Raised when reading one part of a value took away the memory of another. */
export function detachedMeanwhile(path: string): NotSendableError {
  return new NotSendableError(
    `Cannot send ${path}: an array in it was detached while it was read. Send a copy of the array.`,
    path,
    'send',
  );
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
