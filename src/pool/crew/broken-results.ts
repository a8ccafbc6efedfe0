import { recordError } from '../../wire/errors.js';
import { brokenPart } from '../../wire/family-message.js';
import { DONE, type FromWorker, RETURNED, THREW, VALUES } from '../messages.js';

/**
 * Splits a message in which something could not be made here, say an instance of a class whose module does not load: that result
 * alone fails, the others of the message arrive.
 */
export function withoutBroken(message: FromWorker): FromWorker[] {
  if (message[0] === RETURNED) return splitReturned(message);
  if (message[0] === VALUES || message[0] === DONE) return splitValues(message);
  return [message];
}

function splitReturned(message: Extract<FromWorker, readonly [typeof RETURNED, ...unknown[]]>): FromWorker[] {
  const good: unknown[] = [];
  const bad: FromWorker[] = [];
  for (let i = 2; i < message.length; i += 2) {
    const number = message[i] as number;
    const failure = brokenPart(message[i + 1]);
    if (failure === null) good.push(number, message[i + 1]);
    else bad.push([THREW, number, 0, recordError(failure)]);
  }
  return [[RETURNED, message[1], ...good], ...bad];
}

function splitValues(
  message: Extract<FromWorker, readonly [typeof VALUES | typeof DONE, ...unknown[]]>,
): FromWorker[] {
  const [kind, number, start, values] = message;
  const parts = values.map((value, index): FromWorker => {
    const failure = brokenPart(value);
    if (failure === null) return [VALUES, number, start + index, [value]];
    return [THREW, number, start + index, recordError(failure)];
  });
  if (kind === DONE) parts.push([DONE, number, start + values.length, [], message[4]]);
  return parts;
}
