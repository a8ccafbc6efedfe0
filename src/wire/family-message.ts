import type { Unit } from './closures/descriptor.js';
import { ownToken } from './closures/identities.js';
import { inspecting } from './closures/inspector.js';
import { type LoadedUnit, loadedUnit } from './closures/loaded-units.js';
import { Broken, CodeReceiver } from './closures/receiver.js';
import { CodeSender } from './closures/sender.js';
import { Malformed } from './codec/message-cursor.js';
import { Reader } from './codec/reader.js';
import { Writer } from './codec/writer.js';
import { decode, encode } from './codec.js';
import { notAMessage } from './failures.js';

/**
 * Messages between members of one family, which trust each other: functions, classes and their instances travel in them.
 *
 * ```
 * value                          when nothing in it refers to code
 * ENVELOPE  length of head: u32  head  zeros up to a multiple of 8  value
 * ```
 *
 * The head is a data message: who sent it, and for each unit of code the value refers to either the whole unit, or the slot of the
 * receiver's table it was put into before. The sender decides what stands in which slot, so both always agree.
 */

const ENVELOPE = 0xf6;
const HEAD_AT = 5;

/** A value that was packed, apart from who it is for. */
export interface Packed {
  readonly bytes: Uint8Array;
  /** The code it refers to. */
  readonly units: readonly Unit[];
  /** Packing the same value again would give the same, whatever the program did meanwhile. */
  readonly isConstant: boolean;
}

interface Packer {
  readonly writer: Writer;
  readonly sender: CodeSender;
}

function makePacker(): Packer {
  const sender = new CodeSender();
  return { writer: new Writer(sender), sender };
}

const ownPacker = makePacker();

/**
 * Packs `value` for a member of the family.
 *
 * @param path - What the value is called in an error.
 * @param home - The member it is for, if its own classes need no description: see `Inbox.peer`.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: `path` names the part that cannot leave.
 */
export function pack(value: unknown, path: string = 'value', home: string | null = null): Packed {
  // A getter inside of a value may itself pack something.
  const { writer, sender } = ownPacker.writer.busy ? makePacker() : ownPacker;
  sender.home = home;
  try {
    const bytes = inspecting(() => writer.write(value, path));
    return { bytes, units: sender.units, isConstant: sender.isConstant };
  } finally {
    sender.end();
  }
}

/** Slots of code that a receiver keeps for one sender. */
const SLOTS = 512;

/** The code that one peer has been sent, as its sender knows it. */
export class Outbox {
  /** Slot by unit, the longest unused first. */
  readonly #slots = new Map<string, number>();

  /**
   * Makes the message for this peer. It must be sent, or `undo` be called: what is in it counts as known from now on.
   */
  seal({ bytes, units }: Packed): Uint8Array {
    if (units.length === 0) return bytes;
    return envelope(
      units.map((unit) => this.#entry(unit, units)),
      bytes,
    );
  }

  #entry(unit: Unit, message: readonly Unit[]): number | readonly [number, Unit] {
    const slots = this.#slots;
    const known = slots.get(unit.id);
    if (known !== undefined) {
      slots.delete(unit.id);
      slots.set(unit.id, known);
      return known;
    }
    const slot = slots.size < SLOTS ? slots.size : this.#free(message);
    if (slot >= 0) slots.set(unit.id, slot);
    return [slot, unit];
  }

  /** Takes the slot of what was not used for the longest time; never one that this message uses. */
  #free(message: readonly Unit[]): number {
    for (const [id, slot] of this.#slots) {
      if (message.some((unit) => unit.id === id)) continue;
      this.#slots.delete(id);
      return slot;
    }
    return -1;
  }

  /** A message was not sent: all code is sent anew. */
  undo(): void {
    this.#slots.clear();
  }
}

function envelope(entries: readonly unknown[], value: Uint8Array): Uint8Array {
  const head = encode([ownToken(), entries], 'code');
  const valueAt = (HEAD_AT + head.length + 7) & ~7;
  const message = new Uint8Array(valueAt + value.length);
  message[0] = ENVELOPE;
  new DataView(message.buffer).setUint32(1, head.length, true);
  message.set(head, HEAD_AT);
  message.set(value, valueAt);
  return message;
}

/** Packs a value into a message that any member of the family can read, without having been sent anything before. */
export function encodeForFamily(value: unknown, path: string = 'value'): Uint8Array {
  return new Outbox().seal(pack(value, path));
}

/** What became of a message. */
export interface Received {
  readonly value: unknown;
  /** Why some function or class in it could not be made; in its place stands a `Broken`. */
  readonly failure: Error | null;
}

/** A message whose code is there. */
interface Opened {
  readonly units: readonly LoadedUnit[];
  readonly bytes: Uint8Array;
}

const NOTHING: readonly LoadedUnit[] = [];

/** What came from one peer. */
export class Inbox {
  readonly #slots: LoadedUnit[] = [];
  #peer: string | null = null;

