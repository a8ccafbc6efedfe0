import type { BenchPool } from './pool-adapter.js';

/** A pool of the npm registry, as its documentation advises to set it up. */
export interface Peer {
  readonly id: string;
  readonly label: string;
  readonly settings: string;
  /** Whether its workers are processes, as furca's are, and not threads. */
  readonly isProcessPool: boolean;
  readonly open: () => Promise<BenchPool>;
}

const SIZE = 'as many minimum as maximum workers (2)';
/** Enough to keep two workers fed with 1,000 tasks in flight; 8 gave less, 500 not more. */
const DEEP = 64;

/** Every peer with one task per worker at a time, which is the default of all. */
export const PEERS: readonly Peer[] = [
  {
    id: 'piscina',
    label: 'piscina',
    settings: `${SIZE}, FixedQueue, recordTiming off, atomics as by default (sync)`,
    isProcessPool: false,
    open: async () => (await import('./piscina.js')).open(1),
  },
  {
    id: 'tinypool-threads',
    label: 'tinypool worker_threads',
    settings: `${SIZE}, atomics as by default (on)`,
    isProcessPool: false,
    open: async () => (await import('./tinypool.js')).open('worker_threads', 1),
  },
  {
    id: 'tinypool-processes',
    label: 'tinypool child_process',
    settings: `${SIZE}, serialization as by default (json; advanced was slower for numbers)`,
    isProcessPool: true,
    open: async () => (await import('./tinypool.js')).open('child_process', 1),
  },
  {
    id: 'workerpool',
    label: 'workerpool process',
    settings: `${SIZE}, a dedicated worker script, serialization as by default (json)`,
    isProcessPool: true,
    open: async () => (await import('./workerpool.js')).open(),
  },
];

/** The peers that can hand a worker further tasks before it answered: much better with many in flight. */
export const DEEP_PEERS: readonly Peer[] = [
  {
    id: 'piscina-deep',
    label: `piscina, ${DEEP} per worker`,
    settings: `as piscina, and concurrentTasksPerWorker ${DEEP}`,
    isProcessPool: false,
    open: async () => (await import('./piscina.js')).open(DEEP),
  },
  {
    id: 'tinypool-threads-deep',
    label: `tinypool worker_threads, ${DEEP} per worker`,
    settings: `as tinypool worker_threads, and concurrentTasksPerWorker ${DEEP}`,
    isProcessPool: false,
    open: async () => (await import('./tinypool.js')).open('worker_threads', DEEP),
  },
  {
    id: 'tinypool-processes-deep',
    label: `tinypool child_process, ${DEEP} per worker`,
    settings: `as tinypool child_process, and concurrentTasksPerWorker ${DEEP}`,
    isProcessPool: true,
    open: async () => (await import('./tinypool.js')).open('child_process', DEEP),
  },
];
