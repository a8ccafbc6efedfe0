import { closeDescriptor, createPipe, openPath, waitReadable } from './descriptor.js';
import { checked } from './errno.js';
import { native } from './library.js';
import { SIGKILL } from './signals.js';

const O_RDONLY = 0;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_SETSIG = 10;
const O_ASYNC = 0o20000;

/**
 * Ties the life of a family to one process: that process alone holds the write end of a pipe, and every member asks
 * the kernel for SIGKILL when the pipe hangs up.
 *
 * PR_SET_PDEATHSIG is no substitute: it follows the parent's thread, and a member's parent may be another than the
 * process its life depends on.
 */
export class Lifeline {
  readonly readFd: number;
  #writeFd: number;

  constructor() {
    const { readFd, writeFd } = createPipe(false);
    this.readFd = readFd;
    this.#writeFd = writeFd;
  }

  /** Called in a forked child: its copy of the write end would keep the family alive after the owner's death. */
  letGo(): void {
    if (this.#writeFd < 0) return;
    closeDescriptor(this.#writeFd);
    this.#writeFd = -1;
  }
}

/**
 * Ends this process by SIGKILL as soon as the owner of the lifeline is gone, even while JavaScript is blocked.
 *
 * The pipe is opened anew: O_ASYNC and its owner belong to the open file description, which a fork would share.
 *
 * @param readFd - The inherited read end.
 */
export function followLifeline(readFd: number): void {
  const own = openPath(`/proc/self/fd/${readFd}`, O_RDONLY | O_NONBLOCK);
  const libc = native();
  checked('fcntl', libc.fcntl(own, F_SETOWN, libc.getpid()));
  checked('fcntl', libc.fcntl(own, F_SETSIG, SIGKILL));
  checked('fcntl', libc.fcntl(own, F_SETFL, O_ASYNC | O_NONBLOCK));
  // The owner may have died before the line above; from here on the kernel tells.
  if (waitReadable(own, 0)) libc.kill(libc.getpid(), SIGKILL);
}
