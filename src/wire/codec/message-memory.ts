import type { Block } from '../../arena/allocator.js';
import { setCarried } from '../handles.js';
import * as f from './format.js';

/** Messages are cut from chunks of this size; a larger one gets memory of its own. */
const CHUNK_BYTES = 64 * 1024;
/** Room that is there for one op's fixed part whenever one is written. */
export const OP_BYTES: number = 32;
const NOT_LATIN1 = /[^\0-\xff]/;

/** Bytes that belong into a message and have not been copied there. */
export interface LargePart {
  /** Where in the message they belong: it goes on behind them, and behind the zeros up to a multiple of 8. */
  readonly at: number;
  readonly source: Uint8Array;
  /** How many there were when they were come to. */
  readonly length: number;
}

/** Bytes and zeros that a large part takes. */
export function paddedLength(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** The memory that messages are written to, and how numbers and text stand in it. */
export class MessageMemory {
  protected chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  protected bytes: DataView = viewOf(this.chunk);
  /** First byte of the message; a multiple of 8, so that number arrays can be written through views. */
  protected start = 0;
  protected at = 0;
  protected limit: number = CHUNK_BYTES - OP_BYTES;

  /** Whether large parts are left out of the message and noted instead. */
  leavesOut = false;
  /** What was left out of the message. */
  leftOut: LargePart[] = [];
  protected text = '';
  /** Blocks of the handles in the message. */
  private blocks: Block[] | null = null;

  /** Begins a message behind the last one. */
  protected begin(): void {
    this.text = '';
    this.blocks = null;
    this.leftOut = [];
    const start = (this.at + 7) & ~7;
    if (start > this.limit) this.newChunk(CHUNK_BYTES);
    else this.start = this.at = start;
    this.chunk[this.at++] = f.MAGIC;
  }

  /** Ends the message; `flags` are those that this class does not know of. */
  protected end(flags: number): Uint8Array {
    this.writeText(flags);
    const { chunk } = this;
    const message = new Uint8Array(chunk.buffer, chunk.byteOffset + this.start, this.at - this.start);
    // A big message keeps its memory for itself, or a small one behind it would keep it all alive.
    if (chunk.length > CHUNK_BYTES) this.newChunk(CHUNK_BYTES);
    return this.blocks === null ? message : setCarried(message, this.blocks);
  }

  /** Names a block, and notes that the message does. */
  protected block(block: Block): void {
    this.reserve(OP_BYTES);
    this.bytes.setUint32(this.at, block.at / 64, true);
    this.bytes.setInt32(this.at + 4, block.generation, true);
    this.at += 8;
    this.blocks ??= [];
    if (!this.blocks.some(({ at }) => at === block.at)) this.blocks.push(block);
  }

  /** Gives up the message that was begun. */
  protected abandon(): void {
    this.at = this.start;
    if (this.chunk.length > CHUNK_BYTES) this.newChunk(CHUNK_BYTES);
  }

  /** Takes back all of the message but its first `length` bytes. */
  protected rewind(length: number): void {
    this.at = this.start + length;
    while ((this.leftOut.at(-1)?.at ?? -1) >= length) this.leftOut.pop();
  }

  private writeText(given: number): void {
    let flags = given;
    const { text } = this;
    const { length } = text;
    this.reserve(length * 2 + OP_BYTES);
    if (length > 0) {
      flags |= f.HAS_TEXT;
      if (NOT_LATIN1.test(text)) {
        flags |= f.WIDE_TEXT;
        this.at += this.chunk.write(text, this.at, 'utf16le');
      } else {
        this.latin1(text, length);
      }
      this.bytes.setUint32(this.at, length, true);
      this.at += 4;
    }
    this.chunk[this.at++] = flags;
  }

  private latin1(text: string, length: number): void {
    const { chunk } = this;
    if (length > 24) {
      this.at += chunk.write(text, this.at, 'latin1');
      return;
    }
    // A native call costs more than these few steps.
    let { at } = this;
    for (let i = 0; i < length; i += 1) chunk[at++] = text.charCodeAt(i);
    this.at = at;
  }

  protected number(value: number): void {
    const { chunk } = this;
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < f.SMALL_INT_END) {
        chunk[this.at++] = value;
      } else if (value >= -0x80 && value < 0x80) {
        chunk[this.at++] = f.INT8;
        chunk[this.at++] = value;
      } else if (value >= -0x8000 && value < 0x8000) {
        chunk[this.at++] = f.INT16;
        chunk[this.at++] = value;
        chunk[this.at++] = value >> 8;
      } else {
        chunk[this.at++] = f.INT32;
        this.bytes.setInt32(this.at, value, true);
        this.at += 4;
      }
    } else {
      chunk[this.at++] = f.FLOAT64;
      this.bytes.setFloat64(this.at, value, true);
      this.at += 8;
    }
  }

  protected string(value: string): void {
    const { length } = value;
    if (length < 32) {
      this.chunk[this.at++] = f.SHORT_TEXT | length;
      this.text += value;
    } else if (length < f.LONG_TEXT_CHARS) {
      this.chunk[this.at++] = f.TEXT;
      this.count(length);
      this.text += value;
    } else {
      this.longString(value);
    }
  }

  private longString(value: string): void {
    const wide = NOT_LATIN1.test(value);
    const byteLength = wide ? value.length * 2 : value.length;
    this.reserve(byteLength + OP_BYTES);
    this.chunk[this.at++] = wide ? f.LONG_UTF16 : f.LONG_LATIN1;
    this.count(byteLength);
    this.at += this.chunk.write(value, this.at, wide ? 'utf16le' : 'latin1');
  }

  /** Writes an array of nothing but numbers as their bytes; returns false, with nothing written, for another. */
  protected numbers(value: readonly unknown[], length: number): boolean {
    if (typeof value[length - 1] !== 'number') return false;
    const before = this.at - this.start;
    this.reserve(length * 4 + OP_BYTES);
    const at = this.numbersHead(f.INTEGERS, length, 4);
    const integers = new Int32Array(this.chunk.buffer, this.chunk.byteOffset + at, length);
    let i = 0;
    for (; i < length; i += 1) {
      const part = value[i];
      if (typeof part !== 'number' || (part | 0) !== part || (part === 0 && 1 / part < 0)) break;
      integers[i] = part;
    }
    if (i === length) {
      this.at = at + length * 4;
      return true;
    }
    this.at = this.start + before;
    return typeof value[i] === 'number' && this.doubles(value, length);
  }

  private doubles(value: readonly unknown[], length: number): boolean {
    const before = this.at - this.start;
    this.reserve(length * 8 + OP_BYTES);
    const at = this.numbersHead(f.DOUBLES, length, 8);
    const doubles = new Float64Array(this.chunk.buffer, this.chunk.byteOffset + at, length);
    for (let i = 0; i < length; i += 1) {
      const part = value[i];
      if (typeof part !== 'number') {
        this.at = this.start + before;
        return false;
      }
      doubles[i] = part;
    }
    this.at = at + length * 8;
    return true;
  }

  /** Writes tag, length and padding; returns where the numbers begin. */
  private numbersHead(tag: number, length: number, width: number): number {
    this.chunk[this.at++] = tag;
    this.count(length);
    // Zeroed, so that no old memory leaves with a message.
    while ((this.at - this.start) % width !== 0) this.chunk[this.at++] = 0;
    return this.at;
  }

  protected raw(buffer: ArrayBufferLike, byteOffset: number, byteLength: number): void {
    const isLarge = byteLength >= f.LARGE_BYTES;
    const isLeftOut = isLarge && this.leavesOut;
    this.reserve((isLeftOut ? 0 : byteLength) + OP_BYTES);
    this.count(byteLength);
    if (isLarge) this.pad();
    const source = new Uint8Array(buffer, byteOffset, byteLength);
    if (isLeftOut) {
      this.leftOut.push({ at: this.at - this.start, source, length: byteLength });
      return;
    }
    this.chunk.set(source, this.at);
    this.at += byteLength;
    if (isLarge) this.pad();
  }

  /** Zeros up to a multiple of 8. */
  private pad(): void {
    while ((this.at - this.start) % 8 !== 0) this.chunk[this.at++] = 0;
  }

  protected count(value: number): void {
    const { chunk } = this;
    let rest = value;
    while (rest >= 0x80) {
      chunk[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    chunk[this.at++] = rest;
  }

  /** Makes room for `size` bytes; may move the message, so `chunk` must be read anew. */
  protected reserve(size: number): void {
    const end = this.at + size;
    if (end <= this.chunk.length) return;
    const used = this.at - this.start;
    const old = this.chunk;
    const { start } = this;
    this.newChunk(Math.max(CHUNK_BYTES, used * 2 + size + OP_BYTES));
    old.copy(this.chunk, 0, start, start + used);
    this.at = used;
  }

  private newChunk(size: number): void {
    this.chunk = Buffer.allocUnsafeSlow(size);
    this.bytes = viewOf(this.chunk);
    this.limit = size - OP_BYTES;
    this.start = 0;
    this.at = 0;
  }
}

function viewOf(chunk: Buffer): DataView {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
