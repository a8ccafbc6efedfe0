import { type ResourceLimits, Worker } from 'node:worker_threads';
import { allocate, type Block, drop, hold } from '../arena/allocator.js';
import { KIND } from '../arena/layout.js';
import { joinOrFoundFamily } from '../arena/member.js';
import { closeBellsOfTheDead } from '../arena/parking.js';
import { claimSlot, markThread, type OwnerId } from '../arena/slots.js';
import { sweepMember } from '../arena/sweep.js';
import { UsageError } from '../base/errors.js';
import { THREAD_PROGRAM } from '../base/programs.js';
import { ROBUST_HEAD_BYTES } from '../kernel/futex.js';
import { closeDescriptorsOf, makeDescriptorNotes } from '../kernel/thread-descriptors.js';
import { isForked } from '../process/child.js';
import { Event } from '../sync/event.js';
import { encodeShared } from '../wire/codec.js';
import { encodeForFamily } from '../wire/family-message.js';
import { carriedBy } from '../wire/handles.js';
import { THREAD_IS_UP, type ThreadCall, type ThreadData, type ThreadPapers } from './start-papers.js';

/** Versions of Node whose threads do not end in a process that was forked. */
const UNFIT_MAJORS: readonly number[] = [20, 26];

/** What a thread shall be. */
export interface ThreadPlan extends ThreadCall {
  readonly name: string;
  /** Bounds of its heap. */
  readonly resourceLimits?: ResourceLimits;
}

/** A thread of this process that is a member of the family. */
export interface LaunchedThread {
  readonly worker: Worker;
  /** Its id in the family. */
  readonly owner: OwnerId;
  /** Set once it is through. */
  readonly done: Event;
  /** Resolves once it can be terminated, or has ended: Node ends the whole process if a thread is that loads a native module. */
  readonly up: Promise<void>;
}

/**
 * Starts a thread and, once it has ended in whatever way, takes from it what it held. Function and arguments are packed before this returns.
 *
 * @throws {@link UsageError} `ERR_FURCA_UNSUPPORTED_RUNTIME`; {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`; nothing was started.
 */
export function launchThread(plan: ThreadPlan): LaunchedThread {
  assertThreadsWork();
  const member = joinOrFoundFamily();
  const done = new Event();
  const call: ThreadCall = { target: plan.target, args: plan.args };
  const papers: ThreadPapers = { name: plan.name, done, call: encodeForFamily(call, '') };
  const packed = encodeShared(papers);
  const owner = claimSlot(member.arena, member.owner);
  markThread(member.arena, owner);
  const descriptors = makeDescriptorNotes();
  let robustHead: Block | undefined;
  let worker: Worker;
  try {
    // Ours and not the thread's: the kernel looks at it after the thread's last step, and it is given back when that is over.
    robustHead = allocate(member.arena, member.owner, KIND.ROBUST_HEAD, ROBUST_HEAD_BYTES);
    // Before it exists: they are the thread's whatever becomes of ours.
    for (const block of carriedBy(packed)) hold(member.arena, block, owner);
    const data: ThreadData = {
      arenaFd: member.arena.fd,
      arenaAddress: member.arena.byteAddress(0),
      owner,
      robustHead: member.arena.byteAddress(robustHead.at),
      descriptors,
      papers: packed.slice(),
    };
    worker = makeWorker(data, plan);
  } catch (error) {
    if (robustHead !== undefined) drop(member.arena, robustHead, member.owner);
    sweepMember(member.arena, owner, member.owner);
    throw error;
  }
  const head = robustHead;
  const up = new Promise<void>((resolve) => {
    worker.once('exit', resolve);
    worker.on('message', (message) => {
      if (message === THREAD_IS_UP) resolve();
    });
  });
  // Node has joined the system's thread by then: nothing of it can run any more.
  worker.once('exit', () => {
    sweepMember(member.arena, owner, member.owner);
    drop(member.arena, head, member.owner);
    closeBellsOfTheDead(member.arena);
    closeDescriptorsOf(descriptors);
    if (!done.isClosed) done.set();
  });
  return { worker, owner, done, up };
}

/** Ends a thread wherever it is, once it has come up; the `exit` event tells when it has ended. Rejects never. */
export async function stopThread({ worker, up }: Pick<LaunchedThread, 'worker' | 'up'>): Promise<void> {
  worker.ref();
  await up;
  await worker.terminate();
}

function makeWorker(workerData: ThreadData, plan: ThreadPlan): Worker {
  const { name, resourceLimits = {} } = plan;
  return new Worker(THREAD_PROGRAM, { workerData, name, resourceLimits });
}

/** @throws {@link UsageError} `ERR_FURCA_UNSUPPORTED_RUNTIME`. */
export function assertThreadsWork(): void {
  const major = Number(process.versions.node.split('.')[0]);
  if (!isForked() || !UNFIT_MAJORS.includes(major)) return;
  throw new UsageError(
    `Starting a thread failed: in a process that was forked Node ${major} does not see the end of threads. Start this process with startMethod 'spawn'.`,
    'ERR_FURCA_UNSUPPORTED_RUNTIME',
  );
}
