import { debuglog } from 'node:util';
import { emptyInbox } from '../arena/inbox.js';
import { KIND } from '../arena/layout.js';
import { dropAllHandles, holdAllFor } from '../arena/local-handles.js';
import { closeInheritedParking, enterFamily, type Member } from '../arena/member.js';
import { fallAsleepBehindBell, publishBell, wakeUp } from '../arena/parking.js';
import { EXITED, FORKED, LOST_EXIT_CODE, ProcessRecord, REQUESTED } from '../arena/process-record.js';
import { isCurrent } from '../arena/slots.js';
import { sweepMember } from '../arena/sweep.js';
import { visitBlocks } from '../arena/walk.js';
import { SystemCallError } from '../base/errors.js';
import {
  closeDescriptor,
  createPipe,
  type PipeEnds,
  readDescriptor,
  setCloseOnExec,
} from '../kernel/descriptor.js';
import { Forker } from '../kernel/fork.js';
import { becomeForkedChild, exitNow } from '../kernel/forked-child.js';
import { ignoreInterrupt } from '../kernel/interrupt.js';
import { native } from '../kernel/library.js';
import { followLifeline } from '../kernel/lifeline.js';
import { guardRandomness } from '../kernel/randomness.js';
import { DescriptorSet, lookAtChild, openProcessDescriptor, reapChild } from '../kernel/reaping.js';
import { loadReference } from '../wire/functions.js';
import { beginForkedChild } from './child.js';
import { inheritLifeline } from './family.js';
import { reportFatal } from './fatal.js';
import { UNFIT } from './handle.js';
import { adoptOrphans } from './orphans.js';
import { countThreads, preload, startThreadPool } from './preload.js';
import { rehearse } from './rehearsal.js';
import { SpareChild } from './spare-child.js';
import { unpackHead } from './start-request.js';
import { holdBackStreams } from './zygote-streams.js';

const debug = debuglog('furca');

/** Forks tried for one child: one that dies before its first instruction is forked again. */
const MAX_ATTEMPTS = 3;
/** Threads of a fork-ready Node: main, one V8 worker, its timer, the inspector's, and four of libuv's pool. */
const OWN_THREADS = 8;
/** A zygote looks around at least this often, should a ring have gone astray. */
const LOOK_AGAIN_MS = 1000;
/** Requests that follow one another within this time call for a spare child; one that waits longer is let go. */
const SPARE_FOR_MS = 1000;

/** What a zygote is told on its command line; it hands it on when it replaces itself. */
export interface ZygoteOrders {
  readonly lifelineFd: number;
  /** Modules to load before the first child. */
  readonly preload: readonly string[];
  /** Modules that must be loaded in the children; grows. */
  readonly skip: readonly string[];
  /** The doorbell pipe of the former image, so that those who have it open ring the right one. */
  readonly bell: PipeEnds | null;
}

/**
 * A small process that loads what children need and forks one for each request.
 *
 * It never sits in its event loop except while a module loads: it blocks on its doorbell and its children, so that there is
 * nothing in the loop that a child would inherit. It reaps what it forked.
 */
