import type { Shape } from '../../runner/plan.js';

export const losses: Shape = {
  name: 'losses',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'SIGKILL of the only worker, in the middle of a task',
      better: 'lower',
      metrics: [
        { name: 'replacedP50', title: 'next task answered, p50', unit: 'ms' },
        { name: 'replacedP99', title: 'p99', unit: 'ms' },
        { name: 'rejectedP50', title: 'task rejected, p50', unit: 'ms' },
        { name: 'rejectedP99', title: 'p99', unit: 'ms' },
      ],
      reference: 'workerpool-processes',
      rows: [
        {
          id: 'workerpool-processes',
          label: 'workerpool, processes',
          program: {
            kind: 'node',
            observe: async (mode) => (await import('./workerpool.js')).processes(mode),
          },
          settings: "`workerType: 'process'`, one worker",
        },
        {
          id: 'furca',
          label: 'furca Pool',
          program: { kind: 'node', observe: async (mode) => (await import('./furca.js')).furca(mode) },
          settings: '',
        },
      ],
    },
  ],
  targets: [
    {
      kind: 'limit',
      claim: 'The task of a killed worker is rejected, p99',
      limit: 100,
      unit: 'ms',
      subjects: [{ row: 'furca', metric: 'rejectedP99' }],
    },
    {
      kind: 'limit',
      claim: 'Its replacement has answered the next task, p50',
      limit: 20,
      unit: 'ms',
      subjects: [{ row: 'furca', metric: 'replacedP50' }],
    },
  ],
};
