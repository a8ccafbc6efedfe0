import { payloadBytes } from '../arena/allocator.js';
import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import { openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { UsageError } from '../base/errors.js';
import { NamedMemory } from '../kernel/named-memory.js';
import { PosixMemory } from '../kernel/posix-memory.js';
import { makeUserBuffer, revokeUserBuffer } from '../kernel/user-buffer.js';
import { registerHandleKind } from '../wire/handles.js';

/**
 * Where a name is known: `'furca'`, to programs that use furca; the memory goes with the last one that has it. `'posix'`, to all programs, as
 * a file in `/dev/shm`, where Python's `SharedMemory` looks; it stays until `unlink()`, or the orderly end of the process that made it.
 */
export type SharedMemoryNamespace = 'furca' | 'posix';

/** Options of a {@link SharedMemory}. */
export interface SharedMemoryOptions {
  /** How much to make, in bytes, from 1. Without it, the memory called `name` is used. */
  readonly sizeBytes?: number;
  /** Name by which any program of this user finds it. Default: none, it is found by being sent. */
  readonly name?: string;
  /** Where the name is known. Default `'furca'`. */
  readonly namespace?: SharedMemoryNamespace;
}

/** What a piece of shared memory is, at the moment of the call. */
export interface SharedMemoryStats {
  readonly name: string | null;
  /** Where the name is known; `null` if it has none. */
  readonly namespace: SharedMemoryNamespace | null;
  readonly sizeBytes: number;
}

/** Whoever has a buffer has the memory: it is not given to others. */
const memoryOfBuffer = new WeakMap<ArrayBuffer, SharedMemory>();

/**
 * Bytes that processes share, without copies. Without a name they are the family's, and are sent as any handle. With a name any program of
 * the same user can use them; they are freed when the last one that has them is gone, by whatever way, and never by who merely looked. With
 * `namespace: 'posix'` programs in other languages can, too.
 *
 * @example
 * const memory = new SharedMemory({ sizeBytes: 4 });
 * new Uint8Array(memory.buffer)[0] = 7;
 * memory.sizeBytes; // => 4
 */
export class SharedMemory extends SharedObject {
  readonly #named: NamedMemory | PosixMemory | null;
  #buffer: ArrayBuffer | undefined;

  /**
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: neither size nor name, or one that can be none.
   * @throws {@link UsageError} `ERR_FURCA_NAME_TAKEN`: with `sizeBytes`, there is one of that name. `ERR_FURCA_NAME_UNKNOWN`: without, there
   * is none.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the family, or `/dev/shm`, has no room for it.
   */
  constructor(options: SharedMemoryOptions);
  /** @internal */
  constructor(options: SharedMemoryOptions, handle: Handle);
  constructor(options: SharedMemoryOptions, handle?: Handle) {
    const { name, sizeBytes } = options;
    if (handle === undefined) check(options);
    const named = name === undefined ? null : openNamed(name, options);
    super(handle ?? takeBlock(KIND.MEMORY, name === undefined ? (sizeBytes as number) : 0).handle);
    this.#named = named;
  }

  /** Its name; `null` if it has none. */
  get name(): string | null {
    return this.#named?.name ?? null;
  }

  /** Where its name is known; `null` if it has none. */
  get namespace(): SharedMemoryNamespace | null {
    if (this.#named === null) return null;
    return this.#named instanceof PosixMemory ? 'posix' : 'furca';
  }

  /** Its size, in bytes. */
  get sizeBytes(): number {
    this.open('Asking the memory');
    return this.#named === null ? payloadBytes(this.arena, this.handle.block) : this.#named.buffer.byteLength;
  }

  /**
   * The bytes, live, always the same buffer, over this memory alone: `structuredClone` and `transfer()` copy them.
   *
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  get buffer(): ArrayBuffer {
    this.open('Looking at the memory');
    if (this.#buffer === undefined || this.#buffer.byteLength === 0) {
      this.#buffer =
        this.#named?.buffer ??
        makeUserBuffer(
          this.arena.byteAddress(this.handle.block.at),
          payloadBytes(this.arena, this.handle.block),
        );
      memoryOfBuffer.set(this.#buffer, this);
    }
    return this.#buffer;
  }

  /**
   * Gives up the name: nobody finds the memory by it any more; those who have it keep it.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it has no name.
   */
  unlink(): void {
    this.open('Unlinking the memory');
    if (this.#named === null) {
      throw new UsageError('Unlinking the memory failed: it has no name.', 'ERR_FURCA_INVALID_STATE');
    }
    this.#named.unlink();
  }

  /** As {@link SharedObject.close}; its buffer is empty from now on. */
  override close(): void {
    if (this.isClosed) return;
    if (this.#buffer !== undefined) revokeUserBuffer(this.#buffer);
    this.#named?.close();
    super.close();
  }

  /** Its name and size. */
  stats(): SharedMemoryStats {
    return Object.freeze({ name: this.name, namespace: this.namespace, sizeBytes: this.sizeBytes });
  }
}

function check({ name, sizeBytes, namespace }: SharedMemoryOptions): void {
  if (name !== undefined && typeof name !== 'string') {
    throw new UsageError('Making shared memory failed: name must be a string.');
  }
  if (namespace !== undefined && namespace !== 'furca' && namespace !== 'posix') {
    throw new UsageError("Making shared memory failed: namespace must be 'furca' or 'posix'.");
  }
  if (namespace !== undefined && name === undefined) {
    throw new UsageError('Making shared memory failed: a namespace is of no use without a name.');
  }
  if (sizeBytes === undefined && name === undefined) {
    throw new UsageError(
      'Making shared memory failed: it needs sizeBytes to be made, or a name to be found.',
    );
  }
  if (sizeBytes !== undefined && !(Number.isSafeInteger(sizeBytes) && sizeBytes > 0)) {
    throw new UsageError(
      `Making shared memory failed: sizeBytes must be a positive integer, not ${sizeBytes}.`,
    );
  }
}

function openNamed(name: string, { sizeBytes, namespace }: SharedMemoryOptions): NamedMemory | PosixMemory {
  const place = namespace === 'posix' ? PosixMemory : NamedMemory;
  return sizeBytes === undefined ? place.attach(name) : place.create(name, sizeBytes);
}

registerHandleKind<SharedMemory>(SharedMemory, {
  id: KIND.MEMORY,
  handleOf: openHandleOf,
  partsOf: ({ name, namespace }) => (name === null ? null : { name, namespace }),
  revive: (handle, found) => new SharedMemory((found ?? {}) as SharedMemoryOptions, handle),
});
