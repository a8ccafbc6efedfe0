import { types } from 'node:util';
import { ClosedError, type NotSendableError } from '../../base/errors.js';
import { cannotSend, Refused, readingFailed, tooDeep } from '../failures.js';
import { handleKindOf } from '../handles.js';
import { writeError } from './error-writer.js';
import * as f from './format.js';
import { OP_BYTES } from './message-memory.js';
import { ObjectMemory, SHARE_BUFFERS } from './object-memory.js';
import { ARGUMENTS, PROXY, refuseHandle, refusePrimitiveKind, whyNotPlain } from './refusal.js';
import { ShapeMemory } from './shapes.js';
import { formatTrail, type TrailStep } from './trail.js';

/** An array of fewer parts is not worth the look whether it holds nothing but numbers. */
const MIN_NUMBERS = 12;
const { getPrototypeOf, keys: ownKeys } = Object;
const ObjectPrototype: object = Object.prototype;
const ArrayPrototype: object = Array.prototype;

/** Writes what is more than data: functions, classes and their instances, symbols. A writer without one refuses them. */
export interface CodeWriting {
  /** A message begins. */
  begin(): void;
  /** A function or symbol. */
  primitive(writer: Writer, value: AnyFunction | symbol): void;
  /** Writes `value`, which has been numbered, and answers true; or leaves it to the writer. */
  instance(writer: Writer, value: object, proto: object | null): boolean;
  /** The class of an error that is none of those both sides know. */
  errorClass(writer: Writer, error: Error): void;
}

type AnyFunction = (...args: never[]) => unknown;

/** What can be taken back of a message that is being written. */
interface Mark {
  readonly length: number;
  readonly text: string;
  readonly depth: number;
  readonly shapeCount: number;
  readonly openedCount: number;
}

/** Writes values as messages, see `format.ts`. One writer writes one message at a time. */
export class Writer extends ObjectMemory {
  /** True while a message is being written: a getter that encodes needs another writer. */
  busy = false;

  /** `null` for messages that may go to strangers. */
  private readonly code: CodeWriting | null;
  /** The message stays in the family, which shares the memory that handles name. */
  private readonly isForFamily: boolean;
  private readonly shapes = new ShapeMemory();
  private message = 0;
  private shapeCount = 0;
  private hasCode = false;
  private readonly trail: TrailStep[] = [];
  private depth = 0;

  constructor(code: CodeWriting | null, isForFamily: boolean) {
    super();
    this.code = code;
    this.isForFamily = isForFamily;
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

  private writeMessage(value: unknown): Uint8Array {
    this.message += 1;
    this.shapeCount = 0;
    this.hasRefs = false;
    this.depth = 0;
    this.hasCode = false;
    this.forget();
    this.begin();
    this.code?.begin();
    this.value(value);
    return this.end((this.hasRefs ? f.HAS_REFS : 0) | (this.hasCode ? f.HAS_CODE : 0));
  }

  private explain(error: unknown, path: string): NotSendableError | ClosedError {
    this.abandon();
    return this.reason(error, path);
  }

  private reason(error: unknown, path: string): NotSendableError | ClosedError {
    if (error instanceof ClosedError) return error;
    const where = formatTrail(path, this.trail, this.depth);
    if (error instanceof Refused) return cannotSend(error.refusal, where);
    if (error instanceof RangeError && /call stack/i.test(error.message)) return tooDeep(path, error);
    return readingFailed(where, error);
  }

  override value(value: unknown): void {
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
        if (this.code === null) throw new Refused(refusePrimitiveKind(value));
        this.code.primitive(this, value as AnyFunction | symbol);
    }
  }

