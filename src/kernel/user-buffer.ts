import { setFlagsFromString } from 'node:v8';
import { viewMemory } from './library.js';

/** What Node 20 has not got yet. */
type Transferable = ArrayBuffer & { transfer?: (length?: number) => ArrayBuffer };

/**
 * A buffer over exactly `sizeBytes` of mapped memory, for the user: `structuredClone` copies these bytes and no others.
 *
 * Its `transfer()` copies, too: the result would else be a second way to the memory, which nobody could take back.
 */
export function makeUserBuffer(address: number, sizeBytes: number): ArrayBuffer {
  const buffer = viewMemory(address, sizeBytes);
  const transfer = (length: number = sizeBytes): ArrayBuffer => {
    const copy = new ArrayBuffer(length);
    new Uint8Array(copy).set(new Uint8Array(buffer, 0, Math.min(length, sizeBytes)));
    revokeUserBuffer(buffer);
    return copy;
  };
  for (const name of ['transfer', 'transferToFixedLength']) {
    if (name in buffer) Object.defineProperty(buffer, name, { value: transfer });
  }
  return buffer;
}

const TRANSFER = (ArrayBuffer.prototype as Transferable).transfer;
let detach: ((buffer: ArrayBuffer) => void) | undefined;

/** Takes the memory from a buffer and all views on it: they are empty from now on. May be called twice. */
export function revokeUserBuffer(buffer: ArrayBuffer): void {
  if (buffer.byteLength === 0) return;
  if (TRANSFER !== undefined) {
    TRANSFER.call(buffer);
    return;
  }
  detach ??= nativeDetach();
  detach(buffer);
}

/** Node 20 has no other way: what `structuredClone` transfers of such a buffer it copies, and leaves the buffer as it is. */
function nativeDetach(): (buffer: ArrayBuffer) => void {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return new Function('buffer', '%ArrayBufferDetach(buffer)') as (buffer: ArrayBuffer) => void;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}
