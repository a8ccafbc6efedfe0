import { notAPickle } from './failures.js';
import { decodeText } from './text.js';

/** Python itself turns no longer text of digits into an int: the time would grow with its square. */
const MAX_DIGITS = 4300;
const NEWLINE = 0x0a;
/** Up to so many bytes an integer is put together from a number. */
const MAX_NUMBER_BYTES = 6;

/** The bytes of a pickle, read once from front to back. Believes no length. */
export class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.#bytes.byteLength;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  u8(): number {
    return this.#bytes[this.#move(1)] as number;
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#move(2));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#move(4));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#move(4));
  }

  u64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#move(8)));
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#move(8));
  }

  /** The next bytes, where they lie. */
  view(length: number): Buffer {
    const at = this.#move(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** The next bytes, with memory of their own. */
  copy(length: number): Uint8Array {
    return new Uint8Array(this.view(length));
  }

  text(length: number): string {
    return decodeText(this.view(length));
  }

  /** An integer in two's complement, least byte first. */
  integer(length: number): number | bigint {
    const bytes = this.view(length);
    if (length === 0) return 0;
    if (length <= MAX_NUMBER_BYTES) return bytes.readIntLE(0, length);
    const hex = Buffer.from(bytes).reverse().toString('hex');
    try {
      return plainInteger(BigInt.asIntN(length * 8, BigInt(`0x${hex}`)));
    } catch (error) {
      throw notAPickle(`an integer of ${length} bytes is too big`, error);
    }
  }

  /** A line of protocol 0, without its end. */
  line(): string {
    const end = this.#bytes.indexOf(NEWLINE, this.#at);
    if (end < 0) throw notAPickle('it ends in the middle of a line');
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return line;
  }

  #move(length: number): number {
    const at = this.#at;
    if (!(length <= this.#bytes.byteLength - at)) throw notAPickle('it ends too early');
    this.#at = at + length;
    return at;
  }
}

/** A number where that is exact, else a big integer. */
export function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** An integer of protocol 0. */
export function parseInteger(line: string): number | bigint {
  const digits = line.endsWith('L') ? line.slice(0, -1) : line;
  if (!/^[+-]?\d+$/.test(digits) || digits.length > MAX_DIGITS) {
    throw notAPickle(`'${line.slice(0, 20)}' is no integer`);
  }
  const value = BigInt(digits.replace(/^[+-]/, ''));
  return plainInteger(digits.startsWith('-') ? -value : value);
}

/** A float of protocol 0, as Python's repr writes it. */
export function parseFloatLine(line: string): number {
  if (/^-?inf$/.test(line)) return line === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (/^-?nan$/.test(line)) return Number.NaN;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(line)) return Number(line);
  throw notAPickle(`'${line.slice(0, 20)}' is no float`);
}

/** A string of protocol 0 (raw-unicode-escape): Latin-1 and \\uXXXX, \\UXXXXXXXX. */
export function parseUnicodeLine(line: string): string {
  return line.replace(/\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? (long as string), 16);
    if (code > 0x10_ffff) throw notAPickle('a string in it has a character that does not exist');
    return short === undefined ? String.fromCodePoint(code) : String.fromCharCode(code);
  });
}
