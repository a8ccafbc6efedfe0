import type { Socket } from 'node:net';
import type { WaitOptions } from '../arena/parking.js';
import { nextProcessNumber } from '../arena/slots.js';
import { ClosedError, UsageError } from '../base/errors.js';
import { assertSupported } from '../kernel/library.js';
import type { AnyFunction } from '../wire/functions.js';
import { setRevive } from './child.js';
import { joinOrFoundFamily } from './family.js';
import type { ChildHandle } from './handle.js';
import { ownIdentity } from './identity.js';
import { prepareLaunch } from './launch.js';
import { defaultStartMethod } from './methods.js';
import { assertOptions, type ProcessOptions, type ProcessSettings } from './process-options.js';
import { registeredChildren } from './registry.js';
import { openPipes } from './stream-pipes.js';

type Stage = 'new' | 'starting' | 'started' | 'failed' | 'closed';

interface State {
  stage: Stage;
  readonly name: string;
  daemon: boolean;
  readonly settings: ProcessSettings;
  target: AnyFunction | undefined;
  args: readonly unknown[];
  handle: ChildHandle | undefined;
  /** Only of the process that asks about itself. */
  readonly isSelf: boolean;
  streams: (Socket | null)[];
  sentinel: Promise<number> | undefined;
}

/**
 * A process that runs one function.
 *
 * The function travels by reference when a module exports it, else by value; see docs/what-can-be-sent.md. The child ends when the
 * function's promise settles, with exit code 0, or 1 after printing what it threw to stderr.
 *
 * @example
 * const p = new Process({ target: (name: string) => console.log(`hello, ${name}`), args: ['kel'] });
 * await p.start();
 * await p.join();
 * p.exitCode; // => 0
 */
export class Process<const Args extends readonly unknown[] = readonly []> implements AsyncDisposable {
  /**
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: `target` is not a function, or another option is of the wrong kind.
   */
  constructor(options: ProcessOptions<Args> = {} as ProcessOptions<Args>) {
    assertOptions(options);
    const {
      target,
      args = [],
      ...settings
    } = options as ProcessSettings & { target?: AnyFunction; args?: readonly unknown[] };
    setState(this, {
      stage: 'new',
      name: settings.name ?? defaultName(),
      daemon: settings.daemon ?? ownIdentity().isDaemon,
      settings,
      target,
      args,
      handle: undefined,
      isSelf: false,
      streams: [null, null, null],
      sentinel: undefined,
    });
  }

  /** What the child runs; a subclass may override it instead of passing `target`. Called in the child only. */
  run(): unknown {
    const { target, args } = stateOf(this);
    return (target as ((...args: readonly unknown[]) => unknown) | undefined)?.(...args);
  }

  /**
   * Starts the process; resolves once it has a pid. Function and arguments are packed before this returns, so that later
   * changes to them stay here.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was started before. `ERR_FURCA_DAEMONIC_CHILD`: this process is
   * a daemon. `ERR_FURCA_BOOTSTRAPPING`: this process is loading a module. `ERR_FURCA_NOT_FORK_READY`,
   * `ERR_FURCA_LOOP_BUSY`: with `fork`, see docs/start-methods.md.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: function or argument cannot travel; nothing was started.
   * @throws {@link StartError} `ERR_FURCA_START_FAILED`: the system gave no process.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async start(): Promise<void> {
    const state = open(this, 'start');
    if (state.isSelf || state.stage !== 'new')
      throw wrongState('Starting', state, 'a process is started once');
    assertSupported();
    const pipes = openPipes(state.settings.stdio ?? ['ignore', 'inherit', 'inherit']);
    try {
      const launch = prepareLaunch({
        name: state.name,
        isDaemon: state.daemon,
        startMethod: state.settings.startMethod ?? defaultStartMethod(),
        cwd: state.settings.cwd,
        env: state.settings.env,
        stdio: pipes.sources,
        inherit: state.settings.inherit ?? [],
        call: {
          target: state.target ?? null,
          args: state.args,
          class: overridingClass(this),
          this: overridingClass(this) === null ? {} : { ...this },
        },
        shown: this,
        onReady: pipes.closeTheirs,
      });
      state.stage = 'starting';
      // The child has them now; the parent keeps nothing of theirs alive.
      state.target = undefined;
      state.args = [];
      state.handle = await launch.start();
      state.handle.onOver(pipes.closeTheirs);
      state.stage = 'started';
    } catch (error) {
      pipes.closeAll();
      if (state.stage === 'starting') state.stage = 'failed';
      throw error;
    }
    state.streams = pipes.openOurs();
  }

  /**
   * Resolves once the process has ended.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; the process runs on. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it was not started.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    await running(this, 'Joining').ended(`Joining ${this.name}`, options);
  }

  /**
   * Blocks this thread until the process has ended; the event loop stands still meanwhile.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @throws as {@link Process.join}.
   */
  joinSync(options: { readonly timeoutMs?: number } = {}): void {
    running(this, 'Joining').endedSync(`Joining ${this.name}`, options.timeoutMs ?? Number.POSITIVE_INFINITY);
  }

  /** Asks the process to end (SIGTERM). Does nothing once it has ended. Errors as {@link Process.join}. */
  terminate(): void {
    running(this, 'Terminating').signal('SIGTERM');
  }

  /** Ends the process at once (SIGKILL). Does nothing once it has ended. Errors as {@link Process.join}. */
  kill(): void {
    running(this, 'Killing').signal('SIGKILL');
  }

  /** Interrupts the process as Ctrl-C does (SIGINT). Does nothing once it has ended. Errors as {@link Process.join}. */
  interrupt(): void {
    running(this, 'Interrupting').signal('SIGINT');
  }

