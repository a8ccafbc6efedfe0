import { statSync } from 'node:fs';
import { debuglog } from 'node:util';
import { openBlock } from '../arena/local-handles.js';
import type { Member } from '../arena/member.js';
import { UsageError } from '../base/errors.js';
import { assertSupported } from '../kernel/library.js';
import { referenceTo } from '../wire/functions.js';
import { assertNotLoading } from './bootstrap.js';
import { joinOrFoundFamily } from './family.js';
import { ChildHandle } from './handle.js';
import { ownIdentity } from './identity.js';
import { registerChild } from './registry.js';
import type { Started } from './start/contract.js';
import { startByFork } from './start/fork.js';
import { startByForkserver, zygoteEnvironment } from './start/forkserver.js';
import { startBySpawn } from './start/spawn.js';
import {
  type Call,
  type PackedRequest,
  packRequest,
  type RequestBody,
  type RequestHead,
  type StartMethod,
  type StreamSource,
} from './start-request.js';
import { environmentChanges } from './surroundings.js';

const debug = debuglog('furca');

/** Everything a start needs, with all defaults filled in. */
export interface LaunchPlan {
  readonly name: string;
  readonly isDaemon: boolean;
  readonly startMethod: StartMethod;
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly stdio: readonly [StreamSource, StreamSource, StreamSource];
  readonly inherit: readonly object[];
  readonly call: Call;
  /** Shown by `activeChildren`. */
  readonly shown: object | undefined;
  /** Flags of Node besides those of this process; not for `fork`, whose children have those of their parent. */
  readonly flags?: readonly string[];
  /** Called once the child has taken over its streams. */
  readonly onReady: (() => void) | undefined;
}

/**
 * Refuses a start that this process may not make, whatever it would start.
 *
 * @throws {@link UsageError} `ERR_FURCA_BOOTSTRAPPING`, `ERR_FURCA_DAEMONIC_CHILD`.
 */
export function assertMayStart(): void {
  assertSupported();
  assertNotLoading();
  const { isDaemon, mayHaveChildren } = ownIdentity();
  if (!isDaemon || mayHaveChildren === true) return;
  throw new UsageError(
    'Starting a process failed: daemonic processes may not have children.',
    'ERR_FURCA_DAEMONIC_CHILD',
  );
}

/** A start that cannot fail for the caller's mistakes any more. */
export interface PreparedLaunch {
  /** Starts the process and answers its handle once it has a pid. */
  start(): Promise<ChildHandle>;
}

/**
 * Checks and packs everything a child is to be told. Nothing has been started when it throws.
 *
 * @throws {@link UsageError} and {@link NotSendableError}: the caller's mistakes.
 */
export function prepareLaunch(plan: LaunchPlan): PreparedLaunch {
  assertMayStart();
  if (plan.cwd !== undefined) assertDirectory(plan.cwd);
  const member = joinOrFoundFamily();
  const request = packRequest(headOf(plan), bodyOf(plan), plan.call);
  // The caller may close what it passes on at once; a start by fork comes later.
  const held = request.carried.map((block) => openBlock(block));
  const start = async (): Promise<ChildHandle> => {
    try {
      return await startAndRegister(member, plan, request);
    } finally {
      for (const handle of held) handle.close();
      request.forget();
    }
  };
  return { start };
}

async function startAndRegister(
  member: Member,
  plan: LaunchPlan,
  request: PackedRequest,
): Promise<ChildHandle> {
  const started = await startBy(plan.startMethod, member, plan, request);
  if (started !== null) {
    const handle = register(member, plan, started);
    try {
      await handle.started();
      return handle;
    } catch (error) {
      if (!handle.isUnfit) throw error;
    }
  }
  // A loader with a thread of its own came with the flags of this process: such a zygote must not be forked. Or the family has all the
  // zygotes it can have.
  debug('forkserver cannot serve here; %s is spawned', plan.name);
  const spawned = register(
    member,
    plan,
    spawn(member, plan, packRequest(headOf(plan), bodyOf(plan), plan.call)),
  );
  await spawned.started();
  return spawned;
}

function register(member: Member, plan: LaunchPlan, started: Started): ChildHandle {
  const handle = new ChildHandle(member, started, plan.onReady);
  registerChild({ handle, isDaemon: plan.isDaemon, shown: plan.shown });
  return handle;
}

function startBy(
  method: StartMethod,
  member: Member,
  plan: LaunchPlan,
  request: PackedRequest,
): Started | null | Promise<Started> {
  switch (method) {
    case 'forkserver':
      return startByForkserver(member, request, plan.flags ?? []);
    case 'fork':
      return startByFork(member, request, plan.inherit);
    case 'spawn':
      return spawn(member, plan, request);
  }
}

function spawn(member: Member, plan: LaunchPlan, request: PackedRequest): Started {
  return startBySpawn(member, request, {
    cwd: plan.cwd ?? process.cwd(),
    env: plan.env ?? process.env,
    stdio: plan.stdio,
    flags: plan.flags ?? [],
  });
}

function headOf(plan: LaunchPlan): RequestHead {
  // Only a zygote loads anything beforehand, and to look for a reference is not free.
  const hasZygote = plan.startMethod === 'forkserver';
  // A module reads its environment and folder while it loads: where the child's differ, the child loads it itself.
  const isPlain = hasZygote && plan.cwd === undefined && plan.env === undefined;
  const target = plan.call.target ?? plan.call.class;
  return { preload: isPlain && target !== null ? referenceTo(target) : null };
}

function bodyOf(plan: LaunchPlan): Omit<RequestBody, 'call' | 'inherited'> {
  const base = zygoteEnvironment(plan.flags ?? []);
  const wanted = plan.env ?? process.env;
  const isSpawn = plan.startMethod === 'spawn';
  // What the child wakes up with is known of an own zygote and of an own fork, not of a zygote of another process.
  const wakesWith = plan.startMethod === 'fork' || isSpawn ? process.env : base;
  return {
    name: plan.name,
    daemon: plan.isDaemon,
    startMethod: plan.startMethod,
    parentPid: process.pid,
    parentName: ownIdentity().name,
    argv: process.argv,
    cwd: plan.cwd ?? process.cwd(),
    env: isSpawn ? {} : environmentChanges(wakesWith ?? {}, wanted),
    isEnvWhole: wakesWith === undefined,
    stdio: isSpawn
      ? ['inherit', 'inherit', 'inherit']
      : (plan.stdio.map(seenFromOutside) as unknown as RequestBody['stdio']),
    ownStreams: plan.stdio.map((source, fd) => source !== 'inherit' || ownIdentity().ownStreams[fd] === true),
  };
}

/** A child of the zygote inherits the streams of the first process; those of a member that has others must be named. */
function seenFromOutside(source: StreamSource, fd: number): StreamSource {
  if (source !== 'inherit' || fd === 0 || ownIdentity().ownStreams[fd] !== true) return source;
  return { fd, ofPid: process.pid };
}

function assertDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new UsageError(`Starting a process failed: cwd '${path}' is no directory.`);
}
