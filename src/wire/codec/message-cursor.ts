import type { Block } from '../../arena/allocator.js';
import { copyOf } from '../../kernel/fresh-memory.js';
import * as f from './format.js';

/** One place for the eight bytes of a double: cheaper than a `DataView` for each message. */
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

const EMPTY: Uint8Array = new Uint8Array(0);
const fromCharCode: (...codes: number[]) => string = String.fromCharCode;

/** A buffer up to this size may be kept from being collected by its view. */
const WORTH_KEEPING_BYTES = 64 * 1024;
let keptView: Buffer | undefined;

/** Gives out memory of a message as a buffer of its own, instead of a copy. */
export interface Lender {
  /** `at`: where it begins in the buffer that the message lies in. */
  lend(at: number, length: number): ArrayBuffer;
}

/** Says what did not fit. */
export class Malformed extends Error {}

/** Where a message is being read, and how numbers and text stand in it. Believes no length that it finds. */
export class MessageCursor {
  protected bytes: Uint8Array = EMPTY;
  protected at = 0;
  /** End of the ops. */
  protected end = 0;
  protected hasRefs = false;
  protected hasCode = false;
  private lender: Lender | null = null;
  private text = '';
  private textAt = 0;

  /** Begins to read; finds the text, which stands at the end. */
  protected open(message: Uint8Array, lender: Lender | null): void {
    const { length } = message;
    this.lender = lender;
    if (length < 3 || message[0] !== f.MAGIC) throw new Malformed(`${length} bytes do not begin as one`);
    this.bytes = message;
    this.at = 1;
    const flags = this.bytes[length - 1] as number;
    if (flags > 15) throw new Malformed('it has unknown flags');
    this.hasRefs = (flags & f.HAS_REFS) !== 0;
    this.hasCode = (flags & f.HAS_CODE) !== 0;
    this.end = length - 1;
    this.textAt = 0;
    this.text = '';
    if ((flags & f.HAS_TEXT) === 0) return;
    this.end -= 4;
    if (this.end < 1) throw new Malformed('its text is missing');
    const chars =
      (this.bytes[this.end] as number) +
      (this.bytes[this.end + 1] as number) * 0x100 +
      (this.bytes[this.end + 2] as number) * 0x10000 +
      (this.bytes[this.end + 3] as number) * 0x1000000;
    const wide = (flags & f.WIDE_TEXT) !== 0;
    const textEnd = this.end;
    this.end -= wide ? chars * 2 : chars;
    if (this.end < 2) throw new Malformed('its text is cut off');
    this.text = this.decodeText(this.end, textEnd, wide);
  }

  /** Tells whether all was read. */
  protected isAtEnd(): boolean {
    return this.at === this.end && this.textAt === this.text.length;
  }

  /** Lets go of the message. */
  protected close(): void {
    this.bytes = EMPTY;
    this.text = '';
    this.lender = null;
  }

  private decodeText(from: number, to: number, wide: boolean): string {
    if (!wide && to - from <= 12) {
      // A native call costs more than these few steps.
      let short = '';
      for (let i = from; i < to; i += 1) short += fromCharCode(this.bytes[i] as number);
      return short;
    }
    const { buffer, byteOffset } = this.bytes;
    if (buffer.byteLength <= WORTH_KEEPING_BYTES) {
      // Short messages lie in the same place again and again: a view for each costs more than its text.
      if (keptView?.buffer !== buffer) keptView = Buffer.from(buffer);
      return keptView.toString(wide ? 'utf16le' : 'latin1', byteOffset + from, byteOffset + to);
    }
    return Buffer.from(buffer, byteOffset + from, to - from).toString(wide ? 'utf16le' : 'latin1');
  }

  protected need(size: number): void {
    if (size > this.end - this.at) throw new Malformed('it is cut off');
  }

  /** @internal For what reads the ops of code. */
  readCount(): number {
    let count = 0;
    let scale = 1;
    for (;;) {
      this.need(1);
      const byte = this.bytes[this.at++] as number;
      count += (byte & 0x7f) * scale;
      if (byte < 0x80) return count;
      scale *= 0x80;
      if (scale > Number.MAX_SAFE_INTEGER) throw new Malformed('it has a count beyond reason');
    }
  }

  readByte(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }

  /** A count of parts that follow, each at least a byte long: so none can ask for more memory than was sent. */
  protected readPartCount(bytesEach: number): number {
    const count = this.readCount();
    this.need(count * bytesEach);
    return count;
  }

  protected take(length: number): string {
    const from = this.textAt;
    this.textAt += length;
    if (this.textAt > this.text.length) throw new Malformed('its text is cut off');
    return from === 0 && length === this.text.length ? this.text : this.text.slice(from, this.textAt);
  }

  /** Leaves out `text` if it comes next. */
  protected skip(text: string): boolean {
    if (!this.text.startsWith(text, this.textAt)) return false;
    this.textAt += text.length;
    return true;
  }

  protected readLongText(wide: boolean): string {
    const length = this.readPartCount(1);
    this.at += length;
    return this.decodeText(this.at - length, this.at, wide);
  }

  protected readDouble(): number {
    this.need(8);
    for (let i = 0; i < 8; i += 1) floatBytes[i] = this.bytes[this.at + i] as number;
    this.at += 8;
    return float[0] as number;
  }

  protected readBlock(): Block {
    this.need(8);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8);
    this.at += 8;
    return { at: view.getUint32(0, true) * 64, generation: view.getInt32(4, true) };
  }

  protected readRaw(): ArrayBuffer {
    const length = this.readPartCount(1);
    if (length >= f.LARGE_BYTES) return this.readLarge(length);
    const copy = new Uint8Array(length);
    copy.set(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return copy.buffer;
  }

  private readLarge(length: number): ArrayBuffer {
    this.skipPadding(8);
    this.need(length);
    const { at } = this;
    this.at += length;
    this.skipPadding(8);
    this.need(0);
    if (this.lender !== null) return this.lender.lend(this.bytes.byteOffset + at, length);
    return copyOf(this.bytes.subarray(at, at + length)).buffer;
  }

  /** Where the numbers lie: in the message, or in a copy when the message itself lies askew. */
  private aligned(length: number, width: number): [ArrayBufferLike, number, number] {
    const from = this.bytes.byteOffset + this.at;
    const size = length * width;
    this.at += size;
    if (from % width === 0) return [this.bytes.buffer, from, length];
    const copy = new Uint8Array(size);
    copy.set(this.bytes.subarray(this.at - size, this.at));
    return [copy.buffer, 0, length];
  }

  private skipPadding(width: number): void {
    while (this.at % width !== 0) this.at += 1;
  }

  protected readDoubles(): number[] {
    const length = this.readPartCount(8);
    this.skipPadding(8);
    this.need(length * 8);
    return numbersFrom(new Float64Array(...this.aligned(length, 8)), length);
  }

  protected readIntegers(): number[] {
    const length = this.readPartCount(4);
    this.skipPadding(4);
    this.need(length * 4);
    return numbersFrom(new Int32Array(...this.aligned(length, 4)), length);
  }
}

function numbersFrom(source: Float64Array | Int32Array, length: number): number[] {
  const array = new Array<number>(length);
  for (let i = 0; i < length; i += 1) array[i] = source[i] as number;
  return array;
}
