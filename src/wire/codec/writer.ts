import { types } from 'node:util';
import { ClosedError, type NotSendableError } from '../../base/errors.js';
import { cannotSend, readingFailed, tooDeep } from '../failures.js';
import { carriedBy, handleKindOf } from '../handles.js';
import * as f from './format.js';
import { MessageMemory, OP_BYTES } from './message-memory.js';
import {
  ARGUMENTS,
  PROXY,
  Refused,
  refusePrimitiveKind,
  SHARED_BUFFER,
  whyNotBuffer,
  whyNotPlain,
} from './refusal.js';
import { ShapeMemory } from './shapes.js';
import { formatTrail, type TrailStep } from './trail.js';
import { viewKindOf } from './view-kinds.js';

/** An array of fewer parts is not worth the look whether it holds nothing but numbers. */
const MIN_NUMBERS = 12;
/** Objects that are looked through one by one before a `Map` is made. */
const FEW_OBJECTS = 8;

const { getPrototypeOf, keys: ownKeys } = Object;
const ObjectPrototype: object = Object.prototype;
const ArrayPrototype: object = Array.prototype;

/** Thrown when two views turn out to look at one buffer: the message is begun anew with whole buffers. */
const SHARE_BUFFERS: unique symbol = Symbol('furca:share-buffers');

export type RecordError = (error: unknown) => unknown;

/** Writes values as messages, see `format.ts`. One writer writes one message at a time. */
export class Writer extends MessageMemory {
  /** True while a message is being written: a getter that encodes needs another writer. */
  busy = false;

  private readonly recordError: RecordError;
  private readonly shapes = new ShapeMemory();
  private message = 0;
  private shapeCount = 0;
  private hasRefs = false;
  /** The first objects of the message; as many as `fewCount` says. */
  private readonly few: (object | null)[] = new Array<object | null>(FEW_OBJECTS).fill(null);
  private fewCount = 0;
  private many: Map<object, number> | null = null;
  private sharesBuffers = false;
  private partialBuffers: Set<ArrayBufferLike> | null = null;
  private readonly trail: TrailStep[] = [];
  private depth = 0;

  constructor(recordError: RecordError) {
    super();
    this.recordError = recordError;
  }

  /** Returns the message that holds `value`; its bytes are never written again. */
  write(value: unknown, path: string): Uint8Array {
    this.busy = true;
    try {
      return this.writeMessage(value);
    } catch (error) {
      if (error !== SHARE_BUFFERS) throw this.explain(error, path);
      this.sharesBuffers = true;
      try {
        return this.writeMessage(value);
      } catch (again) {
        throw this.explain(again, path);
      }
    } finally {
      this.sharesBuffers = false;
      this.forget();
      this.text = '';
      this.busy = false;
    }
  }

  /** Lets go of the caller's objects. */
  private forget(): void {
    for (let i = 0; i < this.fewCount; i += 1) this.few[i] = null;
    this.fewCount = 0;
    this.many = null;
    this.partialBuffers = null;
  }

  private writeMessage(value: unknown): Uint8Array {
    this.message += 1;
    this.shapeCount = 0;
    this.hasRefs = false;
    this.depth = 0;
    this.forget();
    this.begin();
    this.value(value);
    return this.end(this.hasRefs ? f.HAS_REFS : 0);
  }

  private explain(error: unknown, path: string): NotSendableError | ClosedError {
    this.abandon();
    if (error instanceof ClosedError) return error;
    const where = formatTrail(path, this.trail, this.depth);
    if (error instanceof Refused) return cannotSend(error.refusal, where);
    if (error instanceof RangeError && /call stack/i.test(error.message)) return tooDeep(path, error);
    return readingFailed(where, error);
  }

