import { createServer, type Server } from 'node:http';
import type { ClusterWorker, ClusterWorkerStats } from '../cluster.js';
import { Mistake } from './mistake.js';

/** A worker that has not heard of its broker for so long is not well, in milliseconds. */
const SILENT_MS = 30_000;

/** A server for those who watch over a worker. */
export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` and `/metrics`.
 *
 * @param at - A port on loopback, or `address:port`.
 * @throws {@link Mistake} it cannot listen there.
 */
export async function serveHealth(at: string, workers: readonly ClusterWorker[]): Promise<HealthServer> {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d{1,5})$/.exec(at) ?? [];
  if (port === undefined) throw new Mistake(`'${at}' is no port, nor an address and a port`);
  const server = createServer((request, response) => {
    const stats = workers.map((worker) => worker.stats());
    if (request.url === '/healthz') {
      const isWell = stats.every(({ heardAt }) => Date.now() - heardAt < SILENT_MS);
      response.writeHead(isWell ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(isWell ? 'ok\n' : 'the broker was not heard of\n');
    } else if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(metricsOf(stats));
    } else response.writeHead(404).end();
  });
  await listening(server, Number(port), host);
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Mistake(`cannot listen at ${host}:${port}: ${error.message}`)),
    );
    server.listen(port, host, resolve);
  });
}

/** In the text format of Prometheus. */
export function metricsOf(stats: readonly ClusterWorkerStats[]): string {
  const sum = (read: (one: ClusterWorkerStats) => number): number =>
    stats.reduce((total, one) => total + read(one), 0);
  const refused = new Map<string, number>();
  for (const one of stats)
    for (const [reason, count] of Object.entries(one.refused))
      refused.set(reason, (refused.get(reason) ?? 0) + count);
  const lines = [
    ...metric(
      'active_chunks',
      'gauge',
      'Chunks that this worker has now',
      sum(({ active }) => active),
    ),
    ...metric(
      'processes',
      'gauge',
      'Processes that run tasks',
      sum(({ pids }) => pids.length),
    ),
    ...metric(
      'chunks_total',
      'counter',
      'Chunks run',
      sum(({ chunks }) => chunks),
    ),
    ...metric(
      'items_total',
      'counter',
      'Items run',
      sum(({ items }) => items),
    ),
    ...metric(
      'failed_items_total',
      'counter',
      'Items that failed',
      sum(({ failedItems }) => failedItems),
    ),
    ...metric(
      'unwanted_chunks_total',
      'counter',
      'Chunks nobody wanted',
      sum(({ unwanted }) => unwanted),
    ),
    '# HELP furca_worker_refused_jobs_total Jobs refused, by reason',
    '# TYPE furca_worker_refused_jobs_total counter',
    ...[...refused].map(([reason, count]) => `furca_worker_refused_jobs_total{reason="${reason}"} ${count}`),
  ];
  return `${lines.join('\n')}\n`;
}

function metric(name: string, type: string, help: string, value: number): string[] {
  const full = `furca_worker_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, `${full} ${value}`];
}
