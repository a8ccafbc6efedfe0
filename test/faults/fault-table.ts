import { functionIn, type Pool, type PoolOptions } from '../../src/index.js';
import { commitFault, type Fault } from '../fixtures/pool-commit-fault.js';

export const PHASES = ['starting', 'initializer', 'running', 'streaming', 'returning', 'closing'] as const;
export type Phase = (typeof PHASES)[number];

export const KINDS = ['process', 'thread'] as const;
export type Kind = (typeof KINDS)[number];

/** How a cell of the table ends. */
export type Cell =
  | { readonly ends: 'rejects'; readonly code: string; readonly fields?: Readonly<Record<string, unknown>> }
  | { readonly ends: 'resolves'; readonly value: unknown; readonly because: string }
  | { readonly ends: 'is impossible'; readonly because: string };

const LOST = 'ERR_FURCA_WORKER_LOST';
const TOO_LONG = 'ERR_FURCA_TASK_TIMEOUT';
const NOT_SENDABLE = 'ERR_FURCA_NOT_SENDABLE';

const rejects = (code: string, fields: Readonly<Record<string, unknown>> = {}): Cell => ({
  ends: 'rejects',
  code,
  fields,
});

/** What a fault comes to while a task is the worker's own code. */
const OF_TASKS: Readonly<Record<Kind, Readonly<Record<Fault, Cell>>>> = {
  process: {
    throw: rejects('E_PURPOSE', { name: 'RangeError' }),
    exit: rejects(LOST, { reason: 'exit', exitCode: 3, signal: null }),
    SIGKILL: rejects(LOST, { reason: 'signal', exitCode: -9, signal: 'SIGKILL' }),
    SIGSTOP: rejects(TOO_LONG, { name: 'TimeoutError' }),
    hang: rejects(TOO_LONG, { name: 'TimeoutError' }),
    'heap limit': rejects(LOST, { reason: 'heap', signal: 'SIGABRT' }),
    'unsendable result': rejects(NOT_SENDABLE, { stage: 'send' }),
    'unsendable error': rejects(NOT_SENDABLE, { stage: 'send' }),
  },
  thread: {
    throw: rejects('E_PURPOSE', { name: 'RangeError' }),
    exit: rejects(LOST, { reason: 'exit', exitCode: 3, signal: null }),
    SIGKILL: impossibleForThreads(),
    SIGSTOP: impossibleForThreads(),
    hang: rejects(TOO_LONG, { name: 'TimeoutError' }),
    'heap limit': rejects(LOST, { reason: 'heap', exitCode: 1, signal: null }),
    'unsendable result': rejects(NOT_SENDABLE, { stage: 'send' }),
    'unsendable error': rejects(NOT_SENDABLE, { stage: 'send' }),
  },
};

function impossibleForThreads(): Cell {
  return {
    ends: 'is impossible',
    because: 'a signal is for the whole process: a thread has none of its own',
  };
}

/** Where a phase differs from the above. */
const OF_PHASES: Partial<Readonly<Record<Phase, Partial<Readonly<Record<Fault, Cell>>>>>> = {
  starting: {
    throw: rejects(NOT_SENDABLE, { stage: 'receive' }),
    'unsendable error': rejects(NOT_SENDABLE, { stage: 'receive' }),
    'unsendable result': {
      ends: 'resolves',
      value: 'loaded',
      because: 'what a module computes while it is loaded goes nowhere',
    },
  },
  initializer: {
    exit: rejects('ERR_FURCA_BROKEN', { name: 'BrokenError' }),
    SIGKILL: rejects('ERR_FURCA_BROKEN', { name: 'BrokenError' }),
    'heap limit': rejects('ERR_FURCA_BROKEN', { name: 'BrokenError' }),
    // An initializer may take as long as it likes; the caller's own limit ends the wait.
    SIGSTOP: rejects('ERR_FURCA_DEADLINE', { name: 'TimeoutError' }),
    hang: rejects('ERR_FURCA_DEADLINE', { name: 'TimeoutError' }),
    'unsendable result': {
      ends: 'resolves',
      value: 'next',
      because: 'what an initializer returns goes nowhere',
    },
  },
  returning: {
    // It is a getter of the result that throws: the result cannot be sent, and the cause says why.
    throw: rejects(NOT_SENDABLE, { stage: 'send' }),
  },
};

export function cellOf(kind: Kind, phase: Phase, fault: Fault): Cell {
  const ofTask = OF_TASKS[kind][fault];
  return ofTask.ends === 'is impossible' ? ofTask : (OF_PHASES[phase]?.[fault] ?? ofTask);
}

const nextTask = (): string => 'next';

/** What a run of a cell gives: the guilty call, one that is given after it, and what ends the pool. */
export interface CellRun {
  readonly guilty: Promise<unknown>;
  readonly next: () => Promise<unknown>;
  readonly end: () => Promise<void>;
}

/** Options of the pool in which a cell is run. */
export function optionsOf(phase: Phase, fault: Fault): PoolOptions {
  return {
    killGraceMs: 50,
    ...(fault === 'heap limit' ? { resourceLimits: { maxOldGenerationSizeMb: 20 } } : {}),
    ...(phase === 'initializer' ? { initializer: commitFault, initArgs: [fault] } : {}),
  };
}

/** @param limitMs - What a task may take that never ends by itself. */
export function runCell(pool: Pool, phase: Phase, fault: Fault, limitMs: number): CellRun {
  const isEndless = fault === 'hang' || fault === 'SIGSTOP';
  const options = isEndless ? { taskTimeoutMs: limitMs } : {};
  const next = (): Promise<unknown> => pool.apply(nextTask);
  const end = (): Promise<void> => pool.terminate();
  const task = (which: Fault): unknown => commitFault(which);
  switch (phase) {
    case 'starting': {
      const module = new URL(`../fixtures/pool-faulty-module.js?fault=${fault}`, import.meta.url);
      return { guilty: pool.apply(functionIn<() => string>(module, 'work'), [], options), next, end };
    }
    case 'initializer': {
      const bounded = (): Promise<unknown> =>
        pool.apply(nextTask, [], isEndless ? { deadline: Date.now() + limitMs } : {});
      return { guilty: bounded(), next: bounded, end };
    }
    case 'running':
      return { guilty: pool.apply(task, [fault], options), next, end };
    case 'streaming':
      return { guilty: secondOf(pool, fault, options), next, end };
    case 'returning': {
      const withGetter = (which: Fault): unknown => ({
        get value() {
          return commitFault(which);
        },
      });
      return { guilty: pool.apply(withGetter, [fault], options), next, end };
    }
    case 'closing': {
      const guilty = pool.apply(task, [fault], options);
      const accepted = pool.apply(nextTask);
      const closed = pool.close();
      return { guilty, next: () => accepted, end: () => closed };
    }
  }
}

async function secondOf(pool: Pool, fault: Fault, options: object): Promise<unknown> {
  const faulty = async function* (which: Fault): AsyncGenerator<unknown> {
    yield 'first';
    yield commitFault(which);
  };
  const stream = pool.stream(faulty, [fault], options);
  const first = await stream.next();
  if (first.value !== 'first') throw new Error(`The stream began with ${String(first.value)}.`);
  return (await stream.next()).value;
}
