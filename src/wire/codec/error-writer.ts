import { knownBaseOf } from '../error-classes.js';
import type { Writer } from './writer.js';

/** A chain of causes is followed this far. */
const MAX_CAUSES = 256;

/** Handled each in its own way, or by the class. */
const NOT_A_PROPERTY: ReadonlySet<string> = new Set(['message', 'stack', 'errors']);

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

let causes = 0;

/**
 * Writes an error with everything of it that can be read and sent. Never refuses: what cannot travel is left out by itself, and its
 * name listed.
 */
export function writeError(writer: Writer, error: Error): void {
  const { base, isExact } = attempt(() => knownBaseOf(error), { base: 'Error', isExact: true });
  const stack = attempt<unknown>(() => error.stack, null);
  writer.errorHead(
    base,
    attempt(() => String(error.name), 'Error'),
    attempt(() => String(error.message), ''),
    typeof stack === 'string' ? stack : null,
  );
  if (isExact) writer.value(null);
  else writer.errorClass(error);
  const dropped: string[] = [];
  for (const key of attempt(() => Object.getOwnPropertyNames(error), [])) {
    if (NOT_A_PROPERTY.has(key)) continue;
    if (!writeProperty(writer, error, key)) dropped.push(key === 'cause' ? '[cause]' : key);
  }
  writeErrors(writer, error);
  writer.value(null);
  writer.value(dropped);
}

function writeProperty(writer: Writer, error: Error, key: string): boolean {
  const isCause = key === 'cause';
  if (isCause && causes >= MAX_CAUSES) return false;
  if (isCause) causes += 1;
  try {
    const refused = writer.attempt(() => {
      writer.value(key);
      writer.value(Object.prototype.propertyIsEnumerable.call(error, key));
      writer.within(key, () => writer.value((error as unknown as Record<string, unknown>)[key]));
    });
    if (refused === null) return true;
    if (!isCause) return false;
    // That there was a cause is worth knowing, and why it could not come.
    writer.value(key);
    writer.value(false);
    writer.value(refused.failure);
    return true;
  } finally {
    if (isCause) causes -= 1;
  }
}

function writeErrors(writer: Writer, error: Error): void {
  const parts = attempt<unknown[] | null>(() => {
    const errors: unknown = Object.hasOwn(error, 'errors') ? (error as AggregateError).errors : null;
    return Array.isArray(errors) ? [...(errors as unknown[])] : null;
  }, null);
  if (parts === null) return;
  writer.value('errors');
  writer.value(false);
  writer.leniently(parts);
}
