import type { Cell, Metric, Shape } from '../../runner/plan.js';
import { pinnedId, pinnedRows, rows } from './rows.js';

const METRICS: readonly [Metric, ...Metric[]] = [
  { name: 'p50', title: 'p50', unit: 'us' },
  { name: 'p95', title: 'p95', unit: 'us' },
  { name: 'mean', title: 'mean', unit: 'us' },
];

const p50 = (row: string): Cell => ({ row, metric: 'p50' });

export const pingPong: Shape = {
  name: 'pingpong',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'Round trip of a small integer, parent to child and back',
      better: 'lower',
      metrics: METRICS,
      reference: 'child-process',
      rows,
    },
    {
      title: 'The same with both sides on one CPU, so that no idle CPU has to be woken',
      better: 'lower',
      metrics: METRICS,
      reference: pinnedId('child-process'),
      rows: pinnedRows,
    },
  ],
  targets: [
    {
      kind: 'factor',
      claim: 'Round trip, both blocking: 4 times faster than CPython Pipe',
      better: 'lower',
      factor: 4,
      subject: p50('furca'),
      rivals: [p50('cpython')],
    },
    {
      kind: 'factor',
      claim: 'Round trip, both blocking: 3 times faster than child_process.send',
      better: 'lower',
      factor: 3,
      subject: p50('furca'),
      rivals: [p50('child-process')],
    },
  ],
};
