import type { Metric, Row, Shape } from '../../runner/plan.js';

const RESPONSE: readonly [Metric, ...Metric[]] = [
  { name: 'p95', title: 'p95', unit: 'ms' },
  { name: 'p50', title: 'p50', unit: 'ms' },
  { name: 'p99', title: 'p99', unit: 'ms' },
];

const short = (['fcfs', 'mlfq'] as const).map(
  (policy): Row => ({
    id: `short:${policy}`,
    label: policy,
    program: {
      kind: 'node',
      observe: async (mode) => (await import('./short-tasks.js')).shortTasks(policy, mode),
    },
    settings: '',
  }),
);

const textbook = (['fcfs', 'sjf'] as const).map(
  (policy): Row => ({
    id: `textbook:${policy}`,
    label: policy,
    program: {
      kind: 'node',
      observe: async (mode) => (await import('./textbook.js')).textbook(policy, mode),
    },
    settings: '',
  }),
);

const streams: readonly Row[] = [
  {
    id: 'items:map',
    label: 'map',
    program: { kind: 'node', observe: async (mode) => (await import('./streams.js')).mapped(mode) },
    settings: '',
  },
  {
    id: 'items:imapUnordered',
    label: 'imapUnordered, async iterable',
    program: { kind: 'node', observe: async (mode) => (await import('./streams.js')).streamed(mode) },
    settings: '',
  },
];

export const schedule: Shape = {
  name: 'schedule',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'Tasks of 1 ms while each of two workers has one of 10 s: from call to result',
      better: 'lower',
      metrics: RESPONSE,
      reference: 'short:fcfs',
      rows: short,
    },
    {
      title: 'The textbook trace (8, 4, 9 and 5 units that come one after another), one worker',
      better: 'lower',
      metrics: [
        { name: 'turnaround', title: 'mean turnaround', unit: 'ms' },
        { name: 'excess', title: 'more than simulated', unit: '%' },
      ],
      reference: 'textbook:fcfs',
      rows: textbook,
    },
    {
      title: 'A no-op over 1,000,000 numbers, default chunks',
      better: 'higher',
      metrics: [
        { name: 'perSecond', title: 'items', unit: '1/s' },
        { name: 'growth', title: 'memory more than at the first tenth', unit: 'MiB' },
      ],
      reference: 'items:map',
      rows: streams,
    },
  ],
  targets: [
    {
      kind: 'limit',
      claim: 'Tasks of 1 ms beside tasks of 10 s, under mlfq, p95',
      limit: 20,
      unit: 'ms',
      subjects: [{ row: 'short:mlfq', metric: 'p95' }],
    },
    {
      kind: 'limit',
      claim: 'Mean turnaround of the textbook trace under sjf, more than the simulated optimum',
      limit: 10,
      unit: '%',
      subjects: [{ row: 'textbook:sjf', metric: 'excess' }],
    },
    {
      kind: 'factor',
      claim: 'imapUnordered over an async iterable: half of map',
      better: 'higher',
      factor: 0.5,
      subject: { row: 'items:imapUnordered', metric: 'perSecond' },
      rivals: [{ row: 'items:map', metric: 'perSecond' }],
    },
    {
      kind: 'limit',
      claim: 'Memory of imapUnordered is flat: growth after the first tenth of 1,000,000 items',
      limit: 32,
      unit: 'MiB',
      subjects: [{ row: 'items:imapUnordered', metric: 'growth' }],
    },
  ],
};
