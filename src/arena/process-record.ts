import type { ExitCode } from '../kernel/reaping.js';
import { allocate, type Block, blockAt, drop, hold, isAlive } from './allocator.js';
import type { Arena } from './arena.js';
import { BLOCK_ALIGNMENT, KIND, RECORD } from './layout.js';
import type { Member } from './member.js';
import { wake } from './parking.js';
import type { OwnerId } from './slots.js';

/** States of a process record. They only ever grow; each change wakes the parent. */
export const REQUESTED = 0;
/** It has a pid. Set by who forked it; of a zygote's child nobody else may know the pid yet, see {@link ALIVE}. */
export const FORKED = 1;
/**
 * It ran its first instruction. Set by the child; one that dies before is forked again. Its parent learns the pid only now: a signal
 * sent earlier would look like such a death.
 */
export const ALIVE = 2;
/** It has taken over its input and output, and user code comes next. Set by the child. */
export const READY = 3;
/** It is gone, and what it held is swept. Set by its reaper. */
export const EXITED = 4;
/** It never came up. Set by who was to fork it. */
export const FAILED = 5;

/** Python's forkserver answers this when nobody can know the exit code any more. */
export const LOST_EXIT_CODE = 255;

const FAREWELL_BASE = 1000;

/** What goes into a new record. */
export interface StartPapers {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly isDaemon: boolean;
  /** Blocks that the two parts name. */
  readonly carried?: readonly Block[];
}

/** The words by which parent, child and reaper tell each other how a process is doing. */
export class ProcessRecord {
  readonly block: Block;
  readonly #arena: Arena;
  readonly #word: number;

  private constructor(arena: Arena, block: Block) {
    this.#arena = arena;
    this.block = block;
    this.#word = block.at / 4;
  }

  /** Makes the record of a child that `member` is about to start, holding the two parts of its start request. */
  static create(member: Member, child: OwnerId, papers: StartPapers): ProcessRecord {
    const { arena, owner } = member;
    const { head, body, isDaemon, carried = [] } = papers;
    // Long before it exists: should its parent let go of them meanwhile, or die, they are the child's.
    for (const handed of carried) hold(arena, handed, child);
    const request = allocate(arena, owner, KIND.REQUEST, head.byteLength + body.byteLength);
    let block: Block;
    try {
      block = allocate(arena, owner, KIND.PROCESS, RECORD.BYTES);
    } catch (error) {
      drop(arena, request, owner);
      throw error;
    }
    arena.bytes.set(head, request.at);
    arena.bytes.set(body, request.at + head.byteLength);
    const record = new ProcessRecord(arena, block);
    record.#put(RECORD.CHILD, child);
    record.#put(RECORD.PARENT, owner);
    record.#put(RECORD.REQUEST, request.at / BLOCK_ALIGNMENT);
    record.#put(RECORD.HEAD_BYTES, head.byteLength);
    record.#put(RECORD.BODY_BYTES, body.byteLength);
    record.#put(RECORD.IS_DAEMON, isDaemon ? 1 : 0);
    return record;
  }

  /** The record whose payload starts at byte `at`. */
  static at(arena: Arena, at: number): ProcessRecord {
    return new ProcessRecord(arena, blockAt(arena, at));
  }

