import type { Cell, Metric, Shape } from '../../runner/plan.js';
import { memoryId, memoryRows, startRows } from './rows.js';

const MEMORY: readonly [Metric, ...Metric[]] = [
  { name: 'dirtyMb', title: 'private dirty', unit: 'MB' },
  { name: 'largestDirtyMb', title: 'largest child', unit: 'MB' },
  { name: 'pssMb', title: 'Pss', unit: 'MB' },
];

const p50 = (row: string): Cell => ({ row, metric: 'p50' });
const first = (row: string): Cell => ({ row, metric: 'first' });

export const start: Shape = {
  name: 'start',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'Start to first message, one after another, after the first',
      better: 'lower',
      metrics: [
        { name: 'p50', title: 'p50', unit: 'ms' },
        { name: 'p95', title: 'p95', unit: 'ms' },
      ],
      reference: 'child-process',
      rows: startRows,
    },
    {
      title: 'Start to first message, the first start of a fresh process (helpers start with it)',
      better: 'lower',
      metrics: [{ name: 'first', title: 'first', unit: 'ms' }],
      reference: 'child-process',
      rows: startRows,
    },
    {
      title: 'Memory of a child that is idle since its start, mean of those alive',
      better: 'lower',
      metrics: MEMORY,
      reference: memoryId('child-process', 'idle', 1),
      rows: memoryRows('idle'),
    },
    {
      title: 'Memory of a child that is idle after one small task, mean of those alive',
      better: 'lower',
      metrics: MEMORY,
      reference: memoryId('child-process', 'worked', 1),
      rows: memoryRows('worked'),
    },
  ],
  targets: [
    {
      kind: 'factor',
      claim: 'Process start to first message, forkserver, warm: 10 times faster than child_process.fork',
      better: 'lower',
      factor: 10,
      subject: p50('furca-forkserver'),
      rivals: [p50('child-process')],
    },
    {
      kind: 'factor',
      claim: 'Process start to first message, forkserver, warm: not slower than CPython fork',
      better: 'lower',
      factor: 1,
      subject: p50('furca-forkserver'),
      rivals: [p50('cpython-fork')],
    },
    {
      kind: 'limit',
      claim: 'Private dirty memory of an idle forked child (the largest) is at most 4 MB',
      limit: 4,
      unit: 'MB',
      subjects: (['forkserver', 'fork'] as const).flatMap((method) =>
        [1, 4, 60].map((count) => ({ row: memoryId(method, 'idle', count), metric: 'largestDirtyMb' })),
      ),
    },
    {
      kind: 'factor',
      claim: "The zygote's own start takes at most 1.5 times a child_process.fork",
      better: 'lower',
      factor: 1 / 1.5,
      subject: first('furca-forkserver'),
      rivals: [first('child-process')],
    },
  ],
};
