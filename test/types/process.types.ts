/**
 * Holds when it compiles: what the types of processes promise. Nothing here is ever run.
 */
import {
  type AnyProcess,
  activeChildren,
  currentProcess,
  FurcaError,
  type FurcaErrorCode,
  functionIn,
  getAllStartMethods,
  getContext,
  getStartMethod,
  type ParentProcess,
  Process,
  parentProcess,
  type StartMethod,
  setStartMethod,
  WorkerLostError,
} from '../../src/index.js';
import { type Equal, type IsAny, must } from './exactly.js';

declare function greet(name: string, times: number): void;
declare function nothing(): Promise<void>;

export async function targetsAndArgumentsBelongTogether(): Promise<void> {
  const p = new Process({ target: greet, args: ['kel', 2], name: 'greeter', daemon: true });
  new Process({ target: nothing });
  new Process({ target: nothing, args: [] });
  new Process({ target: (times?: number) => console.log(times) });
  new Process({ target: functionIn('file:///srv/app/task.js', 'run') });
  new Process();
  new Process({ target: (x: number) => console.log(x), args: [1] });
  // @ts-expect-error - arguments are missing
  new Process({ target: greet });
  // @ts-expect-error - an empty list where two arguments are needed
  new Process({ target: greet, args: [] });
  // @ts-expect-error - the second argument is missing
  new Process({ target: greet, args: ['kel'] });
  // @ts-expect-error - an argument of the wrong type
  new Process({ target: greet, args: ['kel', 'twice'] });
  // @ts-expect-error - one argument too many
  new Process({ target: greet, args: ['kel', 2, 3] });
  // @ts-expect-error - an argument where none is taken
  new Process({ target: nothing, args: [1] });
  // @ts-expect-error - no function
  new Process({ target: 'greet', args: [] });
  // @ts-expect-error - no such option
  new Process({ target: nothing, timeout: 5 });
  // @ts-expect-error - no such stream
  new Process({ target: nothing, stdio: ['pipe', 'pipe'] });
  // @ts-expect-error - no such method
  new Process({ target: nothing, startMethod: 'clone' });
  await p.start();
  must<Equal<typeof p.pid, number | undefined>>();
  must<Equal<typeof p.exitCode, number | null>>();
  const ended = p.sentinel;
  must<Equal<typeof ended, Promise<number>>>();
  await p.join({ timeoutMs: 5 });
  // @ts-expect-error - numbers carry their unit: timeoutMs
  await p.join({ timeout: 5 });
  // @ts-expect-error - it is read only
  p.exitCode = 1;
  p.joinSync({ timeoutMs: 5 });
  // @ts-expect-error - nothing could abort a blocked thread
  p.joinSync({ signal: AbortSignal.timeout(5) });
}

export class Subclass extends Process {
  readonly #limit: number;

  constructor(limit: number) {
    super({ name: 'limited' });
    this.#limit = limit;
  }

  override run(): number {
    return this.#limit;
  }
}

export function theRestIsExactToo(): void {
  const children = activeChildren();
  must<Equal<typeof children, AnyProcess[]>>();
  const own = currentProcess();
  must<Equal<typeof own, AnyProcess>>();
  const parent = parentProcess();
  must<Equal<typeof parent, ParentProcess | null>>();
  const method = getStartMethod();
  must<Equal<typeof method, StartMethod>>();
  const unset = getStartMethod({ allowNone: true });
  must<Equal<typeof unset, StartMethod | null>>();
  const all = getAllStartMethods();
  must<Equal<typeof all, StartMethod[]>>();
  // @ts-expect-error - no such method
  setStartMethod('clone');
  const bound = new (getContext('spawn').Process)({ target: greet, args: ['kel', 1] });
  must<Equal<IsAny<typeof bound>, false>>();
  // @ts-expect-error - the first error of wrong arguments shows in a context too
  new (getContext('spawn').Process)({ target: greet, args: [1] });
}

export function errorsAreNarrowed(thrown: unknown): void {
  if (FurcaError.is(thrown)) {
    must<Equal<typeof thrown.code, FurcaErrorCode>>();
    // @ts-expect-error - no such code
    thrown.code === 'ERR_FURCA_NOPE';
  }
  if (thrown instanceof WorkerLostError) {
    must<Equal<typeof thrown.pid, number>>();
    must<Equal<typeof thrown.signal, NodeJS.Signals | null>>();
    must<Equal<typeof thrown.attempts, number>>();
  }
}
