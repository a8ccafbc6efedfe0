import { notAMessage } from '../failures.js';
import { keepCarried, reviveHandle } from '../handles.js';
import { readError } from './error-reader.js';
import * as f from './format.js';
import { knownShape, lastShape, type Shape } from './known-shapes.js';
import { type Lender, Malformed, MessageCursor } from './message-cursor.js';
import { VIEW_KINDS } from './view-kinds.js';

/** Reads what is more than data. A reader without one takes no message that has such things in it. */
export interface CodeReading {
  /** Reads what follows the tag of an op from `FUNCTION` on. */
  read(reader: Reader, tag: number): unknown;
}

/** Reads messages, see `format.ts`. One reader reads one message at a time. */
export class Reader extends MessageCursor {
  /** True while a message is being read: the properties of an error are messages of their own. */
  busy = false;

  /** `null` where strangers may have written the message. */
  private readonly code: CodeReading | null;
  /** The message came from the family, which shares the memory that handles name. */
  private readonly isOfFamily: boolean;
  private shapes: Shape[] = [];
  private refs: unknown[] = [];
  /** How many array slots may still be made before their parts are seen. */
  private slots = 0;

  constructor(code: CodeReading | null, isOfFamily: boolean) {
    super();
    this.code = code;
    this.isOfFamily = isOfFamily;
  }

  /**
   * Reads one whole message. What it makes shares no memory with `message`, but for what `lender` gives; nothing in `message` runs.
   *
   * @throws NotSendableError for bytes that are no message.
   */
  readMessage(message: Uint8Array, lender: Lender | null = null): unknown {
    this.busy = true;
    try {
      this.open(message, lender);
      if (this.hasCode && this.code === null) {
        throw new Malformed('it carries functions or classes, and those are taken from the own family only');
      }
      this.slots = message.length;
      const value = this.read();
      if (!this.isAtEnd()) throw new Malformed('bytes are left over');
      return value;
    } catch (error) {
      throw notAMessage(error instanceof Malformed ? error.message : 'its parts do not fit together', error);
    } finally {
      this.close();
      if (this.shapes.length > 0) this.shapes = [];
      if (this.refs.length > 0) this.refs = [];
      this.busy = false;
    }
  }

  /** Reads one value. */
  read(): unknown {
    if (this.at >= this.end) throw new Malformed('it is cut off');
    const tag = this.bytes[this.at++] as number;
    if (tag < f.SMALL_INT_END) return tag;
    if (tag < f.SHORT_TEXT_END) return this.take(tag - f.SHORT_TEXT);
    if (tag < f.SHORT_ARRAY_END) return this.readArray(tag - f.SHORT_ARRAY);
    if (tag < f.EARLY_SHAPE_END) return this.readObject(this.shapes[tag - f.EARLY_SHAPE]);
    switch (tag) {
      case f.FLOAT64:
        return this.readDouble();
      case f.INT8:
        this.need(1);
        return ((this.bytes[this.at++] as number) << 24) >> 24;
      case f.INT16:
        this.need(2);
        this.at += 2;
        return (
          (((this.bytes[this.at - 2] as number) | ((this.bytes[this.at - 1] as number) << 8)) << 16) >> 16
        );
      case f.INT32:
        this.need(4);
        this.at += 4;
        return (
          (this.bytes[this.at - 4] as number) |
          ((this.bytes[this.at - 3] as number) << 8) |
          ((this.bytes[this.at - 2] as number) << 16) |
          ((this.bytes[this.at - 1] as number) << 24)
        );
      case f.TRUE:
        return true;
      case f.FALSE:
        return false;
      case f.NULL:
        return null;
      case f.UNDEFINED:
        return undefined;
      case f.TEXT:
        return this.take(this.readCount());
      case f.NEW_SHAPE:
        return this.readObject(this.readShape());
      case f.SHAPE:
        return this.readObject(this.shapes[this.readCount()]);
      case f.ARRAY:
        return this.readArray(this.readCount());
      case f.DOUBLES:
        return this.opened(this.readDoubles());
      case f.INTEGERS:
        return this.opened(this.readIntegers());
      case f.EMPTY_OBJECT:
        return this.opened({});
      case f.LONG_LATIN1:
        return this.readLongText(false);
      case f.LONG_UTF16:
        return this.readLongText(true);
      default:
        return this.readRare(tag);
    }
  }