  /** Begins an op that only the own family may read. */
  codeOp(tag: number): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    this.hasCode = true;
    this.chunk[this.at++] = tag;
  }

  /** Writes a count or a kind. */
  amount(value: number): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    this.count(value);
  }

  /** Writes within one more step of the path that a refusal names. */
  within(step: TrailStep, write: () => void): void {
    const depth = ++this.depth;
    this.trail[depth] = step;
    write();
    this.depth = depth - 1;
  }

  /** Writes, or takes back what it wrote and answers why. */
  attempt(write: () => void): { readonly failure: NotSendableError | ClosedError } | null {
    const { depth, shapeCount, openedCount, text } = this;
    const mark: Mark = { length: this.at - this.start, text, depth, shapeCount, openedCount };
    try {
      write();
      return null;
    } catch (error) {
      if (error === SHARE_BUFFERS) throw error;
      const failure = this.reason(error, 'value');
      this.takeBack(mark);
      return { failure };
    }
  }

  private takeBack({ length, text, depth, shapeCount, openedCount }: Mark): void {
    this.rewind(length);
    this.text = text;
    this.depth = depth;
    this.shapeCount = shapeCount;
    this.shapes.takeBack(this.message, shapeCount);
    this.closeFrom(openedCount);
  }

  private object(value: object): void {
    if (this.wasOpened(value)) return;
    const proto = getPrototypeOf(value) as object | null;
    if (types.isProxy(value)) throw new Refused(PROXY);
    if (proto === ArrayPrototype && Array.isArray(value)) this.array(value);
    else if (proto === ObjectPrototype) this.plainObject(value);
    else if (this.code?.instance(this, value, proto) !== true) this.otherObject(value);
  }

  array(value: readonly unknown[]): void {
    const { length } = value;
    if (length >= MIN_NUMBERS && typeof value[0] === 'number' && this.numbers(value, length)) return;
    this.arrayHead(length);
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

  private arrayHead(length: number): void {
    if (length < 16) {
      this.chunk[this.at++] = f.SHORT_ARRAY | length;
    } else {
      this.chunk[this.at++] = f.ARRAY;
      this.count(length);
    }
  }

  /** Writes an array of which no part is refused: in place of one that cannot be sent stands why. */
  leniently(parts: readonly unknown[]): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    this.arrayHead(parts.length);
    parts.forEach((part, index) => {
      const refused = this.attempt(() => this.within(index, () => this.value(part)));
      if (refused !== null) this.value(refused.failure);
    });
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
    if (!this.shape(keys)) {
      this.oddObject(value, keys);
      return;
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

  /** Writes which keys follow; `false`, with nothing written, for keys that a shape cannot hold. */
  shape(keys: readonly string[]): boolean {
    const shape = this.shapes.find(keys);
    if (shape.joined === null) return false;
    if (this.at > this.limit) this.reserve(OP_BYTES);
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
    return true;
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
    else if (types.isNativeError(value) || value instanceof DOMException) writeError(this, value as Error);
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
    if (!this.isForFamily) throw new Refused(refuseHandle(value));
    const { block } = kind.handleOf(value);
    this.chunk[this.at++] = f.HANDLE;
    this.chunk[this.at++] = kind.id;
    this.block(block);
    this.value(kind.partsOf?.(value));
    return true;
  }

  date(value: Date): void {
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

  /** Writes the head of an error; what follows is `error-writer.ts`'s. */
  errorHead(base: string, name: string, message: string, stack: string | null): void {
    if (this.at > this.limit) this.reserve(OP_BYTES);
    this.chunk[this.at++] = f.ERROR;
    for (const part of [base, name, message, stack]) this.value(part);
  }

  /** Writes the class of an error, or null. */
  errorClass(error: Error): void {
    const { code } = this;
    if (code === null || this.attempt(() => code.errorClass(this, error)) !== null) this.value(null);
  }

  map(value: ReadonlyMap<unknown, unknown>): void {
    // Taken out first: a getter further down may change the map. Not through the iterator a subclass may replace.
    const entries: unknown[] = [];
    Map.prototype.forEach.call(value, (part, key) => entries.push(key, part));
    this.chunk[this.at++] = f.MAP;
    this.entries(entries, entries.length / 2);
  }

  set(value: ReadonlySet<unknown>): void {
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
}
