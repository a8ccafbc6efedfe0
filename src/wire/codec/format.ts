/**
 * The bytes of a message. Only `writer.ts` and `reader.ts` read this file's numbers.
 *
 * ```
 * MAGIC  op*  characters  [count: u32 LE, when HAS_TEXT]  flags
 * ```
 *
 * An op is one tag byte and what follows it; containers are followed by their parts, so the ops form a tree in
 * pre-order. Integers without a stated width are LEB128. All text of a message stands together behind the ops (ops
 * hold lengths only): one native call writes it and one reads it, and since it is Latin-1 or UTF-16, never UTF-8,
 * lone surrogates survive. Each object takes the next number in the order in which ops open; `REF` names one by it.
 *
 * Both ends are processes of one family with the same furca, so the layout carries no version. All numbers are
 * little-endian, which every machine that furca runs on is: numbers in bulk are written and read through typed arrays.
 */

export const MAGIC: number = 0xf7;

/** `flags`: text follows the ops. */
export const HAS_TEXT: number = 1;
/** `flags`: the text is UTF-16, because some character is beyond Latin-1. */
export const WIDE_TEXT: number = 2;
/** `flags`: some op is a `REF`, so the reader has to number what it makes. */
export const HAS_REFS: number = 4;

/** `flags`: some op is one of those from `FUNCTION` on, which are taken from the own family only. */
export const HAS_CODE: number = 8;

/** `0x00`-`0x3f` are the integers themselves. */
export const SMALL_INT_END: number = 0x40;
/** `0x40`-`0x5f`: text of 0 to 31 characters. */
export const SHORT_TEXT: number = 0x40;
export const SHORT_TEXT_END: number = 0x60;
/** `0x60`-`0x6f`: array of 0 to 15 parts. */
export const SHORT_ARRAY: number = 0x60;
export const SHORT_ARRAY_END: number = 0x70;
/** `0x70`-`0x7f`: object of one of the message's first 16 shapes, its values in key order. */
export const EARLY_SHAPE: number = 0x70;
export const EARLY_SHAPE_END: number = 0x80;

export const INT8: number = 0x80;
export const INT16: number = 0x81;
export const INT32: number = 0x82;
export const FLOAT64: number = 0x83;
export const NULL: number = 0x84;
export const UNDEFINED: number = 0x85;
export const FALSE: number = 0x86;
export const TRUE: number = 0x87;
/** Length in characters; the characters stand in the message's text. */
export const TEXT: number = 0x88;
/** Length in bytes, then Latin-1 bytes: long strings stand alone, or one short part would keep the whole text alive. */
export const LONG_LATIN1: number = 0x89;
/** Length in bytes, then UTF-16 bytes. */
export const LONG_UTF16: number = 0x8a;
/** Sign byte, then the digits as a text op's value: hexadecimal. */
export const BIGINT: number = 0x8b;

/** Length, parts. */
export const ARRAY: number = 0x90;
/** Inside an array only: how many parts in a row are missing. */
export const HOLES: number = 0x91;
/** Length, zero bytes up to the next multiple of 8, then that many doubles. */
export const DOUBLES: number = 0x92;
/** Length, zero bytes up to the next multiple of 4, then that many 32-bit integers. */
export const INTEGERS: number = 0x93;

/** Length of the keys joined with NUL, which become the message's next shape; then the values. */
export const NEW_SHAPE: number = 0x98;
/** Number of a shape, values. */
export const SHAPE: number = 0x99;
/** Count, then key and value in turn: for keys that hold a NUL. */
export const ODD_OBJECT: number = 0x9a;
export const EMPTY_OBJECT: number = 0x9b;

/** Number of an object that was opened before. */
export const REF: number = 0xa0;
/** Double: milliseconds. */
export const DATE: number = 0xa1;
/** Two strings: source and flags. */
export const REGEXP: number = 0xa2;
/** Count, then keys and values. */
export const MAP: number = 0xa3;
/** Count, then values. */
export const SET: number = 0xa4;
/** The primitive inside `new Number(1)` and its like. */
export const BOXED: number = 0xa5;
/**
 * Name of the nearest class that both sides know, `name`, `message`, `stack` or null, the class itself or null; then own
 * properties as key, whether enumerable, value, and null; then the names of those that could not be sent.
 */
export const ERROR: number = 0xa6;
/**
 * From this length on bytes stand alone: zeros up to a multiple of 8 before them, and again behind. So they can be looked at where they lie, whatever
 * the width of their numbers, and be written there by whoever sends the message.
 */
export const LARGE_BYTES: number = 4096;

/** Length, bytes. */
export const ARRAY_BUFFER: number = 0xa7;
/** Kind byte, length in bytes, bytes: a view that has its bytes for itself. */
export const OWN_VIEW: number = 0xa8;
/** Kind byte, offset and length in bytes, then the buffer as an op of its own. */
export const SHARED_VIEW: number = 0xa9;

/** Kind byte, place / 64 and generation of a block as 32-bit integers, then what else belongs to the handle. */
export const HANDLE: number = 0xaa;
/** Count, as many blocks, then a view whose bytes are themselves a message that names these blocks. */
export const CARRIER: number = 0xab;

/** Unit, class id or '', name, captured values, own properties, properties of its `prototype`. */
export const FUNCTION: number = 0xb0;
/** Id, unit, name, how many captured values its making needs, what it extends if the unit says so, captured values, own properties, properties of its `prototype`. */
export const CLASS: number = 0xb1;
/** Id of a class that the receiver has. */
export const HOME_CLASS: number = 0xb2;
/** Unit: what a module exports. */
export const REFERENCE: number = 0xb3;
/** The way from globalThis. */
export const GLOBAL: number = 0xb4;
/** Function, `this`, arguments as an array. */
export const BOUND: number = 0xb5;
/** Kind byte, then key, name or description. */
export const SYMBOL: number = 0xb6;
/** Kind byte, class, contents by kind, own properties. */
export const INSTANCE: number = 0xb7;
/** Two values, of which the second counts: the first is there because the second refers to it. */
export const AFTER: number = 0xb8;

/** A class, whether the method is static, its name: a method that is sent as its class's. */
export const METHOD: number = 0xb9;

/** Id, whether a unit follows that gives it, the unit: an `AsyncLocalStorage` of each process its own. */
export const TWIN: number = 0xba;

/** Kinds of `SYMBOL`. */
export const REGISTERED: number = 0;
export const WELL_KNOWN: number = 1;
export const UNIQUE: number = 2;

/** Kinds of `INSTANCE`: what the class extends. */
export const PLAIN: number = 0;
export const OF_ARRAY: number = 1;
export const OF_MAP: number = 2;
export const OF_SET: number = 3;
export const OF_DATE: number = 4;

/** A string of at least this many characters stands alone. */
export const LONG_TEXT_CHARS: number = 2048;
/** Keys are joined with this. */
export const KEY_SEPARATOR: string = '\0';
