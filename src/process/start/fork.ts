import { holdAllFor } from '../../arena/local-handles.js';
import { enterFamilyAfterFork, type Member } from '../../arena/member.js';
import { ALIVE, LOST_EXIT_CODE, type ProcessRecord } from '../../arena/process-record.js';
import type { OwnerId } from '../../arena/slots.js';
import { sweepMember } from '../../arena/sweep.js';
import { SystemCallError, UsageError } from '../../base/errors.js';
import { Forker } from '../../kernel/fork.js';
import { becomeForkedChild, exitNow } from '../../kernel/forked-child.js';
import { native } from '../../kernel/library.js';
import { followLifeline } from '../../kernel/lifeline.js';
import { guardRandomness } from '../../kernel/randomness.js';
import { awaitChild, lookAtChild, reapChild } from '../../kernel/reaping.js';
import { beginForkedChild, pauseEndWatch, resumeEndWatch, runChild } from '../child.js';
import { letGoOfLifeline, lifelineFd } from '../family.js';
import { reportFatal } from '../fatal.js';
import { startFailed } from '../handle.js';
import { forgetOrphans, lookAfterOrphans } from '../orphans.js';
import { forgetChildren } from '../registry.js';
import type { PackedRequest } from '../start-request.js';
import { forgetChildStreams, isChildStream } from '../stream-pipes.js';
import { abandonRecord, claimRecord } from './claim.js';
import type { Started } from './contract.js';
import { forgetZygotes } from './forkserver.js';

let forker: Forker | undefined;

/** The fork engine of this process; makes it on first use. */
export function ownForker(): Forker {
  if (forker === undefined) {
    const made = new Forker();
    guardRandomness();
    forker = made;
  }
  return forker;
}

/** Children this process forked itself and must reap, by pid. */
const own = new Map<number, ProcessRecord>();

/** Takes the ended children of this process off the system's list, after sweeping what they held. */
function reapOwn(member: Member): void {
  for (const [pid, record] of own) {
    const exitCode = lookAtChild(pid);
    if (exitCode === null) continue;
    own.delete(pid);
    sweepMember(member.arena, record.child, member.owner);
    lookAfterOrphans(member, record.child);
    record.exited(exitCode ?? record.farewell ?? LOST_EXIT_CODE);
    reapChild(pid);
  }
  if (own.size === 0) process.off('SIGCHLD', onChild);
}

let reaper: Member | undefined;

function onChild(): void {
  if (reaper !== undefined) reapOwn(reaper);
}

/**
 * Forks this process, in a turn of the event loop of its own: with no frame of the caller's on the stack, and before any callback or
 * promise could be waiting for its turn, the child runs its target and nothing else.
 *
 * @param inherit - Open handles the child is meant to have.
 * @throws {@link UsageError} `ERR_FURCA_LOOP_BUSY`: other handles are open, which child and parent would both serve.
 * @throws {@link StartError} `ERR_FURCA_START_FAILED`: the system gave no process.
 */
export async function startByFork(
  member: Member,
  request: PackedRequest,
  inherit: readonly object[],
): Promise<Started> {
  const engine = ownForker();
  // Founded before the fork: founded in the child it would be tied to itself.
  lifelineFd();
  return new Promise((resolve, reject) => {
    const attempt = (turn: number): void => {
      try {
        const started = tryToFork(engine, member, request, inherit, turn);
        if (started === 'later') inTurn(() => attempt(turn + 1));
        else if (started !== 'child') resolve(started);
        // The caller's promise never settles in the child: its code after `start()` runs in the parent alone.
      } catch (error) {
        reject(error);
      }
    };
    inTurn(() => attempt(0));
  });
}

/** Starts waiting for a turn: each gets one of its own. */
const queue: (() => void)[] = [];

function inTurn(act: () => void): void {
  queue.push(act);
  if (queue.length === 1) setImmediate(nextTurn);
}

function nextTurn(): void {
  const act = queue[0];
  act?.();
  // In a forked child the queue is empty by now.
  queue.shift();
  if (queue.length > 0) setImmediate(nextTurn);
}

/** Must be called first thing in a turn of the event loop. */
function tryToFork(
  engine: Forker,
  member: Member,
  request: PackedRequest,
  inherit: readonly object[],
  turn: number,
): Started | 'child' | 'later' {
  // In a forked child: its timer is no affair of the child's child.
  pauseEndWatch();
  try {
    const busy = busyWith(member, inherit);
    if (busy.length === 0) return forkChild(engine, member, request);
    // What is just ending, such as the closing of a handle, gets a few turns to do so.
    if (turn < SETTLE_TURNS && busy.every(isPassing)) return 'later';
    throw loopBusy(busy);
  } finally {
    resumeEndWatch();
  }
}

