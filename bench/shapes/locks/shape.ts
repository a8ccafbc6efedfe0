import type { Row, Shape } from '../../runner/plan.js';

const uncontended: readonly Row[] = [
  {
    id: 'cpython-uncontended',
    label: 'CPython Lock',
    program: { kind: 'python', script: 'shapes/locks/cpython.py', args: (mode) => ['uncontended', mode] },
    settings: '',
  },
  {
    id: 'furca-uncontended',
    label: 'furca Lock',
    program: { kind: 'node', observe: async (mode) => (await import('./furca.js')).uncontended(mode) },
    settings: '',
  },
];

const contended: readonly Row[] = [
  {
    id: 'cpython-contended',
    label: 'CPython Lock',
    program: { kind: 'python', script: 'shapes/locks/cpython.py', args: (mode) => ['contended', mode] },
    settings: '',
  },
  {
    id: 'furca-contended',
    label: 'furca Lock',
    program: { kind: 'node', observe: async (mode) => (await import('./furca.js')).contended(mode) },
    settings: '',
  },
];

const regained: readonly Row[] = [
  {
    id: 'furca-regained',
    label: 'furca Lock',
    program: { kind: 'node', observe: async (mode) => (await import('./regained.js')).regained(mode) },
    settings: '',
  },
];

const shared: readonly Row[] = [
  {
    id: 'child-process-shared',
    label: 'child_process.fork',
    program: { kind: 'node', observe: async (mode) => (await import('./shared.js')).childProcess(mode) },
    settings: "serialization: 'advanced', which is the faster one for bytes",
  },
  {
    id: 'furca-shared',
    label: 'furca SharedArray',
    program: { kind: 'node', observe: async (mode) => (await import('./shared.js')).furca(mode) },
    settings: '',
  },
];

export const locks: Shape = {
  name: 'locks',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'tryAcquire and release of a lock that nobody else wants',
      better: 'lower',
      metrics: [{ name: 'pair', title: 'pair', unit: 'ns' }],
      reference: 'cpython-uncontended',
      rows: uncontended,
    },
    {
      title: 'Two processes that take and release one lock all the time, blocking',
      better: 'higher',
      metrics: [
        { name: 'changes', title: 'changes of owner', unit: '1/s' },
        { name: 'total', title: 'taken', unit: '1/s' },
      ],
      reference: 'cpython-contended',
      rows: contended,
    },
    {
      title: 'From SIGKILL of the owner until a blocked waiter has the lock (in CPython it never has)',
      better: 'lower',
      metrics: [
        { name: 'p50', title: 'p50', unit: 'ms' },
        { name: 'p99', title: 'p99', unit: 'ms' },
      ],
      reference: 'furca-regained',
      rows: regained,
    },
    {
      title: '64 MiB to a running child, changed there, and back',
      better: 'lower',
      metrics: [{ name: 'trip', title: 'there and back', unit: 'ms' }],
      reference: 'child-process-shared',
      rows: shared,
    },
  ],
  targets: [
    {
      kind: 'factor',
      claim: 'Uncontended tryAcquire and release: not slower than CPython',
      better: 'lower',
      factor: 1,
      subject: { row: 'furca-uncontended', metric: 'pair' },
      rivals: [{ row: 'cpython-uncontended', metric: 'pair' }],
    },
    {
      kind: 'factor',
      claim: 'Contended by two processes: twice the changes of owner of CPython',
      better: 'higher',
      factor: 2,
      subject: { row: 'furca-contended', metric: 'changes' },
      rivals: [{ row: 'cpython-contended', metric: 'changes' }],
    },
    {
      kind: 'limit',
      claim: 'Regained after SIGKILL of the owner, p99',
      limit: 5,
      unit: 'ms',
      subjects: [{ row: 'furca-regained', metric: 'p99' }],
    },
    {
      kind: 'factor',
      claim: '64 MiB there and back: under 1 % of child_process.fork',
      better: 'lower',
      factor: 100,
      subject: { row: 'furca-shared', metric: 'trip' },
      rivals: [{ row: 'child-process-shared', metric: 'trip' }],
    },
  ],
};
