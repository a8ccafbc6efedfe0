import type { ProcessRecord } from '../arena/process-record.js';
import { setLastWords } from '../kernel/forked-child.js';
import { LoopWatch } from '../kernel/loop-watch.js';
import { whileLoading } from './bootstrap.js';
import { reportFatal } from './fatal.js';
import { assumeIdentity } from './identity.js';
import { flushOutput, watchOutput } from './output.js';
import { joinChildren } from './registry.js';
import { type RequestBody, unpackBody, unpackCall } from './start-request.js';
import { takeSurroundings } from './surroundings.js';

/** What `node` itself exits with when an await at top level can never settle. */
const UNSETTLED_EXIT_CODE = 13;
const NEVER_SETTLES = 'its target can never settle: nothing is left alive in its event loop';

/** Builds the instance of a subclass of `Process` in the child; set by process.ts, which knows the class. */
export type Revive = (type: unknown, properties: object, body: RequestBody) => { run(): unknown };

let revive: Revive | undefined;

export function setRevive(how: Revive): void {
  revive = how;
}

/** What a forked child does before it knows what it is to run. Its event loop must not run dry; see kernel/loop-watch.ts. */
export function beginForkedChild(): void {
  watchForEnd(NEVER_SETTLES);
  watchOutput();
}

/** What a spawned child does first. */
export function beginSpawnedChild(): void {
  complainWhenUnsettled();
  watchOutput();
}

/**
 * The life of a child, however it was started: takes its surroundings, loads its function, runs it, and ends when the
 * promise settles, as in Python, not when the event loop runs dry.
 */
export async function runChild(record: ProcessRecord): Promise<never> {
  setLastWords((exitCode) => {
    record.farewell = exitCode;
  });
  try {
    const body = unpackBody(record.readBody());
    assumeIdentity({
      name: body.name,
      isDaemon: body.daemon,
      startMethod: body.startMethod,
      parent: { pid: body.parentPid, name: body.parentName, owner: record.parent },
      ownStreams: body.ownStreams,
    });
    takeSurroundings(body);
    record.ready();
    const run = await whileLoading(() => loadTarget(body));
    await run();
    await joinChildren();
    await flushOutput();
  } catch (error) {
    reportFatal(error);
    await flushOutput();
    process.exit(1);
  }
  return process.exit();
}

/** In a child that Node itself ends when its event loop has run dry: says why, which Node does not always. */
function complainWhenUnsettled(): void {
  let isDry = false;
  process.on('beforeExit', () => {
    isDry = true;
  });
  process.on('exit', () => {
    // Node 20 sets it in an exit listener of its own.
    if (isDry && process.exitCode === UNSETTLED_EXIT_CODE) reportFatal(endedEarly(NEVER_SETTLES));
  });
}

function endedEarly(why: string): Error {
  return new Error(`The process ended early: ${why}.`);
}

/** Loads what the child is to run, and answers how to run it. */
export async function loadTarget(body: RequestBody): Promise<() => unknown> {
  const { target, args, class: type, this: properties } = await unpackCall(body);
  if (type !== null) {
    const instance = revive?.(type, properties, body);
    return () => instance?.run();
  }
  if (target === null) return () => {};
  return () => (target as (...args: readonly unknown[]) => unknown)(...args);
}

let watch: LoopWatch | undefined;
let watchComplaint: string | undefined;
let isForkedChild = false;

/** Whether this process was forked from another Node. */
export function isForked(): boolean {
  return isForkedChild;
}

/** Ends a forked process when its event loop has run dry; `complaint` is what then counts as its failure, if anything does. */
export function watchForEnd(complaint?: string): void {
  isForkedChild = true;
  watchComplaint = complaint;
  resumeEndWatch();
}

/** Called where something else keeps the event loop alive, or blocks it: nothing looks for its end meanwhile. */
export function pauseEndWatch(): void {
  watch?.stop();
  watch = undefined;
}

/** Looks for the end of the event loop again; does nothing in a process that was not forked. */
export function resumeEndWatch(): void {
  if (isForkedChild) watch ??= new LoopWatch(() => onDry(false));
}

/** @param wasAsked - The listeners of `beforeExit` had their say, and started nothing. */
function onDry(wasAsked: boolean): void {
  if (!wasAsked && process.emit('beforeExit', Number(process.exitCode ?? 0))) {
    let hasLived = false;
    watch = new LoopWatch(
      () => onDry(!hasLived),
      () => {
        hasLived = true;
      },
    );
    return;
  }
  if (watchComplaint === undefined) process.exit();
  reportFatal(endedEarly(watchComplaint));
  process.exit(process.exitCode ?? UNSETTLED_EXIT_CODE);
}
