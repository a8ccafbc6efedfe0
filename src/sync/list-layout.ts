import { UsageError } from '../base/errors.js';
import {
  ITEM,
  ITEM_ALIGNMENT,
  type PackedItem,
  roomFor,
  type ShareableItem,
  unpackItem,
} from './list-items.js';

/** A list in memory, in one layout or another. Places are checked by who calls. */
export interface LaidOutList {
  readonly length: number;
  /** Bytes that text or bytes at this place may have. */
  roomAt(index: number): number;
  read(index: number): ShareableItem;
  write(index: number, item: PackedItem): void;
  /** Python's `struct` format of the item at this place. */
  formatAt(index: number): string;
}

/** How lists lie in memory. */
export interface ListLayout {
  /** Refuses what this layout cannot tell apart from something else. */
  check(item: PackedItem, doing: string): void;
  sizeBytes(items: readonly PackedItem[]): number;
  /** Writes a new list into memory that is all zero. */
  create(data: DataView, items: readonly PackedItem[]): void;
  /** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: the memory holds no list of this layout. */
  open(data: DataView): LaidOutList;
}

/** Python's formats of the kinds that have 8 bytes. */
export const SCALAR_FORMATS: readonly string[] = ['xxxxxx?x', 'xxxxxxx?', 'q', 'q', 'd'];
/** Where `?` stands in Python's formats, and with it the byte that counts. */
export const BOOLEAN_AT = 7;

export function putBytes(data: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(data.buffer, data.byteOffset + offset, bytes.length).set(bytes);
}

export function notAList(layout: string): UsageError {
  return new UsageError(
    `Opening the list failed: the memory holds no list of layout '${layout}'. Name the layout it was made with.`,
  );
}

/*
 * furca's layout: [magic | length] then for each item [offset | room | kind | bytes used], all of 32 bits, then the items. The length of what
 * is there is stored, so that NUL is a character like any other.
 */

const MAGIC = 0x5453_4c46;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 16;

class FurcaList implements LaidOutList {
  readonly #data: DataView;
  readonly length: number;

  constructor(data: DataView) {
    this.#data = data;
    this.length = data.getUint32(4, true);
  }

  #entry(index: number, field: number): number {
    return this.#data.getUint32(HEADER_BYTES + index * ENTRY_BYTES + field * 4, true);
  }

  roomAt(index: number): number {
    return this.#entry(index, 1);
  }

  read(index: number): ShareableItem {
    // A length that somebody writes just now may be of another item, but never reaches beyond this one.
    const length = Math.min(this.#entry(index, 3), this.roomAt(index));
    return unpackItem(this.#entry(index, 2), this.#data, this.#entry(index, 0), length);
  }

  write(index: number, { kind, bytes }: PackedItem): void {
    const entry = HEADER_BYTES + index * ENTRY_BYTES;
    putBytes(this.#data, this.#entry(index, 0), bytes);
    this.#data.setUint32(entry + 8, kind, true);
    this.#data.setUint32(entry + 12, bytes.length, true);
  }

  formatAt(index: number): string {
    return SCALAR_FORMATS[this.#entry(index, 2)] ?? `${this.roomAt(index)}s`;
  }
}

export const furcaLayout: ListLayout = {
  check: () => {},
  sizeBytes: (items) =>
    items.reduce((sum, item) => sum + roomFor(item), HEADER_BYTES + items.length * ENTRY_BYTES),
  create: (data, items) => {
    data.setUint32(4, items.length, true);
    let offset = HEADER_BYTES + items.length * ENTRY_BYTES;
    for (const [index, item] of items.entries()) {
      const entry = HEADER_BYTES + index * ENTRY_BYTES;
      data.setUint32(entry, offset, true);
      data.setUint32(entry + 4, roomFor(item), true);
      offset += roomFor(item);
    }
    const list = new FurcaList(data);
    for (const [index, item] of items.entries()) list.write(index, item);
    // Last: who finds the memory by its name before it is whole finds no list.
    data.setUint32(0, MAGIC, true);
  },
  open: (data) => {
    if (data.byteLength < HEADER_BYTES || data.getUint32(0, true) !== MAGIC) throw notAList('furca');
    const list = new FurcaList(data);
    if (HEADER_BYTES + list.length * (ENTRY_BYTES + ITEM_ALIGNMENT) > data.byteLength)
      throw notAList('furca');
    return list;
  },
};

/** Whether the kind has a length of its own. */
export function hasLength({ kind }: PackedItem): boolean {
  return kind === ITEM.TEXT || kind === ITEM.BYTES;
}