export class Zygote {
  readonly #member: Member;
  readonly #orders: ZygoteOrders;
  readonly #replace: (orders: ZygoteOrders) => never;
  readonly #forker = new Forker();
  readonly #waiting = new DescriptorSet();
  readonly #bell: PipeEnds;
  readonly #children = new Map<number, ProcessRecord>();
  readonly #loaded = new Set<string>();
  /** Modules that a former zygote may have died of; only the children load them. */
  readonly #shunned = new Set<string>();
  readonly #drain = new Uint8Array(4096);
  #heedInterrupt: () => void = () => {};
  readonly #releaseStreams = holdBackStreams();
  readonly #spare = new SpareChild(this.#forker);
  #isUnfit = false;
  #isRehearsed = false;
  #lastRequestAt = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  /** @param replace - Runs this program anew in the same process (execve), with other orders. */
  constructor(member: Member, orders: ZygoteOrders, replace: (orders: ZygoteOrders) => never) {
    this.#member = member;
    this.#orders = orders;
    this.#replace = replace;
    this.#bell = orders.bell ?? createPipe(true);
    this.#waiting.add(this.#bell.readFd, this.#bell.readFd);
    publishBell(member.arena, member.owner, this.#bell.writeFd);
  }

  /** Serves for ever. Returns in a forked child only: with the record of the process it now is. */
  async serve(): Promise<ProcessRecord> {
    guardRandomness();
    // Ctrl-C reaches the whole group; what becomes of the family is the first process's decision.
    this.#heedInterrupt = ignoreInterrupt();
    await startThreadPool();
    this.#isUnfit = countThreads() > OWN_THREADS;
    for (const url of this.#orders.preload) await this.#ensureLoaded(url);
    let requests = this.#adopt();
    for (;;) {
      for (const record of requests) {
        if (await this.#handle(record)) return record;
      }
      // After the first children are on their way: it makes the later ones start faster.
      if (!this.#isRehearsed) await this.#rehearse();
      if (this.#isBusy && this.#makeSpare()) return this.#waitAsSpare();
      requests = this.#block();
    }
  }

  async #rehearse(): Promise<void> {
    this.#isRehearsed = true;
    await rehearse();
  }

  /** Takes over what a former zygote, or a former image of this one, has left: its requests and its children. */
  #adopt(): ProcessRecord[] {
    const { arena, owner } = this.#member;
    const requests: ProcessRecord[] = [];
    visitBlocks(arena, KIND.PROCESS, (block) => {
      const record = ProcessRecord.at(arena, block.at);
      // What is in the inbox comes by the inbox: taken twice it would be forked twice.
      if (record.zygote !== owner || record.inboxOf === owner) return;
      if (record.state === REQUESTED) requests.push(record);
      else if (record.state < EXITED) this.#watch(record);
    });
    return requests;
  }

  async #handle(record: ProcessRecord): Promise<boolean> {
    if (this.#isUnfit) {
      record.failed(UNFIT);
      this.#letGo(record);
      return false;
    }
    if (record.state !== REQUESTED) {
      // Its own zygote died, and its parent asks this one to see to it.
      if (record.state < EXITED) this.#watch(record);
      return false;
    }
    const { preload: target } = unpackHead(record.readHead());
    if (target !== null) {
      // Perhaps the former zygote died of loading it.
      if (record.handedOn > 0) this.#shunned.add(target.url);
      await this.#ensureLoaded(target.url);
      // So that the children need not look for it. What cannot be found they report themselves.
      if (this.#loaded.has(target.url)) await loadReference(target);
    }
    return this.#fork(record);
  }

  async #ensureLoaded(url: string): Promise<void> {
    if (this.#loaded.has(url) || this.#shunned.has(url) || this.#orders.skip.includes(url)) return;
    const verdict = await preload(url);
    this.#loaded.add(url);
    debug('zygote %d: preloaded %s: %j', process.pid, url, verdict);
    // It has not loaded this module, and is one of a process that may be about to be replaced.
    this.#dismissSpare();
    if (verdict === 'clean' || verdict === 'failed') return;
    setCloseOnExec(this.#bell.readFd, false);
    setCloseOnExec(this.#bell.writeFd, false);
    dropAllHandles();
    this.#replace({ ...this.#orders, skip: [...this.#orders.skip, ...this.#shunned, url], bell: this.#bell });
  }

  /** @returns `true` in the child. */
  #fork(record: ProcessRecord): boolean {
    // What modules have made while they were loaded is the child's, too.
    holdAllFor(record.child);
    const spare = this.#spare.release(record.block.at);
    if (spare !== undefined) {
      record.forked(spare.pid);
      this.#children.set(spare.pidfd, record);
      return false;
    }
    let pid: number;
    try {
      pid = this.#forker.fork();
    } catch (error) {
      debug('zygote %d: fork failed: %s', process.pid, error);
      record.failed(error instanceof SystemCallError ? error.errno : 0);
      this.#letGo(record);
      return false;
    }
    if (pid === 0) {
      this.#beBorn(() => {
        this.#comeAlive(record);
        this.#becomeChild();
        enterFamily(this.#member.arena, record.child);
      });
      return true;
    }
    record.forked(pid);
    this.#watch(record);
    return false;
  }

  /** What goes on in this copy of a zygote must be a child or nothing. */
  #beBorn(steps: () => void): void {
    try {
      steps();
    } catch (error) {
      reportFatal(error);
      exitNow(1);
    }
  }

  /** The mark of life; before it, for who knows this process may interrupt it, Ctrl-C counts again. */
  #comeAlive(record: ProcessRecord): void {
    this.#heedInterrupt();
    record.alive(native().getpid());
  }

  #becomeChild(): void {
    becomeForkedChild(reportFatal);
    this.#releaseStreams();
    for (const pidfd of this.#children.keys()) closeDescriptor(pidfd);
    for (const fd of [this.#waiting.fd, this.#bell.readFd, this.#bell.writeFd]) closeDescriptor(fd);
    followLifeline(this.#orders.lifelineFd);
    inheritLifeline(this.#orders.lifelineFd);
    closeInheritedParking();
    beginForkedChild();
  }

  /** @returns `true` in the child. */
  #makeSpare(): boolean {
    if (this.#isUnfit || this.#spare.exists) return false;
    const pidfd = this.#spare.make();
    if (pidfd === 'child') return true;
    if (pidfd !== undefined) this.#waiting.add(pidfd, pidfd);
    return false;
  }

  #dismissSpare(): void {
    const pidfd = this.#spare.dismiss();
    if (pidfd !== undefined) this.#stopWatching(pidfd);
  }

  /** In the spare child: does all that needs no record, and goes through what comes after, so that its pages are its own by then. */
  async #waitAsSpare(): Promise<ProcessRecord> {
    this.#beBorn(() => this.#becomeChild());
    await rehearse(1);
    const { arena } = this.#member;
    const record = ProcessRecord.at(arena, this.#spare.waitForRecord());
    this.#beBorn(() => {
      this.#comeAlive(record);
      enterFamily(arena, record.child);
    });
    return record;
  }

  #watch(record: ProcessRecord): void {
    const pidfd = openProcessDescriptor(record.pid);
    if (pidfd === -1) {
      this.#bury(record);
      return;
    }
    this.#children.set(pidfd, record);
    this.#waiting.add(pidfd, pidfd);
  }

  /** Blocks until there is something to do; sees to the dead and answers the new requests. */
  #block(): ProcessRecord[] {
    const { arena, owner } = this.#member;
    const again: ProcessRecord[] = [];
    for (;;) {
      // Says that it sleeps, then looks once more: pairs with `wake`.
      fallAsleepBehindBell(arena, owner);
      let requests = emptyInbox(arena, owner);
      if (requests.length === 0 && again.length === 0) {
        if (performance.now() - this.#lastRequestAt > SPARE_FOR_MS) this.#dismissSpare();
        for (const tag of this.#waiting.wait(LOOK_AGAIN_MS)) {
          if (tag === this.#bell.readFd) readDescriptor(tag, this.#drain);
          else this.#onEnd(tag, again);
        }
        requests = emptyInbox(arena, owner);
      }
      if (requests.length === 0 && again.length === 0) continue;
      wakeUp(arena, owner);
      const now = performance.now();
      this.#isBusy = now - this.#lastRequestAt < SPARE_FOR_MS;
      this.#lastRequestAt = now;
      const records = requests.map((at) => ProcessRecord.at(arena, at));
      for (const record of records) record.inboxOf = 0;
      return [...again, ...records];
    }
  }

  #onEnd(pidfd: number, again: ProcessRecord[]): void {
    const record = this.#children.get(pidfd);
    if (record === undefined) {
      this.#dismissSpare();
      return;
    }
    this.#children.delete(pidfd);
    this.#stopWatching(pidfd);
    const exitCode = lookAtChild(record.pid);
    const diedUnborn = record.state === FORKED && exitCode !== undefined && (exitCode ?? 0) < 0;
    if (diedUnborn && record.attempts < MAX_ATTEMPTS) {
      reapChild(record.pid);
      record.retry();
      again.push(record);
      return;
    }
    this.#bury(record);
  }

  #stopWatching(pidfd: number): void {
    this.#waiting.delete(pidfd);
    closeDescriptor(pidfd);
  }

  /** Looks, sweeps, publishes, and only then reaps: until then the pid is nobody else's. */
  #bury(record: ProcessRecord): void {
    const { arena, owner } = this.#member;
    const exitCode = lookAtChild(record.pid) ?? record.farewell ?? LOST_EXIT_CODE;
    sweepMember(arena, record.child, owner);
    for (const orphan of adoptOrphans(this.#member, record.child)) this.#watch(orphan);
    record.exited(exitCode);
    reapChild(record.pid);
    this.#letGo(record);
  }

  #letGo(record: ProcessRecord): void {
    const { arena, owner } = this.#member;
    if (isCurrent(arena, record.child)) sweepMember(arena, record.child, owner);
    record.drop(owner);
  }
}
