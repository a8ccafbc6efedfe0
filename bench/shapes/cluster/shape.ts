import type { Metric, Mode, Observation, Row, Shape } from '../../runner/plan.js';

type Furca = typeof import('./furca.js');

const RATE: readonly [Metric] = [{ name: 'perSecond', title: 'items', unit: '1/s' }];
const HOSTS = [1, 2] as const;
/** Of the throughput that a local pool of as many processes has. */
const SHARE_OF_LOCAL = 0.9;

function row(
  id: string,
  label: string,
  settings: string,
  observe: (furca: Furca, mode: Mode) => Promise<Observation>,
  execArgv: readonly string[] = [],
): Row {
  const program = async (mode: Mode): Promise<Observation> => observe(await import('./furca.js'), mode);
  return { id, label, program: { kind: 'node', execArgv, observe: program }, settings };
}

const noopRows: readonly Row[] = [
  {
    id: 'noop:bullmq',
    label: 'BullMQ, a job for each item, two workers',
    program: { kind: 'node', observe: async (mode) => (await import('./raw.js')).observeRaw(mode) },
    settings: 'addBulk by 1,000, concurrency 64, finished jobs removed',
  },
  row('noop:furca', 'furca map, two hosts of one process', '', (furca, mode) => furca.observeNoop(2, mode)),
];

function timedRows(hosts: number): readonly [Row, Row] {
  const plural = hosts === 1 ? '' : 's';
  return [
    row(`timed:local-${hosts}`, `furca Pool(${hosts})`, '', (furca, mode) => furca.observeLocal(hosts, mode)),
    row(`timed:cluster-${hosts}`, `cluster, ${hosts} host${plural} of one process`, '', (furca, mode) =>
      furca.observeTimed(hosts, mode),
    ),
  ];
}

const memoryRow: Row = row(
  'memory:furca',
  'furca imap, two hosts of one process',
  'looked at after a collection in caller and workers; growth is that of the last third of the looks over the first',
  (furca, mode) => furca.observeMemory(2, mode),
  ['--expose-gc'],
);

export const cluster: Shape = {
  name: 'cluster',
  timeoutMs: 900_000,
  tables: [
    {
      title: 'No-op items over two worker processes and one Redis',
      better: 'higher',
      metrics: RATE,
      reference: 'noop:bullmq',
      rows: noopRows,
    },
    ...HOSTS.map((hosts) => ({
      title: `Items of 10 ms, ${hosts} process${hosts === 1 ? '' : 'es'}`,
      better: 'higher' as const,
      metrics: RATE,
      reference: `timed:local-${hosts}`,
      rows: timedRows(hosts),
    })),
    {
      title: 'Memory over 1,000,000 no-op items from an async iterable',
      better: 'lower',
      metrics: [
        { name: 'caller', title: 'growth of the caller', unit: 'MiB' },
        { name: 'host', title: 'growth of the host that grew most', unit: 'MiB' },
      ],
      reference: 'memory:furca',
      rows: [memoryRow],
    },
  ],
  targets: [
    {
      kind: 'factor',
      claim: 'No-op items: 50 times BullMQ with a job for each',
      better: 'higher',
      factor: 50,
      subject: { row: 'noop:furca', metric: 'perSecond' },
      rivals: [{ row: 'noop:bullmq', metric: 'perSecond' }],
    },
    ...HOSTS.map((hosts) => ({
      kind: 'factor' as const,
      claim: `Items of 10 ms, ${hosts} process${hosts === 1 ? '' : 'es'}: 90 % of the local pool`,
      better: 'higher' as const,
      factor: SHARE_OF_LOCAL,
      subject: { row: `timed:cluster-${hosts}`, metric: 'perSecond' },
      rivals: [{ row: `timed:local-${hosts}`, metric: 'perSecond' }],
    })),
    {
      kind: 'limit',
      claim: 'Memory of caller and hosts over 1,000,000 items is flat',
      limit: 16,
      unit: 'MiB',
      subjects: [
        { row: 'memory:furca', metric: 'caller' },
        { row: 'memory:furca', metric: 'host' },
      ],
    },
  ],
};
