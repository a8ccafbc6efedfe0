import type { Mode, Observation, Row } from '../../runner/plan.js';
import { countsOf } from './counts.js';
import { observeCalls, observeExtrapolatedMap, observeFlight } from './measure.js';
import { DEEP_PEERS, PEERS, type Peer } from './peers.js';
import type { BenchPool } from './pool-adapter.js';

type Measure = (mode: Mode, pool: BenchPool) => Promise<Observation>;

function peer(prefix: string, { id, label, settings, open }: Peer, measure: Measure, mark = ''): Row {
  return {
    id: `${prefix}:${id}`,
    label: label + mark,
    program: { kind: 'node', observe: async (mode) => measure(mode, await open()) },
    settings,
  };
}

function cpython(id: string, label: string, measure: string): Row {
  return {
    id,
    label,
    program: {
      kind: 'python',
      script: 'shapes/pool/cpython.py',
      args: (mode) => [measure, JSON.stringify(countsOf(mode))],
    },
    settings: '',
  };
}

function furca(id: string, label: string, observe: (mode: Mode) => Promise<Observation>): Row {
  return { id, label, program: { kind: 'node', observe }, settings: '' };
}

export const callRows: readonly Row[] = [
  ...PEERS.map((each) => peer('call', each, observeCalls)),
  cpython('call:cpython', 'CPython Pool.apply', 'calls'),
  furca('call:furca', 'furca apply', async (mode) => observeCalls(mode, (await import('./furca.js')).open())),
];

export const pinnedId = (id: string): string => `${id}-pinned`;

/** The same calls without the cost of waking an idle CPU, which in a virtual machine is most of them. */
export const pinnedCallRows: readonly Row[] = callRows.map((row) => ({
  ...row,
  id: pinnedId(row.id),
  label: `${row.label}, one CPU`,
  isPinned: true,
}));

export const flightRows: readonly Row[] = [
  ...[...PEERS, ...DEEP_PEERS].map((each) => peer('flight', each, observeFlight)),
  cpython('flight:cpython-window', 'CPython apply_async', 'window'),
  cpython('flight:cpython-imap', 'CPython imap_unordered, chunksize 1', 'imap'),
  furca('flight:furca', 'furca apply', async (mode) =>
    observeFlight(mode, (await import('./furca.js')).open()),
  ),
  furca('flight:furca-imap', 'furca imapUnordered, chunkSize 1', async (mode) =>
    (await import('./furca.js')).observeStream(mode),
  ),
];

/** Each peer in its better form only. */
export const mapRows: readonly Row[] = [
  cpython('map:cpython', 'CPython Pool.map', 'map'),
  furca('map:furca', 'furca map', async (mode) => (await import('./furca.js')).observeMap(mode)),
  ...[...DEEP_PEERS, ...PEERS.filter(({ id }) => id === 'workerpool')].map((each) =>
    peer('map', each, observeExtrapolatedMap, ' (no map: extrapolated)'),
  ),
];
