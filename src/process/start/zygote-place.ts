import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';
import { KIND } from '../../arena/layout.js';
import type { Member } from '../../arena/member.js';
import { EXITED, ProcessRecord } from '../../arena/process-record.js';
import { claimSlot, isCurrent, type OwnerId, parentOf, pidOf } from '../../arena/slots.js';
import { sweepMember } from '../../arena/sweep.js';
import { visitBlocks } from '../../arena/walk.js';
import { currentZygote, replaceZygote } from '../../arena/zygotes.js';
import { ZYGOTE_PROGRAM } from '../../base/programs.js';
import { forkReadyFlags } from '../../kernel/fork.js';
import { hasEnded, lookAtChild } from '../../kernel/reaping.js';
import { lifelineFd } from '../family.js';
import { nodeChildProcess } from './child-process.js';

const debug = debuglog('furca');

/** Where a spawned member finds the arena and the lifeline. */
export const ARENA_FD: number = 3;
export const LIFELINE_FD: number = 4;

const PROGRAM = fileURLToPath(ZYGOTE_PROGRAM);
/** Zygotes that may die while they start, one after another, before the requests are given up. */
const MAX_STILLBORN = 3;
/** Zygotes that may die over one request. */
const MAX_HANDED_ON = 3;

let preloads: readonly string[] = [];

/** Modules, as URLs, that the next zygote loads before its first child. */
export function setPreloads(urls: readonly string[]): void {
  preloads = urls;
}

/** A place of the family for a zygote with certain flags, as one member sees it: any of them may start the next one. */
export class ZygotePlace {
  readonly #place: number;
  readonly #flags: readonly string[];
  #environment: Readonly<Record<string, string | undefined>> | undefined;
  #stillborn = 0;
  /** The zygote that this process has started last. */
  #launched: { readonly zygote: OwnerId; readonly pid: number } | undefined;

  /** @param flags - Of Node, without those that make a process fork-ready. */
  constructor(place: number, flags: readonly string[]) {
    this.#place = place;
    this.#flags = flags;
  }

  /** What its children wake up in, if this process started it. */
  get environment(): Readonly<Record<string, string | undefined>> | undefined {
    return this.#environment;
  }

  /** The one that serves, else a new one. Does not wait for it: requests may be put in its inbox at once. */
  ensureZygote(member: Member): OwnerId {
    const { arena, owner } = member;
    for (;;) {
      const current = currentZygote(arena, this.#place);
      if (current !== 0 && this.#isServing(member, current)) return current;
      const next = claimSlot(arena, owner);
      if (!replaceZygote(arena, this.#place, current, next)) {
        sweepMember(arena, next, owner);
        continue;
      }
      inheritRecords(member, current, next);
      this.#launch(member, next);
      return next;
    }
  }

  #isServing(member: Member, zygote: OwnerId): boolean {
    if (!isCurrent(member.arena, zygote)) return false;
    const pid = pidOf(member.arena, zygote);
    // Its launcher knows whether it still comes up; else it comes up as long as its launcher lives.
    if (zygote === this.#launched?.zygote) {
      return this.#launched.pid === 0 || lookAtChild(this.#launched.pid) === null;
    }
    if (pid === 0) return isCurrent(member.arena, parentOf(member.arena, zygote));
    return !hasEnded(pid);
  }

  #launch(member: Member, zygote: OwnerId): void {
    const orders = { lifelineFd: LIFELINE_FD, preload: preloads, skip: [], bell: null };
    this.#environment = { ...process.env };
    const program = nodeChildProcess().spawn(
      process.execPath,
      [...forkReadyFlags(), ...this.#flags, PROGRAM, String(zygote), JSON.stringify(orders)],
      { stdio: ['ignore', 'inherit', 'inherit', member.arena.fd, lifelineFd()] },
    );
    this.#launched = { zygote, pid: program.pid ?? 0 };
    debug('started zygote %d %j', program.pid, this.#flags);
    program.on('error', (error: NodeJS.ErrnoException) =>
      this.#onEnd(member, zygote, program, Math.abs(error.errno ?? 0)),
    );
    program.on('exit', () => this.#onEnd(member, zygote, program));
    program.unref();
  }

  /** A zygote is gone. Its children live on; a successor takes over their records and what was asked for. */
  #onEnd(member: Member, zygote: OwnerId, program: ChildProcess, errno = 0): void {
    program.removeAllListeners();
    if (currentZygote(member.arena, this.#place) !== zygote) return;
    const wasServing = pidOf(member.arena, zygote) !== 0;
    this.#stillborn = wasServing ? 0 : this.#stillborn + 1;
    debug('zygote %d ended: %s', program.pid, program.signalCode ?? program.exitCode);
    const unfinished = unfinishedRecords(member, zygote);
    if (unfinished.length === 0 || this.#stillborn >= MAX_STILLBORN) {
      this.#stillborn = 0;
      replaceZygote(member.arena, this.#place, zygote, 0);
      for (const record of unfinished) giveUp(member, record, errno);
      sweepMember(member.arena, zygote, member.owner);
      return;
    }
    this.ensureZygote(member);
  }
}

/** Hands the unfinished records of a dead zygote to its successor, which finds them when it starts. */
function inheritRecords(member: Member, former: OwnerId, next: OwnerId): void {
  if (former === 0) return;
  for (const record of unfinishedRecords(member, former)) {
    if (record.handedOn < MAX_HANDED_ON) record.handOn(next);
    else giveUp(member, record);
  }
  sweepMember(member.arena, former, member.owner);
}

function giveUp(member: Member, record: ProcessRecord, errno = 0): void {
  sweepMember(member.arena, record.child, member.owner);
  record.failed(errno);
}

function unfinishedRecords(member: Member, zygote: OwnerId): ProcessRecord[] {
  const found: ProcessRecord[] = [];
  visitBlocks(member.arena, KIND.PROCESS, (block) => {
    const record = ProcessRecord.at(member.arena, block.at);
    if (record.zygote === zygote && record.state < EXITED) found.push(record);
  });
  return found;
}
