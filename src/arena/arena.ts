import { BrokenError } from '../base/errors.js';
import { createMemoryFile, type Mapping, mapShared, memoryFileBytes, viewMapping } from '../kernel/memory.js';
import { ARENA_BYTES, HEADER, MAGIC, PAGE_BYTES, VERSION } from './layout.js';

/** The shared memory of one family as this process sees it. Other modules of this folder give its words a meaning. */
export class Arena {
  /** Descriptor of the memory file: what a spawned child inherits. */
  readonly fd: number;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly floats: Float64Array;
  /** Pairs of words that are exchanged together. */
  readonly pairs: BigInt64Array;
  /** Pages of the memory file, those of the header included. */
  readonly pageCount: number;
  readonly #address: number;

  private constructor(fd: number, mapping: Mapping = mapShared(fd, memoryFileBytes(fd))) {
    this.fd = fd;
    this.#address = mapping.address;
    this.words = new Int32Array(mapping.buffer);
    this.bytes = new Uint8Array(mapping.buffer);
    this.floats = new Float64Array(mapping.buffer);
    this.pairs = new BigInt64Array(mapping.buffer);
    this.pageCount = mapping.sizeBytes / PAGE_BYTES;
  }

  /**
   * Makes the arena of a new family. Nothing of it has a name in any file system, so nothing can be left behind.
   *
   * @param sizeBytes - A multiple of the page size. A small one shows what happens when it is full.
   */
  static create(sizeBytes: number = ARENA_BYTES): Arena {
    const arena = new Arena(createMemoryFile('furca', sizeBytes));
    arena.words[HEADER.MAGIC] = MAGIC;
    arena.words[HEADER.VERSION] = VERSION;
    return arena;
  }

  /**
   * Maps the arena behind an inherited descriptor.
   *
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the descriptor leads to something else, or to another version of furca.
   */
  static attach(fd: number): Arena {
    const arena = new Arena(fd);
    if (arena.words[HEADER.MAGIC] === MAGIC && arena.words[HEADER.VERSION] === VERSION) return arena;
    throw new BrokenError(
      'Attaching to the family failed: its memory was made by another version of furca. Install one version only.',
    );
  }

  /** The arena as another thread of this process has mapped it. */
  static ofThread(fd: number, address: number): Arena {
    return new Arena(fd, viewMapping(address, memoryFileBytes(fd)));
  }

  /** Address of word `index` in this process: what futex(2) is given. */
  wordAddress(index: number): number {
    return this.#address + index * 4;
  }

  /** Address of byte `offset` in this process. */
  byteAddress(offset: number): number {
    return this.#address + offset;
  }
}
