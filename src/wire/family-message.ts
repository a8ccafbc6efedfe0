import type { Unit } from './closures/descriptor.js';
import { ownToken } from './closures/identities.js';
import { beginInspecting, endInspecting } from './closures/inspector.js';
import { type LoadedUnit, loadedUnit } from './closures/loaded-units.js';
import { Broken, CodeReceiver } from './closures/receiver.js';
import { CodeSender } from './closures/sender.js';
import type { Lender } from './codec/message-cursor.js';
import { Reader } from './codec/reader.js';
import { Writer } from './codec/writer.js';
import { decodeShared, encodeShared } from './codec.js';
import { notAMessage } from './failures.js';
import { carriedBy, forgetCarried, setCarried } from './handles.js';
import { type LeanMessage, lengthOf, NOTHING_LEFT_OUT, whole } from './lean-message.js';

/**
 * Messages between members of one family, which trust each other: functions, classes and their instances travel in them.
 *
 * ```
 * value                         when nothing in it refers to code
 * ENVELOPE  zeros up to 8  [sender, [unit, ...], value]
 * ```
 *
 * What is in the envelope is a data message: who sent it; for each unit of code that the value refers to either the whole unit, or the
 * slot of the receiver's table it was put into before; and the value's bytes. The sender decides what stands in which slot, so both
 * always agree.
 */

const ENVELOPE = 0xf6;
/** A multiple of 8, so that numbers in it can be read where they lie. */
const INNER_AT = 8;

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
  return { writer: new Writer(sender, true), sender };
}

const ownPacker = makePacker();

/**
 * Packs `value` for a member of the family.
 *
 * @param path - What the value is called in an error.
 * @param home - The member it is for, if its own classes need no description: see `Inbox.peer`.
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: `path` names the part that cannot leave.
 */
export function pack(value: unknown, path?: string, home?: string | null): Packed;
/** As above; `leavesOut`: large arrays are not copied into the message. */
export function pack(
  value: unknown,
  path: string,
  home: string | null,
  leavesOut: true,
): Packed & LeanMessage;
export function pack(
  value: unknown,
  path: string = 'value',
  home: string | null = null,
  leavesOut = false,
): Packed & LeanMessage {
  // A getter inside of a value may itself pack something.
  const { writer, sender } = ownPacker.writer.busy ? makePacker() : ownPacker;
  sender.home = home;
  writer.leavesOut = leavesOut;
  // A session that the first function opens is closed when this returns, whatever happens.
  beginInspecting();
  try {
    const bytes = writer.write(value, path);
    const { leftOut } = writer;
    const length = lengthOf(bytes, leftOut, path);
    return { bytes, leftOut, length, units: sender.units, isConstant: sender.isConstant };
  } finally {
    writer.leavesOut = false;
    if (writer.leftOut.length > 0) writer.leftOut = [];
    endInspecting();
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
  const inner = encodeShared([ownToken(), entries, value], 'code');
  const message = new Uint8Array(INNER_AT + inner.length);
  message[0] = ENVELOPE;
  message.set(inner, INNER_AT);
  return setCarried(message, carriedBy(inner));
}

/** Packs a value into a message that any member of the family can read, without having been sent anything before. */
export function encodeForFamily(value: unknown, path: string = 'value'): Uint8Array {
  return new Outbox().seal(pack(value, path));
}

/**
 * As {@link encodeForFamily}, but leaves large arrays where they are: who has a place for the message copies them there, once.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`.
 */
export function encodeLean(value: unknown, path: string): LeanMessage {
  const packed = pack(value, path, null, true);
  if (packed.units.length > 0) {
    const bytes = new Outbox().seal({ ...packed, bytes: whole(packed) });
    return { bytes, leftOut: NOTHING_LEFT_OUT, length: bytes.byteLength };
  }
  return packed;
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
    if (waiting.length === 0) return readOnce(units, value);
    return Promise.all(waiting.map((unit) => unit.load())).then(() => readOnce(units, value));
  }

  /**
   * Reads a message; modules it needs are loaded while this thread stands still.
   *
   * @param lender - Gives out large arrays where they lie, unless the message has code in it.
   */
  receiveSync(bytes: Uint8Array, lender: Lender | null = null): Received {
    if (bytes[0] !== ENVELOPE) return read(NOTHING, bytes, lender);
    const { units, bytes: value } = this.#open(bytes);
    return readOnce(units, value);
  }

  #open(message: Uint8Array): Opened {
    const inner = decodeShared(message.subarray(INNER_AT));
    if (!Array.isArray(inner)) throw notAMessage('its envelope holds something else');
    const [peer, entries, bytes] = inner as readonly unknown[];
    if (typeof peer !== 'string' || !Array.isArray(entries) || !(bytes instanceof Uint8Array)) {
      throw notAMessage('its envelope is damaged');
    }
    this.#peer = peer;
    return { units: entries.map((entry) => this.#unit(entry)), bytes };
  }

  #unit(entry: unknown): LoadedUnit {
    if (typeof entry === 'number') {
      const known = this.#slots[entry];
      if (known === undefined) throw notAMessage('it refers to code that was never sent');
      return known;
    }
    if (!Array.isArray(entry) || !isUnit(entry[1])) throw notAMessage('it has a unit of code that is none');
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
  return { reader: new Reader(receiver, true), receiver };
}

const ownUnpacker = makeUnpacker();

function read(units: readonly LoadedUnit[], bytes: Uint8Array, lender: Lender | null = null): Received {
  // What a class does while it is made may itself read something.
  const { reader, receiver } = ownUnpacker.reader.busy ? makeUnpacker() : ownUnpacker;
  receiver.begin(units);
  try {
    const value = reader.readMessage(bytes, lender);
    return { value, failure: receiver.failure };
  } finally {
    receiver.begin(NOTHING);
  }
}

/** Reads what came in an envelope; the handles in it were held by its bytes until now. */
function readOnce(units: readonly LoadedUnit[], bytes: Uint8Array): Received {
  try {
    return read(units, bytes);
  } finally {
    forgetCarried(bytes);
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
export function decodeFromFamilySync(bytes: Uint8Array, lender: Lender | null = null): unknown {
  return wholeValue(bytes[0] === ENVELOPE ? new Inbox().receiveSync(bytes) : read(NOTHING, bytes, lender));
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
