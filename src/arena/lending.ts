import { makeUserBuffer, revokeUserBuffer } from '../kernel/user-buffer.js';
import type { Arena } from './arena.js';

/** Pieces of a message's block that the program looks at where they lie. */
export class Lending {
  readonly #arena: Arena;
  readonly #buffers: ArrayBuffer[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** A buffer over `length` bytes from byte `at` of the arena on. */
  lend(at: number, length: number): ArrayBuffer {
    const buffer = makeUserBuffer(this.#arena.byteAddress(at), length);
    this.#buffers.push(buffer);
    return buffer;
  }

  get buffers(): readonly ArrayBuffer[] {
    return this.#buffers;
  }

  /** Takes the memory from all of them: they and all views on them are empty from now on. */
  end(): void {
    for (const buffer of this.#buffers.splice(0)) revokeUserBuffer(buffer);
  }
}