  /** The member that the last message with code came from. */
  get peer(): string | null {
    return this.#peer;
  }

  /**
   * Reads a message.
   *
   * @returns The value at once, or a promise when modules have to be loaded for it first; `bytes` may change then.
   * @throws {@link NotSendableError} with `stage` `receive`: the bytes are no whole message.
   */
  receive(bytes: Uint8Array): Received | Promise<Received> {
    if (bytes[0] !== ENVELOPE) return read(NOTHING, bytes);
    const { units, bytes: value } = this.#open(bytes);
    const waiting = units.filter((unit) => unit.needsLoading);
    if (waiting.length === 0) return read(units, value);
    const own = value.slice();
    return Promise.all(waiting.map((unit) => unit.load())).then(() => read(units, own));
  }

  /** Reads a message; modules it needs are loaded while this thread stands still. */
  receiveSync(bytes: Uint8Array): Received {
    if (bytes[0] !== ENVELOPE) return read(NOTHING, bytes);
    const { units, bytes: value } = this.#open(bytes);
    return read(units, value);
  }

  #open(message: Uint8Array): Opened {
    try {
      const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
      const length = view.getUint32(1, true);
      const valueAt = (HEAD_AT + length + 7) & ~7;
      if (valueAt > message.length) throw new Malformed('its head is cut off');
      const head = decode(message.subarray(HEAD_AT, HEAD_AT + length));
      if (!Array.isArray(head) || typeof head[0] !== 'string' || !Array.isArray(head[1])) {
        throw new Malformed('its head is no head');
      }
      this.#peer = head[0];
      const units = (head[1] as readonly unknown[]).map((entry) => this.#unit(entry));
      return { units, bytes: message.subarray(valueAt) };
    } catch (error) {
      throw notAMessage(error instanceof Malformed ? error.message : 'its head cannot be read', error);
    }
  }

  #unit(entry: unknown): LoadedUnit {
    if (typeof entry === 'number') {
      const known = this.#slots[entry];
      if (known === undefined) throw new Malformed('it refers to code that was never sent');
      return known;
    }
    if (!Array.isArray(entry) || !isUnit(entry[1])) throw new Malformed('it has a unit of code that is none');
    const slot: unknown = entry[0];
    const loaded = loadedUnit(entry[1]);
    if (typeof slot === 'number' && slot >= 0 && slot < SLOTS) this.#slots[slot] = loaded;
    return loaded;
  }
}

function isUnit(value: unknown): value is Unit {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, id, url, exportName, member, source, names, imports, line, column } = value as Record<
    string,
    unknown
  >;
  if (typeof id !== 'string') return false;
  if (kind === 'reference') {
    return typeof url === 'string' && typeof exportName === 'string' && Array.isArray(member);
  }
  return (
    kind === 'code' &&
    typeof source === 'string' &&
    Array.isArray(names) &&
    Array.isArray(imports) &&
    Number.isInteger(line) &&
    Number.isInteger(column)
  );
}

interface Unpacker {
  readonly reader: Reader;
  readonly receiver: CodeReceiver;
}

function makeUnpacker(): Unpacker {
  const receiver = new CodeReceiver();
  return { reader: new Reader(receiver), receiver };
}

const ownUnpacker = makeUnpacker();

function read(units: readonly LoadedUnit[], bytes: Uint8Array): Received {
  // What a class does while it is made may itself read something.
  const { reader, receiver } = ownUnpacker.reader.busy ? makeUnpacker() : ownUnpacker;
  receiver.begin(units);
  try {
    const value = reader.readMessage(bytes);
    return { value, failure: receiver.failure };
  } finally {
    receiver.begin(NOTHING);
  }
}

/**
 * Makes anew the value that `encodeForFamily` packed.
 *
 * @throws {@link NotSendableError} with `stage` `receive`: no whole message, or a function in it could not be made; `cause` says how.
 */
export async function decodeFromFamily(bytes: Uint8Array): Promise<unknown> {
  return wholeValue(await new Inbox().receive(bytes));
}

/** As `decodeFromFamily`, while this thread stands still. A module that awaits at its top level cannot be loaded so. */
export function decodeFromFamilySync(bytes: Uint8Array): unknown {
  return wholeValue(new Inbox().receiveSync(bytes));
}

function wholeValue({ value, failure }: Received): unknown {
  if (failure !== null) throw failure;
  return value;
}

/** Finds why some part of a received value could not be made; `null` when it is whole. */
export function brokenPart(value: unknown, seen: Set<object> = new Set()): Error | null {
  if (value instanceof Broken) return value.failure;
  if (typeof value !== 'object' || value === null || seen.has(value)) return null;
  seen.add(value);
  const parts: unknown[] = Object.values(value);
  if (value instanceof Map) parts.push(...value.keys(), ...value.values());
  if (value instanceof Set) parts.push(...value);
  for (const part of parts) {
    const failure = brokenPart(part, seen);
    if (failure !== null) return failure;
  }
  return null;
}
