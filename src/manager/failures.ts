import { BrokenError, ClosedError, RemoteError, UsageError } from '../base/errors.js';
import { type PlainAddress, showAddress } from '../connection/address.js';

export function serverFault(doing: string, trace: string): RemoteError {
  const lines = trace.trim().split('\n');
  // Python says at the end what happened, JavaScript at the beginning.
  const fact = trace.startsWith('Traceback') ? lines.at(-1) : lines[0];
  return new RemoteError(
    `${doing} failed: the manager's server could not do it: ${fact}. remoteTrace has the whole of what it says.`,
    trace,
  );
}

export function serverGone(doing: string, address: PlainAddress, cause: unknown): BrokenError {
  return new BrokenError(
    `${doing} failed: the manager's server at ${showAddress(address)} is gone. Its objects are lost; start it anew.`,
    { cause },
  );
}

export function noReply(doing: string): BrokenError {
  return new BrokenError(`${doing} failed: what came from the other side is no reply of a manager's server.`);
}

export function managerClosed(doing: string): ClosedError {
  return new ClosedError(`${doing} failed: the manager was closed.`);
}

export function proxyClosed(doing: string): ClosedError {
  return new ClosedError(`${doing} failed: the proxy was closed.`);
}

export function notStarted(doing: string): UsageError {
  return new UsageError(
    `${doing} failed: the manager is not started. Call start() or connect() first.`,
    'ERR_FURCA_INVALID_STATE',
  );
}

export function alreadyStarted(doing: string, state: string): UsageError {
  return new UsageError(`${doing} failed: the manager is ${state}.`, 'ERR_FURCA_INVALID_STATE');
}

export function badArgument(doing: string, name: string, wanted: string): UsageError {
  return new UsageError(`${doing} failed: ${name} must be ${wanted}.`);
}
