import type { Mode, Observation, Row } from '../../runner/plan.js';
import { countsOf, mebibytes } from './counts.js';

type Observe = (mode: Mode) => Promise<Observation>;

function node(id: string, label: string, observe: Observe, settings = ''): Row {
  return { id, label, program: { kind: 'node', observe }, settings };
}

function python(id: string, label: string, args: (mode: Mode) => readonly (string | number)[]): Row {
  const script = 'shapes/queue/cpython.py';
  return {
    id,
    label,
    program: { kind: 'python', script, args: (mode) => args(mode).map(String) },
    settings: '',
  };
}

const ADVANCED = "serialization: 'advanced'";

/** Small objects from `producers` to one. */
export function itemRows(producers: number): readonly Row[] {
  const id = (name: string): string => `items-${producers}:${name}`;
  return [
    node(
      id('child-process'),
      'child_process.send',
      async (mode) => (await import('./child-process.js')).observeItems(mode, producers),
      ADVANCED,
    ),
    python(id('cpython'), 'CPython Queue', (mode) => ['items', producers, countsOf(mode).items]),
    node(id('furca'), 'furca Queue, getSync', async (mode) =>
      (await import('./furca.js')).observeQueue(mode, producers, false),
    ),
    node(id('furca-await'), 'furca Queue, await get', async (mode) =>
      (await import('./furca.js')).observeQueue(mode, producers, true),
    ),
  ];
}

/** Round trips of a small integer. */
export const tripRows: readonly Row[] = [
  node(
    'trips:child-process',
    'child_process.send',
    async (mode) => (await import('./child-process.js')).observeTrips(mode),
    ADVANCED,
  ),
  python('trips:cpython', 'CPython Pipe', (mode) => [
    'trips',
    countsOf(mode).warmUpTrips,
    countsOf(mode).trips,
  ]),
  node('trips:furca', 'furca Pipe, both blocking', async (mode) =>
    (await import('./furca.js')).observeTrips(mode, false),
  ),
  node('trips:furca-await', 'furca Pipe, one side awaiting', async (mode) =>
    (await import('./furca.js')).observeTrips(mode, true),
  ),
];

/** Buffers of so many bytes, one way. */
export function volumeRows(bytes: number): readonly Row[] {
  const id = (name: string): string => `volume-${bytes}:${name}`;
  return [
    node(
      id('child-process'),
      'child_process.send',
      async (mode) => (await import('./child-process.js')).observeVolume(mode, bytes),
      ADVANCED,
    ),
    python(id('cpython'), 'CPython Pipe', (mode) => [
      'volume',
      bytes,
      Math.max(4, countsOf(mode).volumeBytes / bytes),
    ]),
    node(id('memcpy'), 'a plain copy in one process', async () => copyRate(bytes)),
    node(id('furca'), 'furca Pipe, recvBytesSync', async (mode) =>
      (await import('./furca.js')).observeVolume(mode, bytes),
    ),
    node(id('furca-into'), 'furca Pipe, recvBytesIntoSync', async (mode) =>
      (await import('./furca.js')).observeVolume(mode, bytes, true),
    ),
    node(id('furca-queue'), 'furca Queue, getSync', async (mode) =>
      (await import('./furca.js')).observeArrays(mode, bytes, false),
    ),
    node(id('furca-lent'), 'furca Queue, getSync, zeroCopy', async (mode) =>
      (await import('./furca.js')).observeArrays(mode, bytes, true),
    ),
  ];
}

/** Between two buffers that have been touched before. */
async function copyRate(bytes: number): Promise<Observation> {
  const source = new Uint8Array(bytes).fill(1);
  const target = new Uint8Array(bytes).fill(2);
  const count = Math.max(16, 2 ** 31 / bytes);
  const began = performance.now();
  for (let n = 0; n < count; n++) target.set(source);
  return { metrics: mebibytes(count, bytes, performance.now() - began) };
}
