import {
  AuthenticationError,
  BrokenError,
  ClosedError,
  LimitError,
  TimeoutError,
  UsageError,
} from '../base/errors.js';

export function announcedTooMuch(length: number, maxBytes: number): LimitError {
  return new LimitError(
    `Receiving a message failed: it has ${length} bytes, more than the ${maxBytes} allowed. ` +
      'Nothing more can be received here; raise maxMessageBytes or maxLengthBytes if the other side may send as much.',
  );
}

export function badLength(length: number): BrokenError {
  return new BrokenError(
    `Receiving a message failed: its length is ${length}. The other side does not speak the protocol of multiprocessing.connection.`,
  );
}

export function endedInside(): BrokenError {
  return new BrokenError(
    'Receiving a message failed: the other side ended in the middle of it. Look there for why it ended.',
  );
}

export function connectionBroke(doing: string, cause: unknown): BrokenError {
  return new BrokenError(`${doing} failed: the connection broke (${reasonOf(cause)}). Connect anew.`, {
    cause,
  });
}

export function otherSideClosed(): ClosedError {
  return new ClosedError(
    'Receiving a message failed: the other side closed the connection, and all it had sent was received.',
  );
}

export function closedHere(doing: string, what: string): ClosedError {
  return new ClosedError(`${doing} failed: the ${what} was closed.`);
}

export function timedOut(doing: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`${doing} failed: not within ${timeoutMs} ms.`, timeoutMs);
}

export function cannotConnect(where: string, cause: unknown): BrokenError {
  return new BrokenError(
    `Connecting to ${where} failed: ${reasonOf(cause)}. Is the listener up, and is this its address?`,
    {
      cause,
    },
  );
}

export function cannotListen(where: string, cause: unknown): BrokenError {
  return new BrokenError(
    `Listening at ${where} failed: ${reasonOf(cause)}. Choose another address, or end who has it.`,
    { cause },
  );
}

export function listenerBroke(cause: unknown): BrokenError {
  return new BrokenError(`Accepting failed: the listener broke (${reasonOf(cause)}). Listen anew.`, {
    cause,
  });
}

export function badArgument(doing: string, name: string, wanted: string): UsageError {
  return new UsageError(`${doing} failed: ${name} must be ${wanted}.`);
}

export function notAuthentic(fact: string, advice: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError(
    `Authenticating the connection failed: ${fact}. ${advice}`,
    cause === undefined ? {} : { cause },
  );
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === 'string' ? code : String(message ?? cause);
}
