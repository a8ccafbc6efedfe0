import { NotSendableError } from '../base/errors.js';

/** Raised for bytes that are no pickle, or a damaged one. */
export function notAPickle(fact: string, cause?: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot read a pickle: ${fact}. Is the other side Python, and does it send with send()?`,
    '',
    'receive',
    cause === undefined ? {} : { cause },
  );
}

/** Raised for a pickle that holds more than data: a class or function of Python that is not on the list of those that are data. */
export function refusedGlobal(module: string, name: string): NotSendableError {
  return new NotSendableError(
    `Cannot read a pickle: it holds ${module}.${name}, and only data is read here. Send plain values instead: dicts, lists, strings, numbers, bytes.`,
    `${module}.${name}`,
    'receive',
  );
}

/** Raised for an opcode that reaches beyond the pickle. */
export function refusedOpcode(name: string): NotSendableError {
  return new NotSendableError(
    `Cannot read a pickle: it uses ${name}, which refers to something outside of it. Send plain values instead.`,
    name,
    'receive',
  );
}

/** Raised for a value that Python has no plain counterpart of. */
export function cannotPickle(what: string, path: string, hint: string, cause?: unknown): NotSendableError {
  return new NotSendableError(
    `Cannot send ${what} at ${path} to Python. ${hint}`,
    path,
    'send',
    cause === undefined ? {} : { cause },
  );
}
