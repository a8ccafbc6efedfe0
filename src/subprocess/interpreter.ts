import { closeSync, openSync, readSync } from 'node:fs';

/** So much of the first line the kernel reads (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256;
const ELF_64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const PT_INTERP = 3;

/**
 * Finds the program that the kernel loads to run a file: that of a `#!` line, or the dynamic loader of a binary. When that is missing the
 * kernel answers ENOENT as if the file itself were.
 */
export function interpreterOf(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const head = readAt(fd, 0, FIRST_LINE_BYTES);
    const [, script] = /^#![ \t]*([^\s\0]+)/.exec(head.toString('latin1')) ?? [];
    if (script !== undefined) return Buffer.from(script, 'latin1').toString();
    return head.subarray(0, 6).equals(ELF_64_LITTLE_ENDIAN) ? loaderOf(fd, head) : undefined;
  } catch {
    // Who may execute a file need not be allowed to read it.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Reads the segment PT_INTERP, see elf(5). */
function loaderOf(fd: number, header: Buffer): string | undefined {
  const [size, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  const segments = readAt(fd, Number(header.readBigUInt64LE(32)), size * count);
  for (let at = 0; at + 40 <= segments.length; at += size) {
    if (segments.readUInt32LE(at) !== PT_INTERP) continue;
    const [offset, length] = [segments.readBigUInt64LE(at + 8), segments.readBigUInt64LE(at + 32)];
    if (length > 4096n) return undefined;
    return readAt(fd, Number(offset), Number(length)).toString().replace(/\0.*$/s, '');
  }
  return undefined;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
}
