import type { Cell, Metric, Shape, Table, Target } from '../../runner/plan.js';
import { itemRows, tripRows, volumeRows } from './rows.js';

const MIB = 2 ** 20;
const RATE: readonly [Metric] = [{ name: 'perSecond', title: 'items', unit: '1/s' }];
const VOLUME: readonly [Metric] = [{ name: 'mebibytes', title: 'rate', unit: 'MiB/s' }];

function itemTable(producers: number, title: string): Table {
  const reference = `items-${producers}:child-process`;
  return { title, better: 'higher', metrics: RATE, reference, rows: itemRows(producers) };
}

function volumeTable(bytes: number, title: string): Table {
  const reference = `volume-${bytes}:child-process`;
  return { title, better: 'higher', metrics: VOLUME, reference, rows: volumeRows(bytes) };
}

const items = (producers: number, id: string): Cell => ({
  row: `items-${producers}:${id}`,
  metric: 'perSecond',
});
const volume = (bytes: number, id: string): Cell => ({ row: `volume-${bytes}:${id}`, metric: 'mebibytes' });
const trip = (id: string): Cell => ({ row: `trips:${id}`, metric: 'p50' });

function atLeast(claim: string, factor: number, subject: Cell, rival: Cell, isLower = false): Target {
  return { kind: 'factor', claim, better: isLower ? 'lower' : 'higher', factor, subject, rivals: [rival] };
}

export const queue: Shape = {
  name: 'queue',
  timeoutMs: 180_000,
  tables: [
    itemTable(1, 'Small objects through a queue, one producer to one consumer'),
    itemTable(4, 'Small objects through a queue, four producers to one consumer'),
    {
      title: 'Round trip of a small integer over a Pipe',
      better: 'lower',
      metrics: [
        { name: 'p50', title: 'p50', unit: 'us' },
        { name: 'p95', title: 'p95', unit: 'us' },
        { name: 'mean', title: 'mean', unit: 'us' },
      ],
      reference: 'trips:child-process',
      rows: tripRows,
    },
    volumeTable(MIB, 'Buffers of 1 MiB, one way'),
    volumeTable(64 * MIB, 'Buffers of 64 MiB, one way'),
  ],
  targets: [
    atLeast("Queue one to one: 5 times CPython's", 5, items(1, 'furca'), items(1, 'cpython')),
    atLeast('Queue one to one: 5 times child_process.send', 5, items(1, 'furca'), items(1, 'child-process')),
    atLeast("Queue four to one: 3 times CPython's", 3, items(4, 'furca'), items(4, 'cpython')),
    atLeast('Pipe, both blocking: 4 times faster than CPython', 4, trip('furca'), trip('cpython'), true),
    atLeast(
      'Pipe, awaiting on one side: not slower than child_process.send',
      1,
      trip('furca-await'),
      trip('child-process'),
      true,
    ),
    ...[MIB, 64 * MIB].flatMap((bytes) => [
      atLeast(
        `Buffers of ${bytes / MIB} MiB: 5 times child_process.send`,
        5,
        volume(bytes, 'furca'),
        volume(bytes, 'child-process'),
      ),
      atLeast(
        `Buffers of ${bytes / MIB} MiB: an eighth of a plain copy`,
        1 / 8,
        volume(bytes, 'furca'),
        volume(bytes, 'memcpy'),
      ),
      atLeast(
        `Arrays of ${bytes / MIB} MiB with zeroCopy: half of a plain copy`,
        1 / 2,
        volume(bytes, 'furca-lent'),
        volume(bytes, 'memcpy'),
      ),
    ]),
  ],
};
