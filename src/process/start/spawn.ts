import type { ChildProcess, StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Member } from '../../arena/member.js';
import { sweepMember } from '../../arena/sweep.js';
import { SPAWNED_PROGRAM } from '../../base/programs.js';
import { lookAtChild } from '../../kernel/reaping.js';
import { lifelineFd } from '../family.js';
import { lookAfterOrphans } from '../orphans.js';
import type { PackedRequest, StreamSource } from '../start-request.js';
import { nodeChildProcess } from './child-process.js';
import { abandonRecord, claimRecord } from './claim.js';
import type { Started } from './contract.js';
import { inheritableFlags } from './flags.js';

const PROGRAM = fileURLToPath(SPAWNED_PROGRAM);

/** What of its surroundings a spawned child gets from the operating system. */
export interface SpawnSurroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdio: readonly [StreamSource, StreamSource, StreamSource];
  /** Flags for Node besides those of this process. */
  readonly flags: readonly string[];
}

/** Starts a new Node process in the same family. */
export function startBySpawn(
  member: Member,
  request: PackedRequest,
  surroundings: SpawnSurroundings,
): Started {
  const { arena, owner } = member;
  const record = claimRecord(member, request);
  const { child } = record;
  const streams = surroundings.stdio.map((source) => (typeof source === 'string' ? source : source.fd));
  const stdio: StdioOptions = [...streams, arena.fd, lifelineFd()];
  // Kept here and not asked of the record: once the child is over, its block may be the record of the next one.
  let isOver = false;
  const end = (publish: () => void): void => {
    if (isOver) return;
    isOver = true;
    sweepMember(arena, child, owner);
    lookAfterOrphans(member, child);
    publish();
  };
  const args = [
    ...inheritableFlags(),
    ...surroundings.flags,
    PROGRAM,
    String(child),
    String(record.block.at),
  ];
  let program: ChildProcess;
  try {
    program = nodeChildProcess().spawn(process.execPath, args, {
      cwd: surroundings.cwd,
      env: { ...surroundings.env },
      stdio,
    });
  } catch (error) {
    // A variable with a NUL in it, for one.
    abandonRecord(member, record);
    throw error;
  }
  program.on('error', (error: NodeJS.ErrnoException) => {
    end(() => record.failed(Math.abs(error.errno ?? 0)));
  });
  // Node has reaped it when it says so; nothing of ours goes by its pid.
  program.on('exit', (code, signal) => {
    end(() => record.exited(code ?? -constants.signals[signal as NodeJS.Signals]));
  });
  // The handle's own poller decides whether this process waits for the child.
  program.unref();
  if (program.pid !== undefined) record.forked(program.pid);
  return {
    record,
    probeMs: 10,
    probe: () => {
      const exitCode = program.pid === undefined ? null : lookAtChild(program.pid);
      if (typeof exitCode === 'number') end(() => record.exited(exitCode));
    },
  };
}
