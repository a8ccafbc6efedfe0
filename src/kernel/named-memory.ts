import { randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../base/errors.js';
import { closeDescriptor, openPath } from './descriptor.js';
import { checked } from './errno.js';
import { native } from './library.js';
import { createMemoryFile, mapShared, memoryFileBytes } from './memory.js';
import { makeUserBuffer, revokeUserBuffer } from './user-buffer.js';

/*
 * Memory with a name, for programs that have nothing else in common than their user. The memory itself has no name (memfd): it goes with
 * the last process that has it, whatever becomes of the name. A name is a folder with one link to /proc/<pid>/fd/<n> for each process that
 * has the memory, so that it can be found for as long as any of them lives. A link of one that died leads nowhere, or to something that
 * does not bear the memory's number, and is removed by the next who looks or lets go.
 */

const O_RDWR = 2;
const LONGEST_NAME_BYTES = 200;

/** What has a link of this process. */
const linked = new Set<NamedMemory>();
let isTold = false;

/** Memory that this process has mapped. */
export class NamedMemory {
  readonly name: string;
  readonly buffer: ArrayBuffer;
  readonly #address: number;
  readonly #sizeBytes: number;
  readonly #fd: number;
  readonly #link: string;
  readonly #folder: string;
  readonly #pid: number = process.pid;

  private constructor(name: string, id: string, fd: number, folder: string, linkFolder: string) {
    this.name = name;
    this.#fd = fd;
    this.#folder = folder;
    const fileName = `${id}.${process.pid}.${fd}`;
    this.#link = join(folder, fileName);
    symlinkSync(`/proc/${process.pid}/fd/${fd}`, join(linkFolder, fileName));
    this.#sizeBytes = memoryFileBytes(fd);
    this.#address = mapShared(fd, this.#sizeBytes).address;
    this.buffer = makeUserBuffer(this.#address, this.#sizeBytes);
    linked.add(this);
    if (!isTold) process.on('exit', dropLinks);
    isTold = true;
  }

  /**
   * Makes memory under a name that is free.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_TAKEN`; `ERR_FURCA_INVALID_ARGUMENT`: it can be no name.
   */
  static create(name: string, sizeBytes: number): NamedMemory {
    const folder = folderOf(name);
    const id = randomBytes(8).toString('hex');
    const fd = createMemoryFile(`furca-${id}`, sizeBytes);
    // Made whole beside its place, then moved there at once: a folder with nothing in it is nobody's.
    const made = `${folder}.${id}`;
    let memory: NamedMemory | undefined;
    try {
      mkdirSync(made, { mode: 0o700 });
      memory = new NamedMemory(name, id, fd, folder, made);
      removeIfDead(folder);
      renameSync(made, folder);
      return memory;
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      if (memory === undefined) closeDescriptor(fd);
      else memory.close();
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      throw new UsageError(
        `Making shared memory failed: there is one named '${name}'. Leave out sizeBytes to use that one.`,
        'ERR_FURCA_NAME_TAKEN',
      );
    }
  }

  /**
   * Finds memory by its name.
   *
   * @throws {@link UsageError} `ERR_FURCA_NAME_UNKNOWN`: there is none, or nobody is left who has it.
   */
  static attach(name: string): NamedMemory {
    const folder = folderOf(name);
    for (const link of linksIn(folder)) {
      const fd = openLink(link);
      if (fd === -1) continue;
      try {
        return new NamedMemory(name, idOf(link), fd, folder, folder);
      } catch (error) {
        closeDescriptor(fd);
        // Unlinked meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    throw new UsageError(
      `Finding shared memory failed: there is none named '${name}'. Pass sizeBytes to make it.`,
      'ERR_FURCA_NAME_UNKNOWN',
    );
  }

  /** Lets go of the memory; the name goes with the last one that has it. */
  close(): void {
    this.dropLink();
    this.#unmap();
  }

  /** Is not found through this process any more. */
  dropLink(): void {
    linked.delete(this);
    // A forked child has its parent's memory, but not its link.
    if (this.#pid !== process.pid) return;
    rmSync(this.#link, { force: true });
    removeIfDead(this.#folder);
  }

  #unmap(): void {
    revokeUserBuffer(this.buffer);
    checked('munmap', native().munmap(this.#address, this.#sizeBytes));
    closeDescriptor(this.#fd);
  }

  /** Gives up the name: nobody finds the memory any more, those who have it keep it. May be called twice. */
  unlink(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function dropLinks(): void {
  for (const memory of linked) memory.dropLink();
}

/** The folder of a name, in one that is this user's alone. */
function folderOf(name: string): string {
  const fileName = encodeURIComponent(name).replaceAll('.', '%2E').replaceAll('*', '%2A');
  if (name === '' || name.includes('\0') || fileName.length > LONGEST_NAME_BYTES) {
    throw new UsageError(
      `Naming shared memory failed: '${name}' can be no name. Use 1 to ${LONGEST_NAME_BYTES} characters.`,
    );
  }
  return join(privateFolder(), fileName);
}

function privateFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `furca-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new UsageError(
    `Naming shared memory failed: ${folder} is not a folder of this user alone. Remove it, or set XDG_RUNTIME_DIR.`,
  );
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((entry) => join(folder, entry));
  } catch {
    return [];
  }
}

function idOf(link: string): string {
  return link.slice(link.lastIndexOf('/') + 1).split('.')[0] as string;
}

/** Opens what a link leads to if it is the memory it was made for; -1, and the link is removed, if not. */
function openLink(link: string): number {
  let fd = -1;
  try {
    fd = openPath(link, O_RDWR);
    if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(`/memfd:furca-${idOf(link)}`)) return fd;
  } catch {
    // Gone, or of a process that may not be looked into.
  }
  if (fd !== -1) closeDescriptor(fd);
  rmSync(link, { force: true });
  return -1;
}

/** Removes a name that nobody is left to have. */
function removeIfDead(folder: string): void {
  for (const link of linksIn(folder)) {
    const fd = openLink(link);
    if (fd !== -1) closeDescriptor(fd);
  }
  try {
    rmdirSync(folder);
  } catch {
    // Others have it, or the name was given up before.
  }
}
