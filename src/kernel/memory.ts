import { fstatSync } from 'node:fs';
import { checked } from './errno.js';
import { addressOf, isLoaded, native, viewMemory } from './library.js';

const MFD_CLOEXEC = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_SHARED_ANONYMOUS = 0x21;
/** No swap is set aside for a sparse mapping: only pages that are touched cost memory. */
const MAP_NORESERVE = 0x4000;
const MADV_REMOVE = 9;
const MADV_HUGEPAGE = 14;
/** Of the processors supported, the largest. */
const SYSTEM_PAGE_BYTES = 64 * 1024;

/** A mapped stretch of memory: where it lies in this process, and a buffer over it. */
export interface Mapping {
  readonly address: number;
  readonly sizeBytes: number;
  readonly buffer: ArrayBuffer;
}

/** Makes an anonymous file of `sizeBytes` that lives as long as a descriptor or mapping of it (memfd_create(2)). */
export function createMemoryFile(name: string, sizeBytes: number): number {
  const fd = checked('memfd_create', native().memfd_create(name, MFD_CLOEXEC), name);
  checked('ftruncate', native().ftruncate(fd, sizeBytes), `${sizeBytes} bytes`);
  return fd;
}

/** Size of the memory file behind `fd`. */
export function memoryFileBytes(fd: number): number {
  return fstatSync(fd).size;
}

/** Maps `sizeBytes` of the file `fd`, shared with all who map it (mmap(2)). */
export function mapShared(fd: number, sizeBytes: number): Mapping {
  return map(sizeBytes, MAP_SHARED | MAP_NORESERVE, fd);
}

/** Maps fresh memory that this process shares with the children it will fork, and with nobody else. */
export function mapSharedAnonymous(sizeBytes: number): Mapping {
  return map(sizeBytes, MAP_SHARED_ANONYMOUS, -1);
}

/** Maps fresh memory of this process alone; a forked child gets its own copy. */
export function mapPrivate(sizeBytes: number): Mapping {
  return map(sizeBytes, MAP_PRIVATE_ANONYMOUS, -1);
}

function map(sizeBytes: number, flags: number, fd: number): Mapping {
  const address = native().mmap(0, sizeBytes, PROT_READ_WRITE, flags, fd, 0);
  checked('mmap', address, `${sizeBytes} bytes`);
  return { address, sizeBytes, buffer: viewMemory(address, sizeBytes) };
}

/** A mapping that another thread of this process has made. */
export function viewMapping(address: number, sizeBytes: number): Mapping {
  return { address, sizeBytes, buffer: viewMemory(address, sizeBytes) };
}

/** Asks for large pages under memory that was not touched yet; a system that has none goes on as it would. */
export function adviseHugePages(memory: Uint8Array): void {
  // Not worth loading the library for: what reads messages of strangers does without it.
  if (!isLoaded()) return;
  const address = addressOf(memory);
  const first = Math.ceil(address / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  const end = Math.floor((address + memory.byteLength) / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  if (end > first) native().madvise(first, end - first, MADV_HUGEPAGE);
}

/** Gives the pages of a shared mapping back to the system; they read as zero from now on (madvise(2)). */
export function givePagesBack(address: number, sizeBytes: number): void {
  checked('madvise', native().madvise(address, sizeBytes, MADV_REMOVE), `${sizeBytes} bytes`);
}
