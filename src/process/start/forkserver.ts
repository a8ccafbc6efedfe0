import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';
import { putIntoInbox } from '../../arena/inbox.js';
import { KIND } from '../../arena/layout.js';
import type { Member } from '../../arena/member.js';
import { wake } from '../../arena/parking.js';
import { EXITED, ProcessRecord } from '../../arena/process-record.js';
import {
  claimSlot,
  currentZygote,
  isCurrent,
  type OwnerId,
  parentOf,
  pidOf,
  replaceZygote,
} from '../../arena/slots.js';
import { sweepMember } from '../../arena/sweep.js';
import { visitBlocks } from '../../arena/walk.js';
import { ZYGOTE_PROGRAM } from '../../base/programs.js';
import { forkReadyFlags } from '../../kernel/fork.js';
import { hasEnded, lookAtChild } from '../../kernel/reaping.js';
import { lifelineFd } from '../family.js';
import type { PackedRequest } from '../start-request.js';
import { nodeChildProcess } from './child-process.js';
import { claimRecord } from './claim.js';
import type { Started } from './contract.js';
import { inheritableFlags } from './flags.js';

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
let baseEnv: Readonly<Record<string, string | undefined>> | undefined;
let stillborn = 0;
/** The zygote that this process has started last. */
let launched: { readonly zygote: OwnerId; readonly pid: number } | undefined;

/** Modules, as URLs, that the next zygote loads before its first child. */
export function setPreloads(urls: readonly string[]): void {
  preloads = urls;
}

/** The environment that children of the zygote wake up in, if this process started it. */
export function zygoteEnvironment(): Readonly<Record<string, string | undefined>> | undefined {
  return baseEnv;
}

/** Asks the family's zygote for a child; starts the zygote if there is none. Returns before the child exists. */
export function startByForkserver(member: Member, request: PackedRequest): Started {
  const zygote = ensureZygote(member);
  const record = claimRecord(member, request);
  record.hold(zygote);
  record.inboxOf = zygote;
  record.zygote = zygote;
  putRequest(member, record, zygote);
  // It may have died since it was asked for, and its records been handed on without this one.
  const probe = (): void => rescue(member, record);
  probe();
  return { record, probe, probeMs: 100 };
}

function putRequest(member: Member, record: ProcessRecord, zygote: OwnerId): void {
  record.inboxOf = zygote;
  putIntoInbox(member.arena, zygote, record.block.at);
  wake(member.arena, zygote);
}

/** Sees to it that a record has a zygote that lives: who launched the zygote would, but may be dead or blocked. */
function rescue(member: Member, record: ProcessRecord): void {
  if (record.state >= EXITED) return;
  const zygote = ensureZygote(member);
  // Handed on by `ensureZygote` or by another member, or never in need.
  if (record.zygote === zygote) return;
  record.handOn(zygote);
  putRequest(member, record, zygote);
}

/** The family's zygote: the one that serves, else a new one. Does not wait for it: requests may be put in its inbox at once. */
export function ensureZygote(member: Member): OwnerId {
  const { arena, owner } = member;
  for (;;) {
    const current = currentZygote(arena);
    if (current !== 0 && isServing(member, current)) return current;
    const next = claimSlot(arena, owner);
    if (!replaceZygote(arena, current, next)) {
      sweepMember(arena, next, owner);
      continue;
    }
    inheritRecords(member, current, next);
    launch(member, next);
    return next;
  }
}

function isServing(member: Member, zygote: OwnerId): boolean {
  if (!isCurrent(member.arena, zygote)) return false;
  const pid = pidOf(member.arena, zygote);
  // Its launcher knows whether it still comes up; else it comes up as long as its launcher lives.
  if (zygote === launched?.zygote) {
    return launched.pid === 0 || lookAtChild(launched.pid) === null;
  }
  if (pid === 0) return isCurrent(member.arena, parentOf(member.arena, zygote));
  return !hasEnded(pid);
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

function launch(member: Member, zygote: OwnerId): void {
  const orders = { lifelineFd: LIFELINE_FD, preload: preloads, skip: [], bell: null };
  baseEnv = { ...process.env };
  const flags = [...forkReadyFlags(), ...inheritableFlags()];
  const program = nodeChildProcess().spawn(
    process.execPath,
    [...flags, PROGRAM, String(zygote), JSON.stringify(orders)],
    {
      stdio: ['ignore', 'inherit', 'inherit', member.arena.fd, lifelineFd()],
    },
  );
  launched = { zygote, pid: program.pid ?? 0 };
  debug('started zygote %d', program.pid);
  program.on('error', (error: NodeJS.ErrnoException) =>
    onEnd(member, zygote, program, Math.abs(error.errno ?? 0)),
  );
  program.on('exit', () => onEnd(member, zygote, program));
  program.unref();
}

/** A zygote is gone. Its children live on; a successor takes over their records and what was asked for. */
function onEnd(member: Member, zygote: OwnerId, program: ChildProcess, errno = 0): void {
  program.removeAllListeners();
  if (currentZygote(member.arena) !== zygote) return;
  const wasServing = pidOf(member.arena, zygote) !== 0;
  stillborn = wasServing ? 0 : stillborn + 1;
  debug('zygote %d ended: %s', program.pid, program.signalCode ?? program.exitCode);
  const unfinished = unfinishedRecords(member, zygote);
  if (unfinished.length === 0 || stillborn >= MAX_STILLBORN) {
    stillborn = 0;
    replaceZygote(member.arena, zygote, 0);
    for (const record of unfinished) giveUp(member, record, errno);
    sweepMember(member.arena, zygote, member.owner);
    return;
  }
  ensureZygote(member);
}

/** Called in a forked child: the zygote that its parent has started is not its own child. */
export function forgetZygote(): void {
  launched = undefined;
}
