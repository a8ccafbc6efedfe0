import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WorkerLink } from '../crew/worker-link.js';
import { itemCount, type Task } from '../jobs/task.js';

/** An event in the Chrome trace-event format, which Perfetto and chrome://tracing open; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M' | 'i' | 'b' | 'e';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: number;
  readonly s?: 'p';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** The row of the pool itself, on which waiting tasks are drawn. */
const QUEUE_ROW = 0;

/**
 * Writes down what happens to each message of work: how long it was queued, transferred, ran, and how long its result took back; the
 * last three on a row for each worker. The file is written when the pool ends, or the process.
 */
export class PoolTracer {
  readonly #path: string;
  readonly #name: string;
  readonly #events: TraceEvent[] = [];
  readonly #rows = new Set<number>();
  readonly #write = (): void => this.#save();
  #isWritten = false;

  constructor(path: string, poolName: string) {
    this.#path = resolve(path);
    this.#name = poolName;
    process.on('exit', this.#write);
  }

  /** @param ranMs - `NaN` when nobody knows: all of the time with the worker is then drawn as running. */
  done(link: WorkerLink, task: Task, ranMs: number): void {
    const now = performance.now();
    const row = this.#rowOf(link);
    const name = task.fn.name || 'task';
    const args = { job: task.job.id, first: task.first, items: itemCount(task), attempt: task.attempts + 1 };
    const id = task.id;
    this.#add({ name, cat: 'queue', ph: 'b', id, tid: QUEUE_ROW, ...at(task.queued.ms), args });
    this.#add({ name, cat: 'queue', ph: 'e', id, tid: QUEUE_ROW, ...at(task.sent.ms) });
    const withWorker = now - task.sent.ms;
    const ran = Number.isNaN(ranMs) ? withWorker : Math.min(ranMs, withWorker);
    // What is neither run nor known is shared between the two ways.
    const way = (withWorker - ran) / 2;
    this.#add({ name: 'transfer', cat: 'transfer', ph: 'X', tid: row, ...span(task.sent.ms, way) });
    this.#add({ name, cat: 'run', ph: 'X', tid: row, ...span(task.sent.ms + way, ran), args });
    this.#add({ name: 'result', cat: 'result', ph: 'X', tid: row, ...span(task.sent.ms + way + ran, way) });
  }

  lost(link: WorkerLink): void {
    const args = { exitCode: link.body?.exitCode ?? null };
    this.#add({
      name: 'worker lost',
      ph: 'i',
      s: 'p',
      tid: this.#rowOf(link),
      ...at(performance.now()),
      args,
    });
  }

  /** The pool is over. */
  end(): void {
    process.off('exit', this.#write);
    this.#save();
  }

  #rowOf(link: WorkerLink): number {
    const row = link.body?.threadId || (link.body?.pid ?? 1);
    if (!this.#rows.has(row)) {
      this.#rows.add(row);
      this.#add({ name: 'thread_name', ph: 'M', tid: row, args: { name: `worker ${row}` } });
    }
    return row;
  }

  #add(event: Omit<TraceEvent, 'pid'>): void {
    this.#events.push({ pid: process.pid, ...event });
  }

  #save(): void {
    if (this.#isWritten) return;
    this.#isWritten = true;
    const heads: TraceEvent[] = [
      { name: 'process_name', ph: 'M', pid: process.pid, tid: QUEUE_ROW, args: { name: this.#name } },
      { name: 'thread_name', ph: 'M', pid: process.pid, tid: QUEUE_ROW, args: { name: 'queue' } },
    ];
    writeFileSync(
      this.#path,
      JSON.stringify({ traceEvents: [...heads, ...this.#events], displayTimeUnit: 'ms' }),
    );
  }
}

function at(ms: number): { readonly ts: number } {
  return { ts: Math.round(ms * 1000) };
}

function span(fromMs: number, forMs: number): { readonly ts: number; readonly dur: number } {
  return { ts: Math.round(fromMs * 1000), dur: Math.max(0, Math.round(forMs * 1000)) };
}
