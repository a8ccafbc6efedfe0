import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FurcaError, UsageError } from '../base/errors.js';
import { MODULES, ZYGOTE_PROGRAM } from '../base/programs.js';

/** A bound C function: numbers in, a number out; pointers are plain addresses or typed arrays. */
type Native = (
  ...args: (number | bigint | string | NodeJS.ArrayBufferView | null | readonly (string | null)[])[]
) => number;

/** The part of koffi that furca uses; its own typings answer `any`. */
interface Koffi {
  load(path: string | null): { func(definition: string): Native };
  view(address: bigint, length: number): ArrayBuffer;
  address(memory: NodeJS.ArrayBufferView): bigint;
  errno(): number;
}

/**
 * Every C function furca calls, by name. Addresses and sizes are `int64_t`: koffi gives and takes them as plain
 * numbers, which hold any user-space address (47 bits) exactly.
 */
const PROTOTYPES = {
  _exit: 'void _exit(int status)',
  close: 'int close(int fd)',
  dup2: 'int dup2(int from, int to)',
  epoll_create1: 'int epoll_create1(int flags)',
  epoll_ctl: 'int epoll_ctl(int epfd, int op, int fd, void *event)',
  epoll_wait: 'int epoll_wait(int epfd, void *events, int max, int timeout)',
  execv: 'int execv(const char *path, const char **argv)',
  fcntl: 'int fcntl(int fd, int command, int argument)',
  fork: 'int fork()',
  ftruncate: 'int ftruncate(int fd, int64_t length)',
  getpid: 'int getpid()',
  getppid: 'int getppid()',
  gettid: 'int gettid()',
  kill: 'int kill(int pid, int signal)',
  madvise: 'int madvise(int64_t address, int64_t length, int advice)',
  memcmp: 'int memcmp(const void *a, const void *b, uint64_t length)',
  memfd_create: 'int memfd_create(const char *name, unsigned int flags)',
  mmap: 'int64_t mmap(int64_t address, int64_t length, int protection, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(int64_t address, int64_t length)',
  open: 'int open(const char *path, int flags, int mode)',
  pipe2: 'int pipe2(void *fds, int flags)',
  poll: 'int poll(void *fds, uint64_t count, int timeout)',
  prctl: 'int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)',
  read: 'int64_t read(int fd, void *buffer, int64_t length)',
  sigaction: 'int sigaction(int number, const void *action, void *former)',
  sched_getaffinity: 'int sched_getaffinity(int pid, int64_t size, void *mask)',
  syscall:
    'int64_t syscall(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)',
  syscall_buffer:
    'int64_t syscall(int64_t number, int64_t a, int64_t b, int64_t c, void *d, int64_t e, int64_t f)',
  uv_default_loop: 'int64_t uv_default_loop()',
  uv_handle_size: 'uint64_t uv_handle_size(int type)',
  uv_loop_size: 'uint64_t uv_loop_size()',
  uv_loop_alive: 'int uv_loop_alive(int64_t loop)',
  uv_loop_fork: 'int uv_loop_fork(int64_t loop)',
  waitid: 'int waitid(int type, unsigned int id, void *info, int options)',
  write: 'int64_t write(int fd, const void *buffer, int64_t length)',
} as const;

/** Names of the bound functions. */
export type NativeName = keyof typeof PROTOTYPES;

/** All bound functions. */
export type Library = Readonly<Record<NativeName, Native>>;

let library: Library | undefined;
let koffi: Koffi | undefined;

/** System call numbers that libc has no function for, per architecture. */
const NUMBERS = {
  x64: { futex: 202, setRobustList: 273, pidfdOpen: 434, pidfdGetfd: 438 },
  arm64: { futex: 98, setRobustList: 99, pidfdOpen: 434, pidfdGetfd: 438 },
} as const;

/** Numbers of the raw system calls on this machine. */
export function syscallNumbers(): (typeof NUMBERS)['x64' | 'arm64'] {
  assertSupported();
  return NUMBERS[process.arch as 'x64' | 'arm64'];
}

/** Where furca runs; the end of every message that says it cannot. */
const SUPPORTED = 'It runs under Node.js 20.19 or later on Linux (x64, arm64), installed beside the program.';

/**
 * Throws unless furca can run here: Linux on x64 or arm64, under Node.js itself, from files of its own.
 *
 * @throws {@link UsageError} `ERR_FURCA_UNSUPPORTED_RUNTIME`: another system, processor or runtime.
 */
export function assertSupported(): void {
  if (isSupported) return;
  const foreign = foreignRuntime();
  const isKnownProcessor = process.arch === 'x64' || process.arch === 'arm64';
  if (process.platform !== 'linux' || !isKnownProcessor || foreign !== undefined) {
    const here = `${foreign ?? 'Node.js'} on ${process.platform} ${process.arch}`;
    throw new UsageError(`furca cannot run under ${here}. ${SUPPORTED}`, 'ERR_FURCA_UNSUPPORTED_RUNTIME');
  }
  if (!existsSync(ZYGOTE_PROGRAM)) {
    throw new UsageError(
      `furca cannot run inside of a bundle: it starts programs of its own. Leave it external, see docs/bundlers.md. ${SUPPORTED}`,
      'ERR_FURCA_UNSUPPORTED_RUNTIME',
    );
  }
  isSupported = true;
}

let isSupported = false;

/** What this is if it is not Node.js, or not Node.js alone: furca's processes are started by it, and could not be. */
function foreignRuntime(): string | undefined {
  const versions: Record<string, string | undefined> = process.versions;
  const names = { bun: 'Bun', deno: 'Deno', electron: 'Electron' } as const;
  for (const [key, name] of Object.entries(names)) if (versions[key] !== undefined) return name;
  if (process.getBuiltinModule?.('node:sea')?.isSea()) return 'a single-executable program';
  return undefined;
}

/**
 * Binds all C functions on the first call; later calls answer the same object.
 *
 * Loading waits for first use because importing the package must start nothing, and because a system without koffi's
 * binary shall get one clear error there and not at import.
 */
export function native(): Library {
  if (library !== undefined) return library;
  assertSupported();
  try {
    koffi = createRequire(MODULES)('koffi') as Koffi;
    const process_ = koffi.load(null);
    const bound = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, process_.func(prototype)]);
    library = Object.freeze(Object.fromEntries(bound) as Record<NativeName, Native>);
    return library;
  } catch (cause) {
    if (FurcaError.is(cause)) throw cause;
    throw new UsageError(
      'furca cannot call the system here: koffi did not load. Install it with its optional dependencies; under --permission add --allow-addons and --allow-child-process.',
      'ERR_FURCA_UNSUPPORTED_RUNTIME',
      { cause },
    );
  }
}

/** `errno` of the last failed call of this thread. */
export function lastErrno(): number {
  return koffi?.errno() ?? 0;
}

/** An ArrayBuffer over `length` bytes of mapped memory at `address`; it keeps nothing mapped by itself. */
export function viewMemory(address: number, length: number): ArrayBuffer {
  native();
  return (koffi as Koffi).view(BigInt(address), length);
}

/** Whether the library was loaded before. */
export function isLoaded(): boolean {
  return library !== undefined;
}

/** Where the bytes of a view lie in this process. */
export function addressOf(memory: NodeJS.ArrayBufferView): number {
  native();
  return Number((koffi as Koffi).address(memory));
}
