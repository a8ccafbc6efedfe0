import { BufferTooShortError, UsageError } from './errors.js';

/**
 * Checks where a message is to go, and answers what copies it there and answers its length.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. What it answers throws {@link BufferTooShortError}, with a copy of the message.
 */
export function copierInto(
  doing: string,
  buffer: ArrayBufferView,
  offsetBytes = 0,
): (message: Uint8Array) => number {
  if (!ArrayBuffer.isView(buffer))
    throw new UsageError(`${doing} failed: buffer must be a typed array, a DataView or a Buffer.`);
  if (!Number.isInteger(offsetBytes) || offsetBytes < 0 || offsetBytes > buffer.byteLength) {
    throw new UsageError(
      `${doing} failed: offsetBytes is ${String(offsetBytes)}. Use a whole number from 0 to the ${buffer.byteLength} bytes of the buffer.`,
    );
  }
  return (message) => {
    const { byteLength } = message;
    // Looked at only now: the buffer may have been detached while the message was waited for.
    const room = Math.max(buffer.byteLength - offsetBytes, 0);
    if (byteLength > room) {
      throw new BufferTooShortError(
        `${doing} failed: the message has ${byteLength} bytes, and the buffer has room for ${room}. It is whole in the error's received.`,
        Buffer.from(message),
      );
    }
    new Uint8Array(buffer.buffer, buffer.byteOffset + offsetBytes, byteLength).set(message);
    return byteLength;
  };
}
