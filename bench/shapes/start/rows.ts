import type { Row } from '../../runner/plan.js';
import { startsOf } from './counts.js';
import type { FurcaStartMethod } from './furca.js';
import type { Life } from './memory.js';

/** What a process needs to fork itself: V8 must own no thread. */
const FORK_READY = ['--single-threaded', '--v8-pool-size=1'];

function cpython(method: string): Row {
  return {
    id: `cpython-${method}`,
    label: `CPython ${method}`,
    program: {
      kind: 'python',
      script: 'shapes/start/cpython.py',
      args: (mode) => [method, String(startsOf(mode))],
    },
    settings: '',
  };
}

function furca(method: FurcaStartMethod): Row {
  return {
    id: `furca-${method}`,
    label: `furca ${method}`,
    program: {
      kind: 'node',
      ...(method === 'fork' && { execArgv: FORK_READY }),
      observe: async (mode) => (await import('./furca.js')).observe(mode, method),
    },
    settings: method === 'fork' ? `the calling process runs with ${FORK_READY.join(' ')}` : '',
  };
}

export const startRows: readonly Row[] = [
  {
    id: 'child-process',
    label: 'child_process.fork',
    program: { kind: 'node', observe: async (mode) => (await import('./child-process.js')).observe(mode) },
    settings: '',
  },
  {
    id: 'worker',
    label: 'new Worker',
    program: { kind: 'node', observe: async (mode) => (await import('./worker.js')).observe(mode) },
    settings: '',
  },
  cpython('fork'),
  cpython('forkserver'),
  cpython('spawn'),
  furca('forkserver'),
  furca('fork'),
  furca('spawn'),
];

export function memoryId(who: 'child-process' | FurcaStartMethod, life: Life, count: number): string {
  return `memory-${life}-${who === 'child-process' ? who : `furca-${who}`}-${count}`;
}

/** Rows of children that stay alive side by side. */
export function memoryRows(life: Life): Row[] {
  const nodes = [1, 4].map(
    (count): Row => ({
      id: memoryId('child-process', life, count),
      label: `child_process.fork, ${count} alive`,
      program: {
        kind: 'node',
        observe: async () => (await import('./memory-child-process.js')).observe(count, life),
      },
      settings: '',
    }),
  );
  const own = (['forkserver', 'fork'] as const).flatMap((method) =>
    [1, 4, 60].map(
      (count): Row => ({
        id: memoryId(method, life, count),
        label: `furca ${method}, ${count} alive`,
        program: {
          kind: 'node',
          ...(method === 'fork' && { execArgv: FORK_READY }),
          observe: async () => (await import('./memory-furca.js')).observe(method, count, life),
        },
        settings: '',
      }),
    ),
  );
  return [...nodes, ...own];
}
