import { BrokenError, UsageError } from '../base/errors.js';
import {
  ITEM,
  ITEM_ALIGNMENT,
  type PackedItem,
  roomFor,
  type ShareableItem,
  unpackItem,
} from './list-items.js';
import {
  BOOLEAN_AT,
  hasLength,
  type LaidOutList,
  type ListLayout,
  notAList,
  putBytes,
  SCALAR_FORMATS,
} from './list-layout.js';

/*
 * The layout of multiprocessing.shared_memory.ShareableList in CPython (Lib/multiprocessing/shared_memory.py), 3.8 to 3.14:
 *
 *   int64 N | int64 offsets[N + 1], from the start of the items | items | char[8] formats[N], of `struct` | int8 codes[N]
 *
 * The code says how to make a value of what the format reads: 0 as it is, 1 text, 2 bytes, 3 None. Text and bytes have no length, they end
 * before their trailing NULs. All is little-endian, as are the machines furca runs on.
 */

const CODE = { VALUE: 0, TEXT: 1, BYTES: 2, NONE: 3 } as const;
const WORD = 8;
/** A format has 8 characters at the most, the last of which is `s`. */
const MOST_ROOM = 9_999_992;

class PythonList implements LaidOutList {
  readonly #data: DataView;
  readonly length: number;
  readonly #items: number;
  readonly #formats: number;
  readonly #codes: number;

  constructor(data: DataView, length: number) {
    this.#data = data;
    this.length = length;
    this.#items = (length + 2) * WORD;
    this.#formats = this.#items + this.#offset(length);
    this.#codes = this.#formats + length * WORD;
  }

  /** Whether every item lies in the memory, behind the one before it. */
  get isSound(): boolean {
    for (let index = 0; index < this.length; index++) {
      if (this.#offset(index) < 0 || this.roomAt(index) < ITEM_ALIGNMENT) return false;
    }
    return this.#offset(0) === 0 && this.#codes + this.length <= this.#data.byteLength;
  }

  #offset(index: number): number {
    return Number(this.#data.getBigInt64((index + 1) * WORD, true));
  }

  roomAt(index: number): number {
    return this.#offset(index + 1) - this.#offset(index);
  }

  formatAt(index: number): string {
    const at = this.#data.byteOffset + this.#formats + index * WORD;
    return Buffer.from(this.#data.buffer as ArrayBuffer, at, WORD)
      .toString('latin1')
      .replace(/\0+$/, '');
  }

  read(index: number): ShareableItem {
    const code = this.#data.getInt8(this.#codes + index);
    if (code === CODE.NONE) return null;
    const format = this.formatAt(index);
    const at = this.#items + this.#offset(index);
    if (format === 'q') return asNumber(this.#data.getBigInt64(at, true));
    if (format === 'd') return this.#data.getFloat64(at, true);
    if (format === SCALAR_FORMATS[ITEM.BOOLEAN]) return this.#data.getUint8(at + BOOLEAN_AT) !== 0;
    const stated = /^(\d+)s$/.exec(format)?.[1];
    if (stated === undefined) throw new BrokenError(`Reading an item failed: its format is '${format}'.`);
    let length = Math.min(Number(stated), this.roomAt(index));
    while (length > 0 && this.#data.getUint8(at + length - 1) === 0) length--;
    return unpackItem(code === CODE.TEXT ? ITEM.TEXT : ITEM.BYTES, this.#data, at, length);
  }

  write(index: number, item: PackedItem): void {
    const room = this.roomAt(index);
    const at = this.#items + this.#offset(index);
    const format = hasLength(item) ? `${room}s` : (SCALAR_FORMATS[item.kind] as string);
    putBytes(this.#data, this.#formats + index * WORD, Buffer.from(format.padEnd(WORD, '\0'), 'latin1'));
    this.#data.setInt8(this.#codes + index, codeOf(item));
    if (item.kind === ITEM.BOOLEAN) {
      this.#data.setBigInt64(at, BigInt(item.bytes[0] as number) << BigInt(BOOLEAN_AT * 8), true);
      return;
    }
    putBytes(this.#data, at, item.bytes);
    if (hasLength(item))
      putBytes(this.#data, at + item.bytes.length, new Uint8Array(room - item.bytes.length));
  }
}

function codeOf({ kind }: PackedItem): number {
  if (kind === ITEM.TEXT) return CODE.TEXT;
  if (kind === ITEM.BYTES) return CODE.BYTES;
  return kind === ITEM.NONE ? CODE.NONE : CODE.VALUE;
}

/** Python has one kind of integers: those that a number holds exactly are numbers. */
function asNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export const pythonLayout: ListLayout = {
  check: (item, doing) => {
    if (!hasLength(item)) return;
    if (item.bytes.at(-1) === 0) {
      throw new UsageError(
        `${doing} failed: Python's layout loses NULs at the end. Use the layout 'furca', or another last character.`,
      );
    }
    if (roomFor(item) > MOST_ROOM) {
      throw new UsageError(`${doing} failed: an item of Python's layout has ${MOST_ROOM} bytes at the most.`);
    }
  },
  sizeBytes: (items) =>
    items.reduce((sum, item) => sum + roomFor(item), (items.length + 2) * WORD + items.length * (WORD + 1)),
  create: (data, items) => {
    let offset = 0;
    for (const [index, item] of items.entries()) {
      offset += roomFor(item);
      data.setBigInt64((index + 2) * WORD, BigInt(offset), true);
    }
    const list = new PythonList(data, items.length);
    for (const [index, item] of items.entries()) list.write(index, item);
    // Last: who finds the memory by its name before it is whole finds an empty list.
    data.setBigInt64(0, BigInt(items.length), true);
  },
  open: (data) => {
    const length = data.byteLength < 2 * WORD ? -1 : Number(data.getBigInt64(0, true));
    if (length < 0 || (length + 2) * WORD + length * (WORD + 1) > data.byteLength) throw notAList('python');
    const list = new PythonList(data, length);
    if (!list.isSound) throw notAList('python');
    return list;
  },
};
