import type { Row, Shape, Target } from '../../runner/plan.js';

type Kind = 'reference' | 'constants' | 'object' | 'argument' | 'reassigned';

const hot = (kind: Kind, label: string): Row => ({
  id: `hot:${kind}`,
  label,
  program: { kind: 'node', observe: async (mode) => (await import('./hot.js'))[kind](mode) },
  settings: '',
});

const after = (kind: 'untouched' | 'lookedAt', label: string): Row => ({
  id: `after:${kind}`,
  label,
  program: { kind: 'node', observe: async (mode) => (await import('./slowed.js'))[kind](mode) },
  settings: '',
});

export const closures: Shape = {
  name: 'closures',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'A function sent again: time of the call in the parent',
      better: 'lower',
      metrics: [
        { name: 'p50', title: 'p50', unit: 'us' },
        { name: 'p95', title: 'p95', unit: 'us' },
      ],
      reference: 'hot:reference',
      rows: [
        hot('reference', 'exported function'),
        hot('constants', 'closure over constants'),
        hot('object', 'closure over an object'),
        hot('argument', 'closure among the arguments'),
        hot('reassigned', 'closure over a reassigned variable'),
      ],
    },
    {
      title: 'Loops of the parent after 50 calls: times as long as before',
      better: 'lower',
      metrics: [
        { name: 'log', title: 'console.log', unit: 'x' },
        { name: 'await', title: 'await', unit: 'x' },
        { name: 'throw', title: 'throw', unit: 'x' },
      ],
      reference: 'after:untouched',
      rows: [
        after('untouched', 'exported function sent'),
        after('lookedAt', 'closure sent, looked at each time'),
      ],
    },
  ],
  targets: [
    {
      kind: 'limit',
      claim: 'A hot closure, sent again',
      limit: 20,
      unit: 'us',
      subjects: (['constants', 'object', 'argument', 'reassigned'] as const).map((kind) => ({
        row: `hot:${kind}`,
        metric: 'p50',
      })),
    },
    ...['log', 'await', 'throw'].map(
      (metric): Target => ({
        kind: 'factor',
        claim: `${metric} in the parent after looks by the inspector, with 15 % for what cannot be told apart`,
        better: 'lower',
        factor: 1 / 1.15,
        subject: { row: 'after:lookedAt', metric },
        rivals: [{ row: 'after:untouched', metric }],
      }),
    ),
  ],
};
