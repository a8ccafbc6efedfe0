/**
 * Messages on a byte stream, as CPython's multiprocessing.connection frames them (Lib/multiprocessing/connection.py, `_send_bytes`):
 *
 *     message := i32be n            n in 0 … 0x7fffffff, then n bytes
 *              | i32be -1, u64be n  then n bytes
 */
import { announcedTooMuch, badLength } from './failures.js';

const SHORT_HEADER_BYTES = 4;
const LONG_HEADER_BYTES = 12;
const MAX_SHORT = 0x7fff_ffff;
/** Says that the length follows as eight bytes. */
const LONG = -1;
/** No more than this is allocated for a length that is only announced: the rest follows as the bytes arrive. */
const FIRST_BODY_BYTES = 1024 * 1024;

/** The bytes that announce a message of `length` bytes. */
export function frameHeader(length: number): Buffer {
  if (length <= MAX_SHORT) {
    const header = Buffer.allocUnsafe(SHORT_HEADER_BYTES);
    header.writeInt32BE(length);
    return header;
  }
  const header = Buffer.allocUnsafe(LONG_HEADER_BYTES);
  header.writeInt32BE(LONG);
  header.writeBigUInt64BE(BigInt(length), SHORT_HEADER_BYTES);
  return header;
}

/** Cuts a byte stream into messages. Asks for bytes only when it needs them. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #header = Buffer.alloc(LONG_HEADER_BYTES);
  #headerBytes = 0;
  /** Length of the message whose header was read; -1 before. */
  #length = -1;
  #body: Buffer | undefined;
  #filled = 0;

  /** @param maxBytes - A message that announces more is refused before anything is allocated for it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Part of a message has been read: the end of the stream would tear it. */
  get isInside(): boolean {
    return this.#headerBytes > 0 || this.#at < this.#chunk.byteLength;
  }

  /**
   * The next message, with memory of its own; `undefined` when it is not whole yet.
   *
   * @param pull - Gives the next bytes of the stream; `null` when there are none now.
   * @param maxBytes - Refuses a longer one, which stays unread.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`, {@link BrokenError} `ERR_FURCA_BROKEN`: the stream cannot be read any further.
   */
  take(pull: () => Uint8Array | null, maxBytes: number = this.#maxBytes): Uint8Array | undefined {
    const most = Math.min(maxBytes, this.#maxBytes);
    for (;;) {
      if (this.#length < 0 && this.#hasHeader()) this.#length = this.#readLength();
      if (this.#length > most) throw announcedTooMuch(this.#length, most);
      const whole = this.#length < 0 ? undefined : this.#takeBody();
      if (whole !== undefined) return whole;
      if (this.#at < this.#chunk.byteLength) continue;
      const chunk = pull();
      if (chunk === null) return undefined;
      this.#chunk = chunk;
      this.#at = 0;
    }
  }

  /** Takes what there is of the header; tells whether it is whole. */
  #hasHeader(): boolean {
    while (this.#at < this.#chunk.byteLength) {
      this.#header[this.#headerBytes++] = this.#chunk[this.#at++] as number;
      if (this.#headerBytes === SHORT_HEADER_BYTES && this.#header.readInt32BE(0) !== LONG) return true;
      if (this.#headerBytes === LONG_HEADER_BYTES) return true;
    }
    return false;
  }

  #readLength(): number {
    const short = this.#header.readInt32BE(0);
    if (short !== LONG) {
      // CPython reads these as an empty message; nobody sends them on purpose.
      if (short < 0) throw badLength(short);
      return short;
    }
    return Number(this.#header.readBigUInt64BE(SHORT_HEADER_BYTES));
  }

  #takeBody(): Uint8Array | undefined {
    const has = this.#chunk.byteLength - this.#at;
    const missing = this.#length - this.#filled;
    if (this.#body === undefined && has >= missing) {
      const whole = new Uint8Array(this.#chunk.subarray(this.#at, this.#at + missing));
      this.#at += missing;
      return this.#finish(whole);
    }
    const taken = this.#chunk.subarray(this.#at, this.#at + Math.min(has, missing));
    const body = this.#bodyWithRoomFor(this.#filled + taken.byteLength);
    body.set(taken, this.#filled);
    this.#filled += taken.byteLength;
    this.#at += taken.byteLength;
    if (this.#filled < this.#length) return undefined;
    return this.#finish(new Uint8Array(body.buffer, body.byteOffset, this.#length));
  }

  #finish(whole: Uint8Array): Uint8Array {
    this.#headerBytes = 0;
    this.#length = -1;
    this.#body = undefined;
    this.#filled = 0;
    if (this.#at === this.#chunk.byteLength) this.#chunk = new Uint8Array(0);
    if (this.#chunk.byteLength === 0) this.#at = 0;
    return whole;
  }

  /** Grows by doubling up to the announced length, so that memory follows what was really received. */
  #bodyWithRoomFor(bytes: number): Buffer {
    const old = this.#body;
    if (old !== undefined && old.byteLength >= bytes) return old;
    const wanted = Math.max(bytes, 2 * (old?.byteLength ?? 0), FIRST_BODY_BYTES);
    const body = Buffer.allocUnsafeSlow(Math.min(wanted, this.#length));
    if (old !== undefined) body.set(old.subarray(0, this.#filled));
    this.#body = body;
    return body;
  }
}
