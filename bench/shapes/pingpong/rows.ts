import type { Row } from '../../runner/plan.js';
import { tripsOf } from './counts.js';
import { tripMetrics } from './trips.js';

/** Both sides wherever the kernel puts them, which is what a program gets. */
export const rows: readonly Row[] = [
  {
    id: 'child-process',
    label: 'child_process.send',
    program: { kind: 'node', observe: async (mode) => (await import('./child-process.js')).observe(mode) },
    settings: '',
  },
  {
    id: 'worker',
    label: 'Worker postMessage',
    program: { kind: 'node', observe: async (mode) => (await import('./worker.js')).observe(mode) },
    settings: '',
  },
  {
    id: 'cpython',
    label: 'CPython Pipe',
    program: {
      kind: 'python',
      script: 'shapes/pingpong/cpython.py',
      args: (mode) => {
        const { warmUp, measured } = tripsOf(mode);
        return [String(warmUp), String(measured)];
      },
    },
    settings: '',
  },
  {
    id: 'furca',
    label: 'furca',
    program: {
      kind: 'node',
      observe: async (mode) => {
        const { warmUp, measured } = tripsOf(mode);
        return tripMetrics(await (await import('./furca.js')).roundTrips(warmUp, measured));
      },
    },
    settings: '',
  },
];

export const pinnedId = (id: string): string => `${id}-pinned`;

/** Both sides on one CPU: waking an idle CPU costs more than all the rest, above all in a virtual machine. */
export const pinnedRows: readonly Row[] = rows.map((row) => ({
  ...row,
  id: pinnedId(row.id),
  label: `${row.label}, one CPU`,
  isPinned: true,
}));
