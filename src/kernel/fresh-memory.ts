import { adviseHugePages } from './memory.js';

/** From here on memory is asked for in pages of 2 MiB: one fault in place of 512. */
const HUGE_FROM_BYTES = 4 * 1024 * 1024;

/** A copy of `bytes` in memory of its own, which a buffer of exactly that length shows. */
export function copyOf(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  if (bytes.byteLength >= HUGE_FROM_BYTES) adviseHugePages(copy);
  copy.set(bytes);
  return copy;
}
