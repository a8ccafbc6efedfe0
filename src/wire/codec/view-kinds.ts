/** A class of views on bytes, as it is named in a message. */
export interface ViewKind {
  readonly name: string;
  readonly bytesPerElement: number;
  readonly make: (buffer: ArrayBuffer, byteOffset: number, byteLength: number) => ArrayBufferView;
}

type TypedArrayConstructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

function typed(name: string, bytesPerElement: number): ViewKind {
  // Looked up by name: Float16Array exists from Node 24 on.
  const Class = (globalThis as unknown as Record<string, TypedArrayConstructor | undefined>)[name];
  return {
    name,
    bytesPerElement,
    make: (buffer, byteOffset, byteLength) => {
      if (Class === undefined) throw new TypeError(`${name} does not exist here`);
      return new Class(buffer, byteOffset, byteLength / bytesPerElement);
    },
  };
}

/** Position in this list is the kind byte of a message. */
export const VIEW_KINDS: readonly ViewKind[] = [
  {
    // structuredClone would make it a Uint8Array, whose toString('utf8') silently prints numbers.
    name: 'Buffer',
    bytesPerElement: 1,
    make: (buffer, byteOffset, byteLength) => Buffer.from(buffer, byteOffset, byteLength),
  },
  typed('Int8Array', 1),
  typed('Uint8Array', 1),
  typed('Uint8ClampedArray', 1),
  typed('Int16Array', 2),
  typed('Uint16Array', 2),
  typed('Int32Array', 4),
  typed('Uint32Array', 4),
  typed('Float16Array', 2),
  typed('Float32Array', 4),
  typed('Float64Array', 8),
  typed('BigInt64Array', 8),
  typed('BigUint64Array', 8),
  {
    name: 'DataView',
    bytesPerElement: 1,
    make: (buffer, byteOffset, byteLength) => new DataView(buffer, byteOffset, byteLength),
  },
];

const KIND_BY_NAME: ReadonlyMap<string, number> = new Map(
  VIEW_KINDS.map((kind, index) => [kind.name, index]),
);

const readTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** The kind byte of a view; a subclass counts as the class of its bytes, as in structuredClone. */
export function viewKindOf(view: ArrayBufferView): number {
  if (Buffer.isBuffer(view)) return 0;
  // The getter on %TypedArray%.prototype reads the internal slot, which neither a subclass nor a realm can change.
  return KIND_BY_NAME.get(readTag.call(view) ?? 'DataView') ?? -1;
}
