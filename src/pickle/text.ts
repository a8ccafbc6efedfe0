/**
 * Text as pickle holds it: UTF-8 in which a lone surrogate has three bytes of its own (Python's `surrogatepass`), as the strings of
 * both languages may hold one.
 */
import { notAPickle } from './failures.js';

const REPLACEMENT = '�';
const LONE_SURROGATE = /\p{Surrogate}/u;

export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength === text.length || !LONE_SURROGATE.test(text)) return bytes;
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const isLone = code >= 0xd800 && code <= 0xdfff;
    parts.push(isLone ? threeBytes(code) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(parts);
}

function threeBytes(code: number): Buffer {
  return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
}

/** @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: it is no UTF-8. */
export function decodeText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes(REPLACEMENT) ? decodeSlowly(bytes) : text;
}

/** A replacement character stands in the text itself, or for a lone surrogate, or for damage. */
function decodeSlowly(bytes: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let from = 0;
  try {
    for (let at = 0; at + 2 < bytes.byteLength; at++) {
      // In valid UTF-8 this lead byte is followed by one below A0; in that of a surrogate, by one from there on.
      if (bytes[at] !== 0xed || (bytes[at + 1] as number) < 0xa0) continue;
      text += decoder.decode(bytes.subarray(from, at)) + surrogateAt(bytes, at);
      from = at + 3;
      at += 2;
    }
    return text + decoder.decode(bytes.subarray(from));
  } catch (error) {
    throw notAPickle('a string in it is no UTF-8', error);
  }
}

function surrogateAt(bytes: Buffer, at: number): string {
  const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3);
  if (second > 0xbf || third < 0x80 || third > 0xbf) throw notAPickle('a string in it is no UTF-8');
  return String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
}
