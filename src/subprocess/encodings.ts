import { badEncoding } from './failures.js';

/** What happens to bytes, or characters, that an encoding has no place for; named as in Python. */
export type TextErrors = 'strict' | 'replace' | 'ignore' | 'surrogateescape' | 'backslashreplace';

export const TEXT_ERRORS: readonly string[] = [
  'strict',
  'replace',
  'ignore',
  'surrogateescape',
  'backslashreplace',
];

/** One step of reading: how many bytes, and the code point they stand for, or why they stand for none. */
export interface Step {
  readonly bytes: number;
  readonly codePoint: number;
}

/** Instead of a code point: these bytes are wrong. */
export const WRONG = -1;
/** Instead of a code point: the rest is not there yet. */
export const UNFINISHED = -2;

/** Reads one character of `bytes` at `at`. */
export type Scan = (bytes: Buffer, at: number) => Step;
/** Writes one character; `null` when the encoding has no place for it. */
export type Put = (codePoint: number) => readonly number[] | null;

/** An encoding, character by character, with Node's own conversion for the usual case that nothing is wrong. */
export interface Encoding {
  readonly name: string;
  readonly scan: Scan;
  readonly put: Put;
  /** Decodes whole, correct characters at once; `undefined` when something is wrong with them. */
  readonly decodeAll?: (bytes: Buffer) => string | undefined;
  /** Written before the first character. */
  readonly mark?: readonly number[];
  /** Finds the byte order from the first bytes. */
  readonly byMark?: (bytes: Buffer) => { readonly encoding: Encoding; readonly skip: number } | undefined;
}

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Follows the Unicode Standard, table 3-7: a wrong sequence ends before the first byte that cannot belong to it. */
const scanUtf8: Scan = (bytes, at) => {
  const first = bytes[at] as number;
  if (first < 0x80) return { bytes: 1, codePoint: first };
  if (first < 0xc2 || first > 0xf4) return { bytes: 1, codePoint: WRONG };
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let codePoint = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i];
    if (next === undefined) return { bytes: i, codePoint: UNFINISHED };
    const low = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (next < low || next > high) return { bytes: i, codePoint: WRONG };
    codePoint = (codePoint << 6) | (next & 0x3f);
  }
  return { bytes: length, codePoint };
};

const putUtf8: Put = (codePoint) =>
  isSurrogate(codePoint) ? null : [...Buffer.from(String.fromCodePoint(codePoint))];

const utf8: Encoding = {
  name: 'utf-8',
  scan: scanUtf8,
  put: putUtf8,
  decodeAll: (bytes) => {
    try {
      return fatalUtf8.decode(bytes);
    } catch {
      return undefined;
    }
  },
};

function utf16(name: string, isBig: boolean): Encoding {
  const unitAt = (bytes: Buffer, at: number): number =>
    isBig ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
  const unit = (value: number): number[] => (isBig ? [value >> 8, value & 0xff] : [value & 0xff, value >> 8]);
  return {
    name,
    scan: (bytes, at) => {
      const left = bytes.length - at;
      if (left < 2) return { bytes: left, codePoint: UNFINISHED };
      const high = unitAt(bytes, at);
      if (!isSurrogate(high)) return { bytes: 2, codePoint: high };
      if (high >= 0xdc00) return { bytes: 2, codePoint: WRONG };
      if (left < 4) return { bytes: left, codePoint: UNFINISHED };
      const low = unitAt(bytes, at + 2);
      if (low < 0xdc00 || low > 0xdfff) return { bytes: 2, codePoint: WRONG };
      return { bytes: 4, codePoint: 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) };
    },
    put: (codePoint) => {
      if (isSurrogate(codePoint)) return null;
      if (codePoint < 0x10000) return unit(codePoint);
      const rest = codePoint - 0x10000;
      return [...unit(0xd800 + (rest >> 10)), ...unit(0xdc00 + (rest & 0x3ff))];
    },
  };
}

function utf32(name: string, isBig: boolean): Encoding {
  return {
    name,
    scan: (bytes, at) => {
      const left = bytes.length - at;
      if (left < 4) return { bytes: left, codePoint: UNFINISHED };
      const codePoint = isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
      return { bytes: 4, codePoint: codePoint > 0x10ffff || isSurrogate(codePoint) ? WRONG : codePoint };
    },
    put: (codePoint) => {
      if (isSurrogate(codePoint)) return null;
      const bytes = [codePoint & 0xff, (codePoint >> 8) & 0xff, codePoint >> 16, 0];
      return isBig ? bytes.reverse() : bytes;
    },
  };
}

/** Written little-endian behind a byte order mark, read in the order that the mark tells, as Python does on Linux. */
function marked(name: string, little: Encoding, big: Encoding, width: number): Encoding {
  const mark = little.put(0xfeff) as readonly number[];
  const other = big.put(0xfeff) as readonly number[];
  const begins = (bytes: Buffer, wanted: readonly number[]): boolean =>
    wanted.every((byte, i) => bytes[i] === byte);
  return {
    ...little,
    name,
    mark,
    byMark: (bytes) => {
      if (bytes.length < width) return undefined;
      if (begins(bytes, mark)) return { encoding: { ...little, name }, skip: width };
      if (begins(bytes, other)) return { encoding: { ...big, name }, skip: width };
      return { encoding: { ...little, name }, skip: 0 };
    },
  };
}

function narrow(name: string, limit: number): Encoding {
  return {
    name,
    scan: (bytes, at) => {
      const byte = bytes[at] as number;
      return { bytes: 1, codePoint: byte < limit ? byte : WRONG };
    },
    put: (codePoint) => (codePoint < limit ? [codePoint] : null),
  };
}

const utf16le = utf16('utf-16-le', false);
const utf16be = utf16('utf-16-be', true);
const utf32le = utf32('utf-32-le', false);
const utf32be = utf32('utf-32-be', true);
const latin1: Encoding = { ...narrow('latin-1', 0x100), decodeAll: (bytes) => bytes.toString('latin1') };
const ascii = narrow('ascii', 0x80);

/** By their names without dashes and underscores, Python's and Node's. */
const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['utf8', utf8],
  ['utf16', marked('utf-16', utf16le, utf16be, 2)],
  ['utf16le', utf16le],
  ['ucs2', utf16le],
  ['utf16be', utf16be],
  ['utf32', marked('utf-32', utf32le, utf32be, 4)],
  ['utf32le', utf32le],
  ['utf32be', utf32be],
  ['latin1', latin1],
  ['iso88591', latin1],
  ['ascii', ascii],
  ['usascii', ascii],
]);

/**
 * Finds an encoding by its name.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: furca does not know it.
 */
export function encodingNamed(name: string): Encoding {
  const found = ENCODINGS.get(name.toLowerCase().replace(/[-_ ]/g, ''));
  if (found === undefined) throw badEncoding(name);
  return found;
}