  get state(): number {
    return Atomics.load(this.#arena.words, this.#word + RECORD.STATE);
  }

  get pid(): number {
    return this.#get(RECORD.PID);
  }

  get child(): OwnerId {
    return this.#get(RECORD.CHILD);
  }

  get parent(): OwnerId {
    return this.#get(RECORD.PARENT);
  }

  get zygote(): OwnerId {
    return this.#get(RECORD.ZYGOTE);
  }

  set zygote(owner: OwnerId) {
    Atomics.store(this.#arena.words, this.#word + RECORD.ZYGOTE, owner);
  }

  /** The zygote that finds it, or will find it, in its inbox. */
  get inboxOf(): OwnerId {
    return this.#get(RECORD.INBOX_OF);
  }

  set inboxOf(owner: OwnerId) {
    this.#put(RECORD.INBOX_OF, owner);
  }

  /** How many zygotes died before they got round to it. */
  get handedOn(): number {
    return this.#get(RECORD.HANDED_ON);
  }

  /** Makes `next` the zygote that is to see to it. */
  handOn(next: OwnerId): void {
    this.hold(next);
    if (this.state === REQUESTED) this.#put(RECORD.HANDED_ON, this.handedOn + 1);
    this.zygote = next;
  }

  get exitCode(): ExitCode {
    return this.#get(RECORD.EXIT_CODE);
  }

  get errno(): number {
    return this.#get(RECORD.ERRNO);
  }

  /** Whether it is to end with its parent. */
  get isDaemon(): boolean {
    return this.#get(RECORD.IS_DAEMON) === 1;
  }

  get attempts(): number {
    return this.#get(RECORD.ATTEMPTS);
  }

  /** The exit code the child announced right before it ended, `undefined` if it did not come to that. */
  get farewell(): ExitCode | undefined {
    const word = this.#get(RECORD.FAREWELL);
    return word === 0 ? undefined : word - FAREWELL_BASE;
  }

  set farewell(exitCode: ExitCode) {
    this.#put(RECORD.FAREWELL, exitCode + FAREWELL_BASE);
  }

  /** The first part of the start request: what a zygote needs to know. */
  readHead(): Uint8Array {
    const at = this.#get(RECORD.REQUEST) * BLOCK_ALIGNMENT;
    return this.#arena.bytes.slice(at, at + this.#get(RECORD.HEAD_BYTES));
  }

  /** The second part: what only the child needs. */
  readBody(): Uint8Array {
    const at = this.#get(RECORD.REQUEST) * BLOCK_ALIGNMENT + this.#get(RECORD.HEAD_BYTES);
    return this.#arena.bytes.slice(at, at + this.#get(RECORD.BODY_BYTES));
  }

  /** Who forked it says so. A child may have come further already. */
  forked(pid: number): void {
    this.#put(RECORD.PID, pid);
    this.#put(RECORD.ATTEMPTS, this.attempts + 1);
    Atomics.compareExchange(this.#arena.words, this.#word + RECORD.STATE, REQUESTED, FORKED);
  }

  /** The child's first act. */
  alive(pid: number): void {
    this.#put(RECORD.PID, pid);
    Atomics.store(this.#arena.words, this.#word + RECORD.STATE, ALIVE);
    this.#tellParent();
  }

  /** The child is about to run user code. */
  ready(): void {
    Atomics.store(this.#arena.words, this.#word + RECORD.STATE, READY);
    this.#tellParent();
  }

  /** Back to the start, after a child that died before its first instruction. */
  retry(): void {
    Atomics.store(this.#arena.words, this.#word + RECORD.STATE, REQUESTED);
  }

  /** Its reaper publishes the end; everything of the dead was swept before. */
  exited(exitCode: ExitCode): void {
    this.#put(RECORD.EXIT_CODE, exitCode);
    Atomics.store(this.#arena.words, this.#word + RECORD.STATE, EXITED);
    this.#tellParent();
  }

  /** It cannot be started; `errno` says why, 0 where there is none. */
  failed(errno: number): void {
    this.#put(RECORD.ERRNO, errno);
    Atomics.store(this.#arena.words, this.#word + RECORD.STATE, FAILED);
    this.#tellParent();
  }

  /** Adds a holder: everyone who will look at the record holds it. */
  hold(owner: OwnerId): void {
    hold(this.#arena, this.block, owner);
    hold(this.#arena, this.#requestBlock(), owner);
  }

  /** `owner` will not look at the record again. */
  drop(owner: OwnerId, by: OwnerId = owner): void {
    // The record says where the request lies; freed, it says anything.
    if (!isAlive(this.#arena, this.block)) return;
    drop(this.#arena, this.#requestBlock(), owner, by);
    drop(this.#arena, this.block, owner, by);
  }

  #requestBlock(): Block {
    return blockAt(this.#arena, this.#get(RECORD.REQUEST) * BLOCK_ALIGNMENT);
  }

  #tellParent(): void {
    wake(this.#arena, this.parent);
  }

  #get(word: number): number {
    return Atomics.load(this.#arena.words, this.#word + word);
  }

  #put(word: number, value: number): void {
    Atomics.store(this.#arena.words, this.#word + word, value);
  }
}
