import { type Encoding, encodingNamed, type TextErrors, UNFINISHED } from './encodings.js';
import { notDecodable, notEncodable } from './failures.js';

const REPLACEMENT = '\ufffd';
/** `surrogateescape` keeps a wrong byte as this plus the byte. */
const ESCAPE = 0xdc00;

/** How a command's streams are read and written as text. */
export interface TextSettings {
  readonly encoding: Encoding;
  readonly errors: TextErrors;
}

export function textSettings(encoding: string = 'utf-8', errors: TextErrors = 'strict'): TextSettings {
  return { encoding: encodingNamed(encoding), errors };
}

/** Decodes a stream of bytes piece by piece; `\r\n` and `\r` become `\n`, as in Python's text mode. */
export class TextDecoding {
  readonly #settings: TextSettings;
  #encoding: Encoding | undefined;
  /** Bytes of a character whose rest is to come. */
  #pending: Buffer = Buffer.alloc(0);
  /** The last piece ended in `\r`, which was passed on as `\n`. */
  #isAfterReturn = false;

  constructor(settings: TextSettings) {
    this.#settings = settings;
    if (settings.encoding.byMark === undefined) this.#encoding = settings.encoding;
  }

  /**
   * Decodes the characters that are whole by now.
   *
   * @throws {@link UnicodeDecodeError} `ERR_FURCA_NOT_DECODABLE`: with errors `strict`.
   */
  write(piece: Buffer): string {
    return this.#decode(piece, false, this.#settings.errors);
  }

  /** Decodes `piece` as the last; what is left of an unfinished character counts as wrong. */
  end(piece: Buffer = Buffer.alloc(0)): string {
    return this.#decode(piece, true, this.#settings.errors);
  }

  /** What `end(piece)` would say up to the last whole character, wrong bytes replaced; changes nothing here. */
  preview(piece: Buffer): string {
    const copy = new TextDecoding(this.#settings);
    copy.#encoding = this.#encoding;
    copy.#pending = this.#pending;
    copy.#isAfterReturn = this.#isAfterReturn;
    const { errors } = this.#settings;
    return copy.#decode(piece, false, errors === 'strict' ? 'replace' : errors);
  }

  #decode(piece: Buffer, isLast: boolean, errors: TextErrors): string {
    let bytes = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    if (this.#encoding === undefined) {
      const found = this.#settings.encoding.byMark?.(bytes);
      if (found === undefined && !isLast) {
        this.#pending = bytes;
        return '';
      }
      this.#encoding = found?.encoding ?? this.#settings.encoding;
      bytes = bytes.subarray(found?.skip ?? 0);
    }
    const { text, used } = decodeWith(this.#encoding, bytes, isLast, errors);
    this.#pending = Buffer.from(bytes.subarray(used));
    return this.#newlines(text);
  }

  #newlines(text: string): string {
    if (text === '') return '';
    const rest = this.#isAfterReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#isAfterReturn = text.endsWith('\r');
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest;
  }
}

function decodeWith(
  encoding: Encoding,
  bytes: Buffer,
  isLast: boolean,
  errors: TextErrors,
): { text: string; used: number } {
  const whole = isLast ? bytes.length : bytes.length - unfinishedTail(encoding, bytes);
  const quick = encoding.decodeAll?.(bytes.subarray(0, whole));
  if (quick !== undefined) return { text: quick, used: whole };
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const { bytes: length, codePoint } = encoding.scan(bytes, at);
    if (codePoint === UNFINISHED && !isLast) return { text, used: at };
    text +=
      codePoint >= 0 ? String.fromCodePoint(codePoint) : wrongBytes(encoding, bytes, at, at + length, errors);
    at += length;
  }
  return { text, used: bytes.length };
}

/** Length of an unfinished character at the end; no character has more than four bytes. */
function unfinishedTail(encoding: Encoding, bytes: Buffer): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const step = encoding.scan(bytes, bytes.length - length);
    if (step.codePoint === UNFINISHED && step.bytes === length) return length;
  }
  return 0;
}

function wrongBytes(encoding: Encoding, bytes: Buffer, from: number, to: number, errors: TextErrors): string {
  const wrong = [...bytes.subarray(from, to)];
  switch (errors) {
    case 'strict':
      throw notDecodable(encoding.name, bytes, from);
    case 'ignore':
      return '';
    case 'replace':
      return REPLACEMENT;
    case 'surrogateescape':
      // Bytes below 128 are never escaped: they would come back as other text.
      if (wrong.some((byte) => byte < 0x80)) throw notDecodable(encoding.name, bytes, from);
      return wrong.map((byte) => String.fromCharCode(ESCAPE + byte)).join('');
    case 'backslashreplace':
      return wrong.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}

/**
 * Encodes what a command is to read.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: a character has no place in the encoding.
 */
export function encodeText(
  text: string,
  { encoding, errors }: TextSettings,
  isFirst: boolean = true,
): Buffer {
  if (isPlain(text, encoding)) return Buffer.from(text);
  const bytes: number[] = isFirst ? [...(encoding.mark ?? [])] : [];
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    for (const byte of encoding.put(codePoint) ?? wrongCharacter(encoding, codePoint, errors))
      bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** Throws as `encodeText` would. */
export function assertEncodable(text: string, settings: TextSettings): void {
  if (!isPlain(text, settings.encoding)) encodeText(text, settings);
}

/** Tells whether Node's own conversion does: UTF-8 without half of a surrogate pair. */
function isPlain(text: string, encoding: Encoding): boolean {
  return encoding.name === 'utf-8' && !/\p{Cs}/u.test(text);
}

function wrongCharacter(encoding: Encoding, codePoint: number, errors: TextErrors): readonly number[] {
  const encoded = (text: string): number[] =>
    [...text].flatMap((character) => encoding.put(character.codePointAt(0) as number) ?? []);
  switch (errors) {
    case 'ignore':
      return [];
    case 'replace':
      return encoded('?');
    case 'backslashreplace':
      return encoded(backslashed(codePoint));
    default:
      // One byte is no character where all characters have more.
      if (
        errors === 'surrogateescape' &&
        codePoint > ESCAPE + 0x7f &&
        codePoint <= ESCAPE + 0xff &&
        encoding.put(0)?.length === 1
      )
        return [codePoint - ESCAPE];
      throw notEncodable(encoding.name, codePoint);
  }
}

function backslashed(codePoint: number): string {
  if (codePoint < 0x100) return `\\x${codePoint.toString(16).padStart(2, '0')}`;
  if (codePoint < 0x10000) return `\\u${codePoint.toString(16).padStart(4, '0')}`;
  return `\\U${codePoint.toString(16).padStart(8, '0')}`;
}
