import { Pool } from '../pool.js';
import type { PolicyName } from './policies.js';
import { type JobOutcome, type ScheduleRun, summarize, type TraceJob } from './simulator.js';

/** Keeps a CPU busy for so long of its own time: while the process is stopped the time stands still. */
function burn(runMs: number): number {
  const startedAt = performance.timeOrigin + performance.now();
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 >= runMs) return startedAt;
  }
}

/**
 * Plays a trace with a real pool: each job burns its time in a worker.
 *
 * @param cpus - Workers that run at a time, at least 1.
 * @returns The same figures as `simulate` gives; when a job runs is looked at every millisecond.
 */
export async function playTrace(
  jobs: readonly TraceJob[],
  policy: PolicyName,
  cpus: number,
): Promise<ScheduleRun> {
  await using pool = new Pool(cpus, { schedule: policy });
  await pool.warmUp();
  const chart = new RunningChart(pool);
  const origin = performance.now();
  const outcomes = await Promise.all(
    jobs.map(async (job): Promise<JobOutcome> => {
      await new Promise((resolve) => setTimeout(resolve, origin + job.arrivalMs - performance.now()));
      const cameAt = performance.now() - origin;
      const result = pool.apply(burn, [job.runMs], { cost: job.runMs, priority: job.priority ?? 0 });
      const startedAt = (await result) - performance.timeOrigin - origin;
      const endMs = performance.now() - origin;
      const turnaroundMs = endMs - cameAt;
      return {
        ...job,
        startMs: startedAt,
        endMs,
        responseMs: startedAt - cameAt,
        waitMs: Math.max(0, turnaroundMs - job.runMs),
        turnaroundMs,
      };
    }),
  );
  chart.end();
  return summarize(policy, cpus, chart.spansOf(jobs, origin), outcomes);
}

interface Sample {
  readonly id: number;
  readonly place: number;
  readonly fromMs: number;
  toMs: number;
}

/** Looks every millisecond which tasks run. */
class RunningChart {
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pool: Pool) {
    this.#timer = setInterval(() => this.#look(pool), 1);
  }

  #look(pool: Pool): void {
    const now = performance.now();
    const running = pool.stats().tasks.filter(({ state }) => state === 'running');
    const before = this.#samples.filter(({ toMs }) => now - toMs < 20);
    const taken = new Set<number>();
    for (const { id } of running) {
      const last = before.findLast((sample) => sample.id === id);
      if (last === undefined) continue;
      last.toMs = now;
      taken.add(last.place);
    }
    for (const { id } of running) {
      if (before.some((sample) => sample.id === id)) continue;
      let place = 0;
      while (taken.has(place)) place++;
      taken.add(place);
      this.#samples.push({ id, place, fromMs: now, toMs: now });
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** The pool numbers its calls as they come: in the order of their arrival. */
  spansOf(jobs: readonly TraceJob[], origin: number): ScheduleRun['spans'] {
    const inOrder = [...jobs].sort((a, b) => a.arrivalMs - b.arrivalMs);
    const first = Math.min(...this.#samples.map(({ id }) => id));
    return this.#samples.map(({ id, place, fromMs, toMs }) => ({
      job: inOrder[id - first]?.name ?? '?',
      cpu: place,
      fromMs: fromMs - origin,
      toMs: toMs - origin,
    }));
  }
}
