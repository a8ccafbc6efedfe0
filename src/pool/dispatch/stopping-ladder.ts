import { type MarkedProcess, markDescendants, signalMarked } from '../../kernel/process-tree.js';
import type { WorkerLink } from '../crew/worker-link.js';
import { ownTimer } from '../own-timer.js';
import type { Stopping } from './settlement.js';

/** Times of the ladder; see {@link PoolOptions}. */
export interface LadderSettings {
  readonly abortGraceMs: number;
  readonly killGraceMs: number;
}

/**
 * Stops a running task: asks it by its abort signal, if it has ever looked at it; then ends its worker, and every process that
 * the worker has started, by SIGTERM; then by SIGKILL.
 *
 * Each step is taken only while the task still runs. The timers keep no program alive, but the first steps are taken at once.
 */
export class StoppingLadder {
  readonly #settings: LadderSettings;
  readonly #timers = new Map<WorkerLink, NodeJS.Timeout>();

  constructor(settings: LadderSettings) {
    this.#settings = settings;
  }

  begin(link: WorkerLink, stopping: Stopping): void {
    if (link.stopping !== undefined) return;
    link.stopping = stopping;
    link.abort(stopping.number);
    if (!link.progress.isHeeding(stopping.number)) this.#terminate(link);
    else this.#later(link, this.#settings.abortGraceMs, () => this.#terminate(link));
  }

  /** The task is through after all: the worker may go on. */
  settle(link: WorkerLink): void {
    const { stopping } = link;
    if (stopping === undefined || link.outstanding.has(stopping.number)) return;
    link.stopping = undefined;
    clearTimeout(this.#timers.get(link));
    this.#timers.delete(link);
  }

  #terminate(link: WorkerLink): void {
    const started = startedBy(link);
    link.body?.signal('SIGTERM');
    signalMarked(started, 'SIGTERM');
    this.#later(link, this.#settings.killGraceMs, () => this.#kill(link, started));
  }

  #kill(link: WorkerLink, started: readonly MarkedProcess[]): void {
    // What it started meanwhile goes with it; what outlived it too.
    const all = link.body?.exitCode === null ? [...started, ...startedBy(link)] : started;
    link.body?.signal('SIGKILL');
    signalMarked(all, 'SIGKILL');
  }

  #later(link: WorkerLink, ms: number, step: () => void): void {
    const timer = ownTimer(() => {
      this.#timers.delete(link);
      step();
    }, ms);
    this.#timers.set(link, timer);
  }
}

/** The processes below the worker. Of those below this process nobody can tell which a thread has started. */
function startedBy({ body }: WorkerLink): MarkedProcess[] {
  return body === undefined || body.threadId !== 0 ? [] : markDescendants(body.pid);
}
