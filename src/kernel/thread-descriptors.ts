import { closeDescriptor } from './descriptor.js';

/*
 * When a thread ends, Node closes what its event loop had open, and knows nothing of descriptors that were opened by system calls: they
 * belong to the process, which goes on. So a thread notes these where whoever started it can read them.
 */

/** More than a thread has at a time; what finds no place is lost with its thread. */
const PLACES = 512;
const FREE = 0;

let own: Int32Array | undefined;

/** A place for the notes of a thread that is about to be started. */
export function makeDescriptorNotes(): SharedArrayBuffer {
  return new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
}

/** Called in a thread, first thing. */
export function keepDescriptorNotes(notes: SharedArrayBuffer): void {
  own = new Int32Array(notes);
}

/** This thread has opened `fd`. */
export function noteOpened(fd: number): void {
  const free = own?.indexOf(FREE) ?? -1;
  if (own !== undefined && free !== -1) own[free] = fd + 1;
}

/** Closes a descriptor that was noted, in a thread or not. */
export function closeNoted(fd: number): void {
  const place = own?.indexOf(fd + 1) ?? -1;
  // First: once it is closed, its number may be anybody's.
  if (own !== undefined && place !== -1) own[place] = FREE;
  closeDescriptor(fd);
}

/** Closes what a thread had open, which has ended. */
export function closeDescriptorsOf(notes: SharedArrayBuffer): void {
  const noted = new Int32Array(notes);
  for (const entry of noted) if (entry !== FREE) closeDescriptor(entry - 1);
  noted.fill(FREE);
}