  private readRare(tag: number): unknown {
    switch (tag) {
      case f.REF:
        return this.readRef();
      case f.BIGINT:
        return this.readBigInt();
      case f.DATE:
        return this.opened(new Date(this.readDouble()));
      case f.REGEXP: {
        const slot = this.reserve();
        return this.fill(slot, new RegExp(this.readString(), this.readString()));
      }
      case f.MAP:
        return this.readMap();
      case f.SET:
        return this.readSet();
      case f.BOXED: {
        const slot = this.reserve();
        return this.fill(slot, Object(this.read()) as object);
      }
      case f.ERROR:
        return readError(this);
      case f.ARRAY_BUFFER:
        return this.opened(this.readRaw());
      case f.OWN_VIEW:
        return this.readOwnView();
      case f.SHARED_VIEW:
        return this.readSharedView();
      case f.ODD_OBJECT:
        return this.readOddObject();
      case f.HANDLE:
        return this.readHandle();
      case f.CARRIER:
        return this.readCarrier();
      default:
        if (tag >= f.FUNCTION && tag <= f.TWIN && this.hasCode && this.code !== null)
          return this.code.read(this, tag);
        throw new Malformed(`it has an unknown tag ${tag}`);
    }
  }

  /** The number of the object that the next op names, if it is a `REF`. */
  peekRef(): number | undefined {
    if (this.bytes[this.at] !== f.REF) return undefined;
    const from = this.at;
    this.at += 1;
    const number = this.readCount();
    this.at = from;
    return number;
  }

  /** Whether object `number` is made. */
  isMade(number: number): boolean {
    return this.refs[number] !== undefined;
  }

  /** Leaves out the next op, a `REF`. */
  skipRef(): void {
    this.at += 1;
    this.readCount();
  }

  readString(): string {
    const value = this.read();
    if (typeof value !== 'string') throw new Malformed('it lacks a string');
    return value;
  }

  private readBigInt(): bigint {
    this.need(2);
    const isNegative = this.bytes[this.at++] === 1;
    const digits = this.readString();
    // Not left to BigInt(): it takes '' and blanks for 0.
    if (!/^[0-9a-f]+$/.test(digits)) throw new Malformed('it has a bigint without digits');
    const value = BigInt(`0x${digits}`);
    return isNegative ? -value : value;
  }

  /** Notes an object that is whole, so that a `REF` can name it. */
  opened<T>(value: T): T {
    if (this.hasRefs) this.refs.push(value);
    return value;
  }

  /** Keeps the number of an object whose parts come first. */
  reserve(): number {
    return this.hasRefs ? this.refs.push(undefined) - 1 : -1;
  }

  fill<T>(slot: number, value: T): T {
    if (slot >= 0) this.refs[slot] = value;
    return value;
  }

  private readRef(): unknown {
    const number = this.readCount();
    const value = this.refs[number];
    if (value === undefined) throw new Malformed('it names an object that it does not have');
    return value;
  }

  private readArray(length: number): unknown[] {
    // Each part takes a byte, but of holes one byte can stand for millions; and arrays in arrays could each claim all
    // the bytes that are left. So slots are made beforehand for no more parts than the message has bytes.
    if (length > this.end - this.at || length > this.slots) return this.readSparseArray(length);
    this.slots -= length;
    const array = this.opened(new Array<unknown>(length));
    for (let i = 0; i < length; i += 1) {
      if (this.bytes[this.at] === f.HOLES) i += this.readHoles(length - i) - 1;
      else array[i] = this.read();
    }
    return array;
  }

  private readSparseArray(length: number): unknown[] {
    if (length > 0xffff_ffff) throw new Malformed('it has an array beyond reason');
    const array = this.opened<unknown[]>([]);
    for (let i = 0; i < length; i += 1) {
      if (this.bytes[this.at] === f.HOLES) i += this.readHoles(length - i) - 1;
      else array[i] = this.read();
    }
    array.length = length;
    return array;
  }

