import { isUtf8 } from 'node:buffer';
import { BrokenError, UsageError } from '../base/errors.js';

/** What a ShareableList can hold. */
export type ShareableItem = string | Uint8Array | number | bigint | boolean | null;

/** Kinds of items, as they stand in memory; never renumbered. */
export const ITEM = {
  NONE: 0,
  BOOLEAN: 1,
  /** A number that is an integer. */
  INTEGER: 2,
  BIGINT: 3,
  FLOAT: 4,
  TEXT: 5,
  BYTES: 6,
} as const;

export type ItemKind = (typeof ITEM)[keyof typeof ITEM];

/** An item that was checked: its kind, and its 8 bytes or more. */
export interface PackedItem {
  readonly kind: ItemKind;
  readonly bytes: Uint8Array;
}

/** Numbers and places are multiples of this. */
export const ITEM_ALIGNMENT = 8;

const utf8 = new TextEncoder();

/**
 * The bytes of an item.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: a list can hold no such thing.
 */
export function packItem(value: unknown, doing: string): PackedItem {
  if (value === null) return scalar(ITEM.NONE, 0n);
  switch (typeof value) {
    case 'boolean':
      return scalar(ITEM.BOOLEAN, value ? 1n : 0n);
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return scalar(ITEM.BIGINT, value);
      throw new UsageError(`${doing} failed: ${value} does not fit into 64 bits.`);
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return scalar(ITEM.INTEGER, BigInt(value));
      return { kind: ITEM.FLOAT, bytes: new Uint8Array(new Float64Array([value]).buffer) };
    case 'string':
      if (!/\p{Surrogate}/u.test(value)) return { kind: ITEM.TEXT, bytes: utf8.encode(value) };
      throw new UsageError(`${doing} failed: the text has half a surrogate pair, which has no bytes.`);
    default:
      if (value instanceof Uint8Array) return { kind: ITEM.BYTES, bytes: value };
      throw new UsageError(
        `${doing} failed: a list holds text, Uint8Arrays, numbers, bigints, booleans and null, not ${named(value)}.`,
      );
  }
}

function scalar(kind: ItemKind, value: bigint): PackedItem {
  return { kind, bytes: new Uint8Array(new BigInt64Array([value]).buffer) };
}

function named(value: unknown): string {
  return typeof value === 'object' ? `an object of class ${value?.constructor?.name}` : `a ${typeof value}`;
}

/** How much room an item gets: what takes its place later may be a little longer. */
export function roomFor({ bytes, kind }: PackedItem): number {
  if (kind !== ITEM.TEXT && kind !== ITEM.BYTES) return ITEM_ALIGNMENT;
  return ITEM_ALIGNMENT * (Math.floor(bytes.length / ITEM_ALIGNMENT) + 1);
}

/**
 * Makes the item of its bytes again.
 *
 * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: text that was cut in two by who wrote it, or who wrote at the same time.
 */
export function unpackItem(kind: number, data: DataView, offset: number, length: number): ShareableItem {
  const bytes = (): Uint8Array => new Uint8Array(data.buffer, data.byteOffset + offset, length);
  switch (kind) {
    case ITEM.NONE:
      return null;
    case ITEM.BOOLEAN:
      return data.getUint8(offset) !== 0;
    case ITEM.INTEGER:
      return Number(data.getBigInt64(offset, true));
    case ITEM.BIGINT:
      return data.getBigInt64(offset, true);
    case ITEM.FLOAT:
      return data.getFloat64(offset, true);
    case ITEM.TEXT: {
      // A copy first: whether it is text must not change under the look.
      const text = Buffer.from(bytes());
      if (isUtf8(text)) return text.toString('utf8');
      throw new BrokenError(
        'Reading an item failed: its text is no UTF-8. Python cuts off what is longer in bytes than in characters; of two that write at once, each needs a lock.',
      );
    }
    case ITEM.BYTES:
      return bytes().slice();
    default:
      throw new BrokenError(`Reading an item failed: there is no kind ${kind} of items.`);
  }
}

/** Whether two items are the same; numbers and bigints by what they count, bytes one by one. */
export function isSameItem(one: ShareableItem, other: ShareableItem): boolean {
  if (one instanceof Uint8Array || other instanceof Uint8Array) {
    return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0;
  }
  const areNumeric = isNumeric(one) && isNumeric(other);
  // biome-ignore lint/suspicious/noDoubleEquals: 1 and 1n count the same.
  return areNumeric ? one == other : one === other;
}

function isNumeric(item: ShareableItem): boolean {
  return typeof item === 'number' || typeof item === 'bigint';
}