  private value(value: unknown): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    switch (typeof value) {
      case 'number':
        this.number(value);
        break;
      case 'string':
        this.string(value);
        break;
      case 'object':
        if (value === null) this.chunk[this.at++] = f.NULL;
        else this.object(value);
        break;
      case 'boolean':
        this.chunk[this.at++] = value ? f.TRUE : f.FALSE;
        break;
      case 'undefined':
        this.chunk[this.at++] = f.UNDEFINED;
        break;
      case 'bigint':
        this.chunk[this.at++] = f.BIGINT;
        this.chunk[this.at++] = value < 0n ? 1 : 0;
        this.string((value < 0n ? -value : value).toString(16));
        break;
      default:
        throw new Refused(refusePrimitiveKind(value));
    }
  }

  private object(value: object): void {
    if (this.wasOpened(value)) return;
    const proto = getPrototypeOf(value) as object | null;
    if (types.isProxy(value)) throw new Refused(PROXY);
    if (proto === ArrayPrototype && Array.isArray(value)) this.array(value);
    else if (proto === ObjectPrototype) this.plainObject(value);
    else this.otherObject(value);
  }

  /** Gives the object its number; when it has one already, writes that and returns true. */
  private wasOpened(value: object): boolean {
    const { few, fewCount, many } = this;
    let number: number | undefined;
    if (many === null) {
      let i = 0;
      while (i < fewCount && few[i] !== value) i += 1;
      if (i === fewCount) {
        if (i < FEW_OBJECTS) {
          few[i] = value;
          this.fewCount = i + 1;
        } else {
          this.many = new Map([...few, value].map((object, index) => [object as object, index]));
        }
        return false;
      }
      number = i;
    } else {
      number = many.get(value);
      if (number === undefined) {
        many.set(value, many.size);
        return false;
      }
    }
    this.hasRefs = true;
    this.chunk[this.at++] = f.REF;
    this.count(number);
    return true;
  }

  private array(value: readonly unknown[]): void {
    const { length } = value;
    if (length >= MIN_NUMBERS && typeof value[0] === 'number' && this.numbers(value, length)) return;
    if (length < 16) {
      this.chunk[this.at++] = f.SHORT_ARRAY | length;
    } else {
      this.chunk[this.at++] = f.ARRAY;
      this.count(length);
    }
    const { trail } = this;
    const depth = ++this.depth;
    for (let i = 0; i < length; i += 1) {
      const part = value[i];
      trail[depth] = i;
      if (part === undefined && !(i in value)) {
        this.holes(value, i);
        break;
      }
      this.value(part);
    }
    this.depth = depth - 1;
  }

  /** Writes the parts from the hole at `from` on; by its keys, since what has one hole may be nearly all holes. */
  private holes(value: readonly unknown[], from: number): void {
    let next = from;
    for (const key of ownKeys(value)) {
      const index = Number(key);
      // Indices come first and in order; a name that looks like a number and is no index ends them.
      if (!(index < value.length) || String(index >>> 0) !== key) break;
      if (index < next) continue;
      if (index > next) this.hole(index - next);
      this.trail[this.depth] = index;
      this.value(value[index]);
      next = index + 1;
    }
    if (next < value.length) this.hole(value.length - next);
  }

  private hole(length: number): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    this.chunk[this.at++] = f.HOLES;
    this.count(length);
  }

  private plainObject(value: object): void {
    const keys = ownKeys(value);
    const { length } = keys;
    // `arguments` has the prototype of a plain object.
    if ((length === 0 || keys[0] === '0') && types.isArgumentsObject(value)) throw new Refused(ARGUMENTS);
    if (length === 0) {
      this.chunk[this.at++] = f.EMPTY_OBJECT;
      return;
    }
    const shape = this.shapes.find(keys);
    if (shape.joined === null) {
      this.oddObject(value, keys);
      return;
    }
    if (shape.message === this.message) {
      if (shape.number < 16) {
        this.chunk[this.at++] = f.EARLY_SHAPE | shape.number;
      } else {
        this.chunk[this.at++] = f.SHAPE;
        this.count(shape.number);
      }
    } else {
      shape.message = this.message;
      shape.number = this.shapeCount++;
      this.chunk[this.at++] = f.NEW_SHAPE;
      this.count(shape.joined.length);
      this.text += shape.joined;
    }
    const { trail } = this;
    const depth = ++this.depth;
    for (let i = 0; i < length; i += 1) {
      const key = keys[i] as string;
      trail[depth] = key;
      this.value((value as Record<string, unknown>)[key]);
    }
    this.depth = depth - 1;
  }

  private oddObject(value: object, keys: readonly string[]): void {
    this.chunk[this.at++] = f.ODD_OBJECT;
    this.count(keys.length);
    const depth = ++this.depth;
    for (const key of keys) {
      this.trail[depth] = key;
      this.value(key);
      this.value((value as Record<string, unknown>)[key]);
    }
    this.depth = depth - 1;
  }

  private otherObject(value: object): void {
    // By internal slots, as structuredClone does: neither a subclass nor another realm changes them.
    if (Array.isArray(value)) this.array(value);
    else if (types.isDate(value)) this.date(value);
    else if (types.isMap(value)) this.map(value);
    else if (types.isSet(value)) this.set(value);
    else if (ArrayBuffer.isView(value)) this.view(value);
    else if (types.isAnyArrayBuffer(value)) this.arrayBuffer(value);
    else if (types.isRegExp(value)) this.regExp(value);
    else if (types.isNativeError(value) || value instanceof DOMException) this.error(value);
    else if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) this.boxed(value);
    else if (!this.handle(value)) {
      const refusal = whyNotPlain(value);
      if (refusal !== null) throw new Refused(refusal);
      this.plainObject(value);
    }
  }

  private handle(value: object): boolean {
    const kind = handleKindOf(value);
    if (kind === undefined) return false;
    const { block } = kind.handleOf(value);
    this.chunk[this.at++] = f.HANDLE;
    this.chunk[this.at++] = kind.id;
    this.block(block);
    this.value(kind.partsOf?.(value));
    return true;
  }

  private date(value: Date): void {
    this.chunk[this.at++] = f.DATE;
    this.bytes.setFloat64(this.at, Date.prototype.getTime.call(value), true);
    this.at += 8;
  }

  private regExp(value: RegExp): void {
    this.chunk[this.at++] = f.REGEXP;
    this.value(value.source);
    this.value(value.flags);
  }

  private boxed(value: object): void {
    this.chunk[this.at++] = f.BOXED;
    if (types.isNumberObject(value)) this.value(Number.prototype.valueOf.call(value));
    else if (types.isStringObject(value)) this.value(String.prototype.valueOf.call(value));
    else if (types.isBooleanObject(value)) this.value(Boolean.prototype.valueOf.call(value));
    else this.value(BigInt.prototype.valueOf.call(value));
  }

  private error(value: unknown): void {
    this.chunk[this.at++] = f.ERROR;
    this.value(this.recordError(value));
  }

  private map(value: ReadonlyMap<unknown, unknown>): void {
    // Taken out first: a getter further down may change the map. Not through the iterator a subclass may replace.
    const entries: unknown[] = [];
    Map.prototype.forEach.call(value, (part, key) => entries.push(key, part));
    this.chunk[this.at++] = f.MAP;
    this.entries(entries, entries.length / 2);
  }

  private set(value: ReadonlySet<unknown>): void {
    const entries: unknown[] = [];
    Set.prototype.forEach.call(value, (part) => entries.push(part));
    this.chunk[this.at++] = f.SET;
    this.entries(entries, entries.length);
  }

  private entries(entries: readonly unknown[], count: number): void {
    this.count(count);
    const depth = ++this.depth;
    for (let i = 0; i < entries.length; i += 1) {
      this.trail[depth] = -1 - Math.trunc((i * count) / entries.length);
      this.value(entries[i]);
    }
    this.depth = depth - 1;
  }

  private view(value: ArrayBufferView): void {
    const { buffer } = value;
    const kind = viewKindOf(value);
    if (kind < 0) throw new Refused({ what: 'an unknown view', hint: 'Send a Uint8Array of its bytes.' });
    if (!types.isArrayBuffer(buffer)) throw new Refused(SHARED_BUFFER);
    checkBuffer(buffer);
    const { byteOffset, byteLength } = value;
    const blocks = carriedBy(value as Uint8Array);
    if (blocks.length > 0) {
      this.chunk[this.at++] = f.CARRIER;
      this.count(blocks.length);
      for (const block of blocks) this.block(block);
    }
    // A Buffer lies in a pool together with strangers: it always takes its own bytes along, and nothing else.
    if (kind === 0 || (byteLength < buffer.byteLength && !this.sharesBuffers)) {
      if (kind !== 0) this.claimBytes(buffer);
      this.chunk[this.at++] = f.OWN_VIEW;
      this.chunk[this.at++] = kind;
      this.raw(buffer, byteOffset, byteLength);
      return;
    }
    this.chunk[this.at++] = f.SHARED_VIEW;
    this.chunk[this.at++] = kind;
    this.count(byteOffset);
    this.count(byteLength);
    this.value(buffer);
  }

  /** Notes that a view took its bytes along; if something else looks at them too, both must do so on arrival. */
  private claimBytes(buffer: ArrayBuffer): void {
    const opened = this.many === null ? this.few.includes(buffer as object) : this.many.has(buffer);
    this.partialBuffers ??= new Set();
    if (opened || this.partialBuffers.has(buffer)) throw SHARE_BUFFERS;
    this.partialBuffers.add(buffer);
  }

  private arrayBuffer(value: ArrayBufferLike): void {
    if (!types.isArrayBuffer(value)) throw new Refused(SHARED_BUFFER);
    checkBuffer(value);
    if (this.partialBuffers?.has(value)) throw SHARE_BUFFERS;
    this.chunk[this.at++] = f.ARRAY_BUFFER;
    this.raw(value, 0, value.byteLength);
  }
}

function checkBuffer(buffer: ArrayBuffer): void {
  const refusal = whyNotBuffer(buffer);
  if (refusal !== null) throw new Refused(refusal);
}