  private readHoles(left: number): number {
    this.at += 1;
    const count = this.readCount();
    if (count < 1 || count > left) throw new Malformed('it has an array with too many holes');
    return count;
  }

  /** Reads which keys follow. */
  readKeys(): readonly string[] {
    const tag = this.readByte();
    let shape: Shape | undefined;
    if (tag === f.NEW_SHAPE) shape = this.readShape();
    else if (tag === f.SHAPE) shape = this.shapes[this.readCount()];
    else if (tag >= f.EARLY_SHAPE && tag < f.EARLY_SHAPE_END) shape = this.shapes[tag - f.EARLY_SHAPE];
    if (shape === undefined) throw new Malformed('it names a shape that it does not have');
    return shape.keys;
  }

  private readShape(): Shape {
    const length = this.readCount();
    let shape = lastShape();
    // Most messages are like the one before; this looks without making a string.
    if (length !== shape.joined.length || !this.skip(shape.joined)) shape = knownShape(this.take(length));
    this.shapes.push(shape);
    return shape;
  }

  private readObject(shape: Shape | undefined): object {
    if (shape === undefined) throw new Malformed('it names a shape that it does not have');
    const object: Record<string, unknown> = this.opened({});
    const { keys } = shape;
    const { length } = keys;
    if (shape.hasProto) {
      for (let i = 0; i < length; i += 1) setOwn(object, keys[i] as string, this.read());
    } else {
      for (let i = 0; i < length; i += 1) object[keys[i] as string] = this.read();
    }
    return object;
  }

  private readOddObject(): object {
    const count = this.readPartCount(2);
    const object: Record<string, unknown> = this.opened({});
    for (let i = 0; i < count; i += 1) setOwn(object, this.readString(), this.read());
    return object;
  }

  private readHandle(): object {
    this.assertFamily();
    this.need(1);
    const id = this.bytes[this.at++] as number;
    const block = this.readBlock();
    const slot = this.reserve();
    return this.fill(slot, reviveHandle(id, block, this.read()));
  }

  private assertFamily(): void {
    if (!this.isOfFamily)
      throw new Malformed('it names shared memory, and that is taken from the own family only');
  }

  private readCarrier(): unknown {
    this.assertFamily();
    const blocks = Array.from({ length: this.readPartCount(8) }, () => this.readBlock());
    const message = this.read();
    if (!(message instanceof Uint8Array)) throw new Malformed('it has handles in nothing');
    keepCarried(message, blocks);
    return message;
  }

  private readMap(): Map<unknown, unknown> {
    const map = this.opened(new Map<unknown, unknown>());
    return this.fillMap(map);
  }

  fillMap(map: Map<unknown, unknown>): Map<unknown, unknown> {
    const count = this.readPartCount(2);
    for (let i = 0; i < count; i += 1) {
      const key = this.read();
      map.set(key, this.read());
    }
    return map;
  }

  private readSet(): Set<unknown> {
    const set = this.opened(new Set<unknown>());
    return this.fillSet(set);
  }

  fillSet(set: Set<unknown>): Set<unknown> {
    const count = this.readPartCount(1);
    for (let i = 0; i < count; i += 1) set.add(this.read());
    return set;
  }

  private readOwnView(): ArrayBufferView {
    this.need(1);
    const kind = this.bytes[this.at++] as number;
    const buffer = this.readRaw();
    return this.opened(makeView(kind, buffer, 0, buffer.byteLength));
  }

  private readSharedView(): ArrayBufferView {
    this.need(1);
    const kind = this.bytes[this.at++] as number;
    const byteOffset = this.readCount();
    const byteLength = this.readCount();
    const slot = this.reserve();
    const buffer = this.read();
    if (!(buffer instanceof ArrayBuffer)) throw new Malformed('it has a view on nothing');
    return this.fill(slot, makeView(kind, buffer, byteOffset, byteLength));
  }
}

function setOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function makeView(
  kind: number,
  buffer: ArrayBuffer,
  byteOffset: number,
  byteLength: number,
): ArrayBufferView {
  const viewKind = VIEW_KINDS[kind];
  if (viewKind === undefined) throw new Malformed('it has an unknown kind of view');
  return viewKind.make(buffer, byteOffset, byteLength);
}
