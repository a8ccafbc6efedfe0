import { BYTES } from '../arena/lanes/pipe-words.js';
import { copierInto } from '../base/buffer-target.js';
import { BrokenError, ClosedError, LimitError, UsageError } from '../base/errors.js';
import type { WithCopy, ZeroCopy } from './loan.js';
import type { Check, Reading } from './local-pipe.js';

/** Which part of an array of bytes is sent. */
export interface BytesPart {
  /** First byte. Default 0. */
  readonly offsetBytes?: number | undefined;
  /** How many bytes. Default: to the end. */
  readonly sizeBytes?: number | undefined;
}

/** How bytes are received. */
export interface BytesLimit {
  /** Refuses a longer message, which stays where it is. Default no limit. */
  readonly maxLengthBytes?: number | undefined;
}

/** Where in a buffer bytes are received. */
export interface BytesOffset {
  /** First byte that is written. Default 0. */
  readonly offsetBytes?: number | undefined;
}

/** Whether what is received is lent. */
export type Copying = ZeroCopy | WithCopy;

export function isLending({ zeroCopy = false }: Copying): boolean {
  if (typeof zeroCopy === 'boolean') return zeroCopy;
  throw new UsageError(`${RECEIVING} failed: zeroCopy must be true or false, not ${String(zeroCopy)}.`);
}

export const SENDING = 'Sending into the pipe';
export const RECEIVING = 'Receiving from the pipe';

export function partOf(bytes: Uint8Array, { offsetBytes = 0, sizeBytes }: BytesPart): Uint8Array {
  if (!ArrayBuffer.isView(bytes)) throw new UsageError(`${SENDING} failed: bytes must be a Uint8Array.`);
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = sizeBytes ?? whole.byteLength - offsetBytes;
  const isWithin =
    Number.isInteger(offsetBytes) &&
    Number.isInteger(size) &&
    offsetBytes >= 0 &&
    size >= 0 &&
    offsetBytes + size <= whole.byteLength;
  if (isWithin) return whole.subarray(offsetBytes, offsetBytes + size);
  throw new UsageError(
    `${SENDING} failed: ${size} bytes from byte ${offsetBytes} on are not within ${whole.byteLength} bytes.`,
  );
}

export function bytesOnly({ maxLengthBytes = Number.POSITIVE_INFINITY }: BytesLimit): Check {
  return (tag, length) => {
    if (tag !== BYTES) {
      throw new UsageError(
        `${RECEIVING} failed: the next message is a value, not bytes. Use recv().`,
        'ERR_FURCA_INVALID_STATE',
      );
    }
    if (length > maxLengthBytes) {
      throw new LimitError(
        `${RECEIVING} failed: the next message has ${length} bytes, more than ${maxLengthBytes}.`,
      );
    }
  };
}

/** Copies the message into `buffer`, and answers its length. */
export function readingInto(buffer: ArrayBufferView, { offsetBytes }: BytesOffset): Reading {
  return { isLent: false, read: copierInto(RECEIVING, buffer, offsetBytes) };
}

export function wrongWay(doing: string, does: string): UsageError {
  return new UsageError(`${doing} failed: this end of the pipe only ${does}.`, 'ERR_FURCA_INVALID_STATE');
}

export function peerGone(doing: string): BrokenError {
  return new BrokenError(`${doing} failed: nobody has the other end any more.`);
}

export function allReceived(): ClosedError {
  return new ClosedError(`${RECEIVING} failed: nobody has the other end any more, and all was received.`);
}
