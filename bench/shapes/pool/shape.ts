import type { Cell, Metric, Shape } from '../../runner/plan.js';
import { DEEP_PEERS, PEERS } from './peers.js';
import { callRows, flightRows, mapRows, pinnedCallRows, pinnedId } from './rows.js';

const CALL_METRICS: readonly [Metric, ...Metric[]] = [
  { name: 'p50', title: 'p50', unit: 'us' },
  { name: 'p95', title: 'p95', unit: 'us' },
  { name: 'mean', title: 'mean', unit: 'us' },
];

const call = (id: string): Cell => ({ row: `call:${id}`, metric: 'p50' });
const flight = (id: string): Cell => ({ row: `flight:${id}`, metric: 'perSecond' });
const map = (id: string): Cell => ({ row: `map:${id}`, metric: 'milliseconds' });

const processPools = PEERS.filter(({ isProcessPool }) => isProcessPool).map(({ id }) => id);

export const pool: Shape = {
  name: 'pool',
  timeoutMs: 120_000,
  tables: [
    {
      title: 'A no-op task, one call at a time',
      better: 'lower',
      metrics: CALL_METRICS,
      reference: 'call:piscina',
      rows: callRows,
    },
    {
      title: 'The same with parent and workers on one CPU, so that no idle CPU has to be woken',
      better: 'lower',
      metrics: CALL_METRICS,
      reference: pinnedId('call:piscina'),
      rows: pinnedCallRows,
    },
    {
      title: 'No-op tasks, 1,000 in flight, not chunked',
      better: 'higher',
      metrics: [{ name: 'perSecond', title: 'tasks', unit: '1/s' }],
      reference: 'flight:tinypool-threads-deep',
      rows: flightRows,
    },
    {
      title: 'map of a no-op over 1,000,000 numbers, default chunks',
      better: 'lower',
      metrics: [{ name: 'milliseconds', title: 'time', unit: 'ms' }],
      reference: 'map:cpython',
      rows: mapRows,
    },
  ],
  targets: [
    {
      kind: 'factor',
      claim: 'pool.apply, p50: not slower than piscina',
      better: 'lower',
      factor: 1,
      subject: call('furca'),
      rivals: [call('piscina')],
    },
    {
      kind: 'factor',
      claim: 'pool.apply, p50: 2 times faster than every process pool',
      better: 'lower',
      factor: 2,
      subject: call('furca'),
      rivals: [...processPools, 'cpython'].map(call),
    },
    {
      kind: 'factor',
      claim: '1,000 in flight: 6 times the best Node peer',
      better: 'higher',
      factor: 6,
      subject: flight('furca'),
      rivals: [...PEERS, ...DEEP_PEERS].map(({ id }) => flight(id)),
    },
    {
      kind: 'factor',
      claim: 'pool.map of 1,000,000: not slower than CPython Pool.map',
      better: 'lower',
      factor: 1,
      subject: map('furca'),
      rivals: [map('cpython')],
    },
  ],
};
