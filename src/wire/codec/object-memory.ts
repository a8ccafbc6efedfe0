import { types } from 'node:util';
import { Refused } from '../failures.js';
import { carriedBy } from '../handles.js';
import * as f from './format.js';
import { MessageMemory } from './message-memory.js';
import { SHARED_BUFFER, whyNotBuffer } from './refusal.js';
import { viewKindOf } from './view-kinds.js';

/** Objects that are looked through one by one before a `Map` is made. */
const FEW_OBJECTS = 8;

/** Thrown when two views turn out to look at one buffer: the message is begun anew with whole buffers. */
export const SHARE_BUFFERS: unique symbol = Symbol('furca:share-buffers');

/** Which objects stand in the message that is written, by number; and the memory that views look at. */
export abstract class ObjectMemory extends MessageMemory {
  protected hasRefs = false;
  /** The first objects of the message; as many as `fewCount` says. */
  private readonly few: (object | symbol | null)[] = new Array<object | symbol | null>(FEW_OBJECTS).fill(
    null,
  );
  private fewCount = 0;
  private many: Map<object | symbol, number> | null = null;
  protected sharesBuffers = false;
  private partialBuffers: Set<ArrayBufferLike> | null = null;

  /** Writes one value. */
  abstract value(value: unknown): void;

  /** Lets go of the caller's objects. */
  protected forget(): void {
    for (let i = 0; i < this.fewCount; i += 1) this.few[i] = null;
    this.fewCount = 0;
    this.many = null;
    this.partialBuffers = null;
  }

  protected get openedCount(): number {
    return this.many?.size ?? this.fewCount;
  }

  /** Forgets the objects from number `count` on. */
  protected closeFrom(count: number): void {
    if (this.many !== null) {
      for (const [object, number] of this.many) if (number >= count) this.many.delete(object);
      return;
    }
    for (let i = count; i < this.fewCount; i += 1) this.few[i] = null;
    this.fewCount = Math.min(this.fewCount, count);
  }

  /** Tells whether the object stands in the message already. */
  isOpened(value: object): boolean {
    return this.many === null ? this.few.includes(value) : this.many.has(value);
  }

  /** Gives the object its number; when it has one already, writes that and returns true. */
  wasOpened(value: object | symbol): boolean {
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
          this.many = new Map([...few, value].map((object, index) => [object as object | symbol, index]));
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

  protected view(value: ArrayBufferView): void {
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

  protected arrayBuffer(value: ArrayBufferLike): void {
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