  /**
   * Lets go of an ended process; asking it anything afterwards is `ERR_FURCA_CLOSED`. May be called twice.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: it still runs.
   */
  close(): void {
    const state = stateOf(this);
    if (state.stage === 'closed') return;
    if (state.isSelf || this.isAlive())
      throw wrongState('Closing', state, 'it still runs: join or terminate it first');
    state.stage = 'closed';
    for (const stream of state.streams) stream?.destroy();
    state.handle = undefined;
  }

  /** Waits for the process to end, then closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stage, handle } = stateOf(this);
    if (stage === 'closed') return;
    await handle?.ended(`Joining ${this.name}`, {});
    this.close();
  }

  /** Tells whether the process runs. */
  isAlive(): boolean {
    const state = open(this, 'asking');
    return state.isSelf || (state.handle?.isAlive ?? false);
  }

  /** Process id; `undefined` before the start. */
  get pid(): number | undefined {
    const state = open(this, 'asking');
    if (state.isSelf) return process.pid;
    return state.handle === undefined || state.handle.pid === 0 ? undefined : state.handle.pid;
  }

  get name(): string {
    return stateOf(this).name;
  }

  /** Whether it ends with its parent; can be set until the start. */
  get daemon(): boolean {
    return stateOf(this).daemon;
  }

  set daemon(isDaemon: boolean) {
    const state = open(this, 'changing');
    if (state.isSelf || state.stage !== 'new')
      throw wrongState('Setting daemon', state, 'it is set before the start');
    state.daemon = isDaemon;
  }

  /** Exit code, `-N` when signal N ended it, `null` while it runs or before the start. */
  get exitCode(): number | null {
    return open(this, 'asking').handle?.exitCode ?? null;
  }

  /** Resolves with the exit code when the process ends; the same promise at every call. Never rejects. */
  get sentinel(): Promise<number> {
    const state = open(this, 'asking');
    const handle = running(this, 'Watching');
    const ended = state.daemon
      ? new Promise<void>((resolve) => handle.onOver(resolve))
      : handle.ended('Watching', {});
    state.sentinel ??= ended.then(() => handle.exitCode ?? 0);
    return state.sentinel;
  }

  /** Writes to the child's input, where `stdio[0]` is `'pipe'`. */
  get stdin(): Socket | null {
    return stateOf(this).streams[0] ?? null;
  }

  /** Reads the child's output, where `stdio[1]` is `'pipe'`. */
  get stdout(): Socket | null {
    return stateOf(this).streams[1] ?? null;
  }

  /** Reads the child's error output, where `stdio[2]` is `'pipe'`. */
  get stderr(): Socket | null {
    return stateOf(this).streams[2] ?? null;
  }
}

/** Any process, whatever its function takes. */
export type AnyProcess = Process<readonly unknown[]>;

/** Kept outside the objects: an instance of a subclass is made without its constructor in the child. */
const states = new WeakMap<object, State>();

function setState(of: object, state: State): void {
  states.set(of, state);
}

function stateOf(of: object): State {
  const state = states.get(of);
  if (state === undefined) throw new UsageError('Using a Process failed: `this` is no Process.');
  return state;
}

function open(of: object, doing: string): State {
  const state = stateOf(of);
  if (state.stage !== 'closed') return state;
  throw new ClosedError(`${doing} ${state.name} failed: it was closed.`);
}

function running(of: object, doing: string): ChildHandle {
  const state = open(of, doing);
  if (state.handle !== undefined) return state.handle;
  if (state.isSelf) throw wrongState(doing, state, 'it is this process itself');
  throw wrongState(doing, state, 'it was not started');
}

function wrongState(doing: string, state: State, why: string): UsageError {
  return new UsageError(`${doing} ${state.name} failed: ${why}.`, 'ERR_FURCA_INVALID_STATE');
}

function defaultName(): string {
  const { parent, name } = ownIdentity();
  const number = nextProcessNumber(joinOrFoundFamily().arena);
  return parent === null ? `Process-${number}` : `${name}:${number}`;
}

/** The class of an instance, if it overrides `run`: that is then what the child runs. */
function overridingClass(instance: object): AnyFunction | null {
  const type = instance.constructor as unknown as AnyFunction & typeof Process;
  return type.prototype.run === Process.prototype.run ? null : type;
}

/** The object for this very process. */
let self: AnyProcess | undefined;

/** Makes `instance` stand for this very process. */
function makeSelf(instance: object): AnyProcess {
  const { name, isDaemon } = ownIdentity();
  setState(instance, {
    stage: 'started',
    name,
    daemon: isDaemon,
    settings: {},
    target: undefined,
    args: [],
    handle: undefined,
    isSelf: true,
    streams: [null, null, null],
    sentinel: undefined,
  });
  self = instance as AnyProcess;
  return self;
}

setRevive((type, properties) => {
  const instance = Object.create((type as typeof Process).prototype) as object;
  makeSelf(Object.assign(instance, properties));
  return instance as { run(): unknown };
});

/** Called in a forked child: it is another process than the one the object was made for. */
export function forgetSelf(): void {
  self = undefined;
}

/**
 * The object of the process this is called in.
 *
 * @example
 * currentProcess().name; // => 'MainProcess'
 */
export function currentProcess(): AnyProcess {
  return self ?? makeSelf(Object.create(Process.prototype) as object);
}

/**
 * The children of this process that still run.
 *
 * @example
 * activeChildren(); // => []
 */
export function activeChildren(): AnyProcess[] {
  return registeredChildren().flatMap(({ shown }) => (shown instanceof Process ? [shown as AnyProcess] : []));
}