function forkChild(engine: Forker, member: Member, request: PackedRequest): Started | 'child' {
  const record = claimRecord(member, request);
  const { child } = record;
  let pid: number;
  try {
    holdAllFor(child);
    pid = forkAlive(engine, record);
  } catch (error) {
    abandonRecord(member, record);
    throw error instanceof SystemCallError ? startFailed(error.errnoCode, error) : error;
  }
  if (pid !== 0) {
    own.set(pid, record);
    if (own.size === 1) {
      reaper = member;
      process.on('SIGCHLD', onChild);
    }
    record.forked(pid);
    // It may have ended before anybody listened.
    onChild();
    return { record, probe: onChild, probeMs: 10 };
  }
  try {
    becomeOwnChild(member.arena, child);
  } catch (error) {
    // Nothing of the parent's may run here, least of all the handler of its failed start.
    reportFatal(error);
    exitNow(1);
  }
  beginForkedChild();
  void runChild(record);
  return 'child';
}

/** Called in a forked child: what its parent forked and was about to fork is not its own. */
export function forgetForkedChildren(): void {
  queue.length = 0;
  own.clear();
  process.off('SIGCHLD', onChild);
  forgetChildStreams();
  forgetOrphans();
}

/** What a child forked for a `Process` does first, after its mark of life. */
function becomeOwnChild(arena: Member['arena'], child: OwnerId): void {
  becomeForkedChild(reportFatal);
  forgetForkedChildren();
  forgetChildren();
  forgetZygotes();
  letGoOfLifeline();
  followLifeline(lifelineFd());
  enterFamilyAfterFork(arena, child);
}

/** Forks until the child has run its first instruction; answers its pid, 0 in the child. */
function forkAlive(engine: Forker, record: ProcessRecord): number {
  for (let attempt = 1; ; attempt++) {
    const pid = engine.fork();
    if (pid === 0) {
      record.alive(native().getpid());
      return 0;
    }
    while (record.state < ALIVE && lookAtChild(pid) === null) native().poll(null, 0, 1);
    if (record.state >= ALIVE) return pid;
    awaitChild(pid);
    reapChild(pid);
    if (attempt === 3)
      throw new SystemCallError('fork', 0, 'SIGSEGV', 'the child died before its first instruction');
  }
}

/** Turns of the event loop in which requests may end before a start by fork is refused. */
const SETTLE_TURNS = 64;

interface HandleOwner {
  _getActiveHandles(): object[];
}

/** Names what is open in this event loop besides the standard streams, furca's own, and what the child is meant to have. */
function busyWith(member: Member, inherit: readonly object[]): string[] {
  const handles = (process as unknown as HandleOwner)._getActiveHandles().filter((handle) => {
    if (member.parking.owns(handle) || inherit.includes(handle) || isChildStream(handle)) return false;
    const { fd } = handle as { readonly fd?: number };
    const kind = handle.constructor.name;
    const isStandardStream = fd === 0 || fd === 1 || fd === 2;
    return !isStandardStream && kind !== 'ChildProcess' && kind !== 'Signal';
  });
  const resources = process.getActiveResourcesInfo();
  const immediates = resources.filter((kind) => kind === 'Immediate').length - (member.parking.isDue ? 1 : 0);
  const waits = resources.filter((kind) => kind === 'Timeout' || /Req|Wrap$/.test(kind)).map(plainKind);
  const others = waits.filter((kind) => kind === 'Timeout' || kind.endsWith('Req'));
  const names = [...handles.map((handle) => handle.constructor.name), ...others];
  return [...new Set(immediates > 0 ? [...names, 'Immediate'] : names)];
}

/** True of what ends by itself within a few turns of the event loop, as a rule. */
function isPassing(name: string): boolean {
  return name === 'Immediate' || name.endsWith('Req');
}

/** Names every request so that it ends in `Req`. */
function plainKind(kind: string): string {
  return /Req/.test(kind) ? `${kind.replace(/Req(Wrap|Promise|Callback)?$/, '')}Req` : kind;
}

function loopBusy(names: readonly string[]): UsageError {
  return new UsageError(
    `Starting a process by fork failed: this event loop is busy with ${names.join(', ')}, which parent and child would both serve. Close them first, list them in \`inherit\`, or use forkserver.`,
    'ERR_FURCA_LOOP_BUSY',
  );
}
