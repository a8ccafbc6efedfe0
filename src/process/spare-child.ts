import { debuglog } from 'node:util';
import type { Forker } from '../kernel/fork.js';
import { Letterboxes } from '../kernel/gate.js';
import { native } from '../kernel/library.js';
import { awaitChild, openProcessDescriptor, reapChild } from '../kernel/reaping.js';
import { SIGKILL } from '../kernel/signals.js';

const debug = debuglog('furca');

/** A child that exists already, and waits to be told whose it is. */
interface Waiting {
  readonly pid: number;
  readonly pidfd: number;
  readonly box: number;
}

/**
 * The next child, forked in advance: while requests follow one another, most of the work of a start is then done before
 * it is asked for. Android's zygote does the same (its "unspecialized app processes").
 *
 * A spare child is the zygote's own affair until it is released: it is in no slot, holds nothing, and ends with the zygote.
 */
export class SpareChild {
  readonly #forker: Forker;
  #boxes: Letterboxes | undefined;
  #box = 0;
  #waiting: Waiting | undefined;

  constructor(forker: Forker) {
    this.#forker = forker;
  }

  get exists(): boolean {
    return this.#waiting !== undefined;
  }

  /** Forks it; answers `child` in the child, else the descriptor that tells of its end, `undefined` when there is none to be had. */
  make(): number | 'child' | undefined {
    this.#boxes ??= new Letterboxes();
    const box = this.#boxes.take();
    if (box === undefined) return undefined;
    this.#box = box;
    try {
      const pid = this.#forker.fork();
      if (pid === 0) return 'child';
      const pidfd = openProcessDescriptor(pid);
      if (pidfd === -1) {
        reapChild(pid);
        return undefined;
      }
      this.#waiting = { pid, pidfd, box };
      return pidfd;
    } catch (error) {
      // It is wanted for speed alone; who asks for a child will be told of the same error.
      debug('zygote %d: no spare child: %s', process.pid, error);
      return undefined;
    }
  }

  /** In the child: blocks until it is released, and answers at which byte the record lies that it is the child of. */
  waitForRecord(): number {
    return (this.#boxes as Letterboxes).receive(this.#box);
  }

  /** Lets it go on as the child of the record at byte `at`; from now on it is the caller's to watch. */
  release(at: number): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    this.#waiting = undefined;
    this.#boxes?.post(waiting.box, at);
    return waiting;
  }

  /** Ends it; answers its descriptor, which the caller closes. */
  dismiss(): number | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    this.#waiting = undefined;
    native().kill(waiting.pid, SIGKILL);
    awaitChild(waiting.pid);
    reapChild(waiting.pid);
    return waiting.pidfd;
  }
}
