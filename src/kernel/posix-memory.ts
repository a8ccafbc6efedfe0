import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { LimitError, UsageError } from '../base/errors.js';
import { checked } from './errno.js';
import { native } from './library.js';
import { mapShared } from './memory.js';
import { makeUserBuffer, revokeUserBuffer } from './user-buffer.js';

/*
 * Memory as shm_open(3) makes it: a file in /dev/shm, which all programs of this user find by its name, those in Python and C included. It
 * stays until somebody unlinks it. Nobody can tell how many have it, so nothing better can be done for one whose maker was killed.
 */

const FOLDER = '/dev/shm/';
/** NAME_MAX of the file system. */
const LONGEST_NAME_BYTES = 255;

/** What this process has made and not unlinked, by path, with the number of the file: another may bear the name by then. */
const made = new Map<string, bigint>();
/** Process that has the list above: a forked child has a copy, and has made nothing. */
let makerPid = 0;

/** Memory that this process has mapped. */
export class PosixMemory {
  readonly name: string;
  readonly buffer: ArrayBuffer;
  readonly #path: string;
  readonly #address: number;
  readonly #sizeBytes: number;

  private constructor(name: string, path: string, fd: number) {
    this.name = name;
    this.#path = path;
    try {
      this.#sizeBytes = Number(fstatSync(fd, { bigint: true }).size);
      if (this.#sizeBytes === 0) throw unknownName(name);
      this.#address = mapShared(fd, this.#sizeBytes).address;
    } finally {
      closeSync(fd);
    }
    this.buffer = makeUserBuffer(this.#address, this.#sizeBytes);
  }

  /**
   * Makes memory under a name that is free. It is unlinked when this process ends in an orderly way, as Python's is.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_TAKEN`; `ERR_FURCA_INVALID_ARGUMENT`: it can be no name.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: there is less room.
   */
  static create(name: string, sizeBytes: number): PosixMemory {
    const path = pathOf(name);
    const { bavail, bsize } = statfsSync(FOLDER);
    // Writing beyond it would end the process by SIGBUS.
    if (sizeBytes > bavail * bsize) {
      throw new LimitError(`Making shared memory failed: ${FOLDER} has no room for ${sizeBytes} bytes.`);
    }
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = opened(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (fd === undefined) {
      throw new UsageError(
        `Making shared memory failed: there is one named '${name}'. Leave out sizeBytes to use that one.`,
        'ERR_FURCA_NAME_TAKEN',
      );
    }
    unlinkAtExit(path, fstatSync(fd, { bigint: true }).ino);
    ftruncateSync(fd, sizeBytes);
    return new PosixMemory(name, path, fd);
  }

  /**
   * Finds memory by its name.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_UNKNOWN`: there is none.
   */
  static attach(name: string): PosixMemory {
    const path = pathOf(name);
    const fd = opened(path, constants.O_RDWR | constants.O_NOFOLLOW);
    if (fd === undefined) throw unknownName(name);
    return new PosixMemory(name, path, fd);
  }

  /** Lets go of the memory; it stays for others, and its name, too. */
  close(): void {
    revokeUserBuffer(this.buffer);
    checked('munmap', native().munmap(this.#address, this.#sizeBytes));
  }

  /** Gives up the name: nobody finds the memory any more, those who have it keep it. May be called twice. */
  unlink(): void {
    made.delete(this.#path);
    rmSync(this.#path, { force: true });
  }
}

/** As shm_open(3) wants it: one component, with or without a slash in front of it. */
function pathOf(name: string): string {
  const fileName = name.replace(/^\//, '');
  const isName = fileName !== '' && fileName !== '.' && fileName !== '..' && !/[/\0]/.test(fileName);
  if (isName && Buffer.byteLength(fileName) <= LONGEST_NAME_BYTES) return `${FOLDER}${fileName}`;
  throw new UsageError(
    `Naming shared memory failed: '${name}' can be no name. Use 1 to ${LONGEST_NAME_BYTES} bytes without a slash.`,
  );
}

/** `undefined` where the name is taken, or unknown. */
function opened(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EEXIST') return undefined;
    throw error;
  }
}

function unknownName(name: string): UsageError {
  return new UsageError(
    `Finding shared memory failed: there is none named '${name}' in ${FOLDER}. Pass sizeBytes to make it.`,
    'ERR_FURCA_NAME_UNKNOWN',
  );
}

function unlinkAtExit(path: string, inode: bigint): void {
  if (makerPid !== process.pid) {
    made.clear();
    makerPid = process.pid;
    process.once('exit', unlinkMade);
  }
  made.set(path, inode);
}

function unlinkMade(): void {
  if (makerPid !== process.pid) return;
  for (const [path, inode] of made) {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found?.ino === inode) rmSync(path, { force: true });
  }
}
