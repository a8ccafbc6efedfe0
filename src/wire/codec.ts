import { Reader } from './codec/reader.js';
import { Writer } from './codec/writer.js';

const writer: Writer = new Writer(null, false);
const reader: Reader = new Reader(null, false);

/**
 * Packs `value` into the bytes of one message, with the meaning of structuredClone. Data alone: see `family-message.ts` for more.
 *
 * Carried: all primitives but symbols, plain objects, arrays (holes too), `Map`, `Set`, `Date`, `RegExp`, boxed
 * primitives, `ArrayBuffer`, every view on one, errors, with shared and cyclic references among them. An instance of
 * a class arrives as a plain object of its own enumerable properties; accessors are read.
 *
 * Other than structuredClone: a `Buffer` stays a `Buffer`; an error keeps its class name, own properties, `cause` and
 * `errors`; a view brings its own bytes alone, unless something else in `value` looks at the same memory; the names
 * on an array beyond its indices stay behind, because looking for them would cost as much as the packing.
 *
 * @param value - What to pack. It is copied: later changes stay here.
 * @param path - What the value is called in an error, such as `args[0]`. Default `value`.
 * @returns The message. Its bytes are the caller's, furca never writes them again.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: `path` names the part that cannot leave: a function,
 * symbol, promise, proxy, weak collection, iterator, handle, shared, resizable or detached buffer, instance of a
 * class with private fields; or the value is nested too deeply; or a getter threw, then `cause` is what it threw.
 *
 * @example
 * decode(encode(new Map([['a', [1n, -0]]]))); // => new Map([['a', [1n, -0]]])
 */
export function encode(value: unknown, path: string = 'value'): Uint8Array {
  // A getter inside of a value may itself encode something.
  return (writer.busy ? new Writer(null, false) : writer).write(value, path);
}

/**
 * Makes anew the value that `encode` packed.
 *
 * Nothing of `bytes` is kept, nor does anything that stands in them run; no key of theirs reaches a prototype. A message that carries
 * functions, classes (`family-message.ts`) or handles is refused: this is what may read bytes from strangers.
 *
 * @param bytes - One whole message.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE` with `stage` `receive`: the bytes are no whole message.
 */
export function decode(bytes: Uint8Array): unknown {
  return (reader.busy ? new Reader(null, false) : reader).readMessage(bytes);
}

const familyWriter: Writer = new Writer(null, true);
const familyReader: Reader = new Reader(null, true);

/** As `encode`, for messages that stay in the family: handles of shared memory travel in them. */
export function encodeShared(value: unknown, path: string = 'value'): Uint8Array {
  return (familyWriter.busy ? new Writer(null, true) : familyWriter).write(value, path);
}

/** As `decode`, for messages that a member of the family wrote. */
export function decodeShared(bytes: Uint8Array): unknown {
  return (familyReader.busy ? new Reader(null, true) : familyReader).readMessage(bytes);
}
