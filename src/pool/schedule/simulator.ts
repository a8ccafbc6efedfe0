import type { Schedulable, SchedulingPolicy } from './contract.js';

/** A job of a trace: when it comes, how long it runs. */
export interface TraceJob {
  readonly name: string;
  readonly arrivalMs: number;
  readonly runMs: number;
  /** Default 0. */
  readonly priority?: number;
}

/** A stretch of time in which a job ran on a CPU. */
export interface GanttSpan {
  readonly job: string;
  readonly cpu: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What became of a job. */
export interface JobOutcome extends TraceJob {
  readonly startMs: number;
  readonly endMs: number;
  /** From coming to the first run. */
  readonly responseMs: number;
  /** Time that it was ready and did not run. */
  readonly waitMs: number;
  /** From coming to the end. */
  readonly turnaroundMs: number;
}

/** A run of a trace, simulated or real. */
export interface ScheduleRun {
  readonly policy: string;
  readonly cpus: number;
  readonly spans: readonly GanttSpan[];
  readonly jobs: readonly JobOutcome[];
  readonly meanTurnaroundMs: number;
  readonly meanResponseMs: number;
  readonly meanWaitMs: number;
}

interface SimulatedTask extends Schedulable {
  readonly job: TraceJob;
  ranMs: number;
  startedAt: number;
}

interface Cpu {
  readonly index: number;
  task: SimulatedTask | undefined;
  since: number;
}

/**
 * Plays a trace through a policy on an ideal machine: no job costs anything but its time, and putting one off costs nothing.
 *
 * It is the same object that decides in a pool. `sjf` is told the true times.
 *
 * @param cpus - Jobs that run at a time, at least 1. Default 1.
 */
export function simulate(jobs: readonly TraceJob[], policy: SchedulingPolicy, cpus: number = 1): ScheduleRun {
  return new Simulation(jobs, policy, cpus).run();
}

class Simulation {
  readonly #policy: SchedulingPolicy;
  readonly #coming: SimulatedTask[];
  readonly #cpus: readonly Cpu[];
  readonly #spans: GanttSpan[] = [];
  readonly #jobs: JobOutcome[] = [];
  #now = 0;

  constructor(jobs: readonly TraceJob[], policy: SchedulingPolicy, cpus: number) {
    this.#policy = policy;
    this.#coming = jobs
      .map((job, id) => ({
        id,
        job,
        priority: job.priority ?? 0,
        cost: job.runMs,
        arrivedAt: job.arrivalMs,
        ranMs: 0,
        startedAt: Number.NaN,
      }))
      .sort((a, b) => a.arrivedAt - b.arrivedAt);
    this.#cpus = Array.from({ length: cpus }, (_, index) => ({ index, task: undefined, since: 0 }));
  }

  run(): ScheduleRun {
    while (this.#coming.length > 0 || this.#policy.size > 0 || this.#isBusy()) {
      this.#now = this.#nextEvent();
      this.#endFinished();
      while (this.#coming[0] !== undefined && this.#coming[0].arrivedAt <= this.#now)
        this.#policy.add(this.#coming.shift() as SimulatedTask, this.#now, 'new');
      this.#fill();
      while (this.#preempt()) this.#fill();
    }
    return summarize(this.#policy.name, this.#cpus.length, this.#spans, this.#jobs);
  }

  #isBusy(): boolean {
    return this.#cpus.some(({ task }) => task !== undefined);
  }

  /** When something happens next: somebody comes, ends, or has used up its quantum. */
  #nextEvent(): number {
    let next = this.#coming[0]?.arrivedAt ?? Number.POSITIVE_INFINITY;
    for (const { task, since } of this.#cpus) {
      if (task === undefined) continue;
      next = Math.min(next, since + task.job.runMs - task.ranMs);
      if (this.#policy.size === 0 || this.#policy.quantumMs === undefined) continue;
      const quantumAt = since + this.#policy.quantumMs(task);
      if (quantumAt > this.#now) next = Math.min(next, quantumAt);
    }
    return Math.max(next, this.#now);
  }

  #endFinished(): void {
    for (const cpu of this.#cpus) {
      const { task } = cpu;
      if (task === undefined || this.#now < cpu.since + task.job.runMs - task.ranMs) continue;
      this.#putOff(cpu);
      this.#policy.finished?.(task);
      const { job, startedAt, arrivedAt } = task;
      const turnaroundMs = this.#now - arrivedAt;
      this.#jobs.push({
        ...job,
        startMs: startedAt,
        endMs: this.#now,
        responseMs: startedAt - arrivedAt,
        waitMs: turnaroundMs - job.runMs,
        turnaroundMs,
      });
    }
  }

  #fill(): void {
    for (const cpu of this.#cpus) {
      if (cpu.task !== undefined) continue;
      const next = this.#policy.peek(this.#now) as SimulatedTask | undefined;
      if (next === undefined) return;
      this.#policy.remove(next, this.#now);
      if (Number.isNaN(next.startedAt)) next.startedAt = this.#now;
      cpu.task = next;
      cpu.since = this.#now;
    }
  }

  /** @returns whether a job made way. */
  #preempt(): boolean {
    for (const cpu of this.#cpus) {
      const { task, since } = cpu;
      if (task === undefined || this.#policy.shallYield?.(task, this.#now - since, this.#now) !== true)
        continue;
      this.#putOff(cpu);
      this.#policy.add(task, this.#now, 'preempted');
      return true;
    }
    return false;
  }

  #putOff(cpu: Cpu): void {
    const task = cpu.task as SimulatedTask;
    cpu.task = undefined;
    task.ranMs += this.#now - cpu.since;
    if (this.#now > cpu.since)
      this.#spans.push({ job: task.job.name, cpu: cpu.index, fromMs: cpu.since, toMs: this.#now });
  }
}

/** The means of a run whose spans and ends are known. */
export function summarize(
  policy: string,
  cpus: number,
  spans: readonly GanttSpan[],
  jobs: readonly JobOutcome[],
): ScheduleRun {
  const mean = (of: (job: JobOutcome) => number): number =>
    jobs.length === 0 ? 0 : jobs.reduce((sum, job) => sum + of(job), 0) / jobs.length;
  return {
    policy,
    cpus,
    spans,
    jobs,
    meanTurnaroundMs: mean((job) => job.turnaroundMs),
    meanResponseMs: mean((job) => job.responseMs),
    meanWaitMs: mean((job) => job.waitMs),
  };
}
