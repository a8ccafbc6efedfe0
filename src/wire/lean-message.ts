import { type LargePart, paddedLength } from './codec/message-memory.js';
import { detachedMeanwhile } from './failures.js';
import { carriedBy, setCarried } from './handles.js';

/** A message whose large arrays have not been copied into it yet: `copyInto` does so, before anything of the program runs again. */
export interface LeanMessage {
  /** The message without them. */
  readonly bytes: Uint8Array;
  readonly leftOut: readonly LargePart[];
  /** Bytes of the whole message. */
  readonly length: number;
}

export const NOTHING_LEFT_OUT: readonly LargePart[] = [];

/** Bytes of the whole message. A getter may have taken away the memory of an array that was come to before it. */
export function lengthOf(bytes: Uint8Array, leftOut: readonly LargePart[], path: string): number {
  let { byteLength } = bytes;
  for (const { source, length } of leftOut) {
    if (source.byteLength !== length) throw detachedMeanwhile(path);
    byteLength += paddedLength(length);
  }
  return byteLength;
}

/** Copies the whole message to byte `at` of `target`. */
export function copyInto(target: Uint8Array, at: number, { bytes, leftOut }: LeanMessage): void {
  let from = 0;
  let to = at;
  for (const part of leftOut) {
    target.set(bytes.subarray(from, part.at), to);
    to += part.at - from;
    from = part.at;
    target.set(part.source, to);
    const end = to + paddedLength(part.length);
    // Zeros: memory that is written again would show what was there before.
    target.fill(0, to + part.length, end);
    to = end;
  }
  target.set(from === 0 ? bytes : bytes.subarray(from), to);
}

/** The whole message in one piece. */
export function whole(message: LeanMessage): Uint8Array {
  if (message.leftOut.length === 0) return message.bytes;
  const bytes = new Uint8Array(message.length);
  copyInto(bytes, 0, message);
  return setCarried(bytes, carriedBy(message.bytes));
}
