import type { ReadyReason, Schedulable, SchedulingPolicy } from './contract.js';

/** How a multi-level feedback queue is set. */
export interface MlfqOptions {
  /** Time a task may run in each level, in milliseconds; the first level is the most urgent. Default `[8, 32, 128]`. */
  readonly quantaMs?: readonly number[];
  /** How often all tasks go back to the first level, in milliseconds. Default 1000. */
  readonly boostMs?: number;
}

interface Standing {
  level: number;
  /** What it has used of its time in this level. */
  usedMs: number;
}

/**
 * A multi-level feedback queue (Arpaci-Dusseau, Operating Systems: Three Easy Pieces, chapter 8).
 *
 * 1. Who is in a higher level goes first. 2. In the same level they take turns, a quantum each. 3. A new task starts in the highest
 * level. 4. Who has used up the time of a level, in however many turns, goes down by one. 5. Every so often all go
 * back to the highest level, so that nobody starves and who has changed its habits is treated by them.
 */
export class Mlfq implements SchedulingPolicy {
  readonly name = 'mlfq';
  readonly #quantaMs: readonly number[];
  readonly #boostMs: number;
  readonly #levels: Set<Schedulable>[];
  readonly #standings = new Map<Schedulable, Standing>();
  #boostedAt = Number.NaN;

  constructor({ quantaMs = [8, 32, 128], boostMs = 1000 }: MlfqOptions = {}) {
    if (quantaMs.length === 0 || !quantaMs.every((ms) => ms > 0))
      throw new RangeError('quantaMs must hold at least one time above 0');
    if (!(boostMs > 0)) throw new RangeError('boostMs must be above 0');
    this.#quantaMs = quantaMs;
    this.#boostMs = boostMs;
    this.#levels = quantaMs.map(() => new Set());
  }

  get size(): number {
    return this.#levels.reduce((sum, level) => sum + level.size, 0);
  }

  /** The level of a task that has come and is not through; the most urgent is 0. */
  levelOf(task: Schedulable): number | undefined {
    return this.#standings.get(task)?.level;
  }

  add(task: Schedulable, nowMs: number, reason: ReadyReason): void {
    this.#boostWhenDue(nowMs);
    let standing = this.#standings.get(task);
    if (standing === undefined || reason !== 'preempted') {
      standing = { level: 0, usedMs: task.ranMs };
      this.#standings.set(task, standing);
    }
    this.#levels[standing.level]?.add(task);
  }

  peek(nowMs: number): Schedulable | undefined {
    this.#boostWhenDue(nowMs);
    for (const level of this.#levels) for (const task of level) return task;
    return undefined;
  }

  remove(task: Schedulable): void {
    for (const level of this.#levels) if (level.delete(task)) return;
  }

  finished(task: Schedulable): void {
    this.#standings.delete(task);
  }

  quantumMs(running: Schedulable): number {
    const { level, usedMs } = this.#standing(running);
    return Math.max(0.5, (this.#quantaMs[level] as number) - usedMs);
  }

  shallYield(running: Schedulable, runMs: number, nowMs: number): boolean {
    const next = this.peek(nowMs);
    if (next === undefined) return false;
    const standing = this.#standing(running);
    const nextLevel = this.#standing(next).level;
    if (nextLevel < standing.level) {
      standing.usedMs += runMs;
      return true;
    }
    if (standing.usedMs + runMs < (this.#quantaMs[standing.level] as number)) return false;
    const isLowest = standing.level === this.#quantaMs.length - 1;
    const levelAfter = isLowest ? standing.level : standing.level + 1;
    // Down one level and still before all that is ready: it would only be stopped to be put on again.
    const doesYield = nextLevel <= levelAfter;
    standing.level = levelAfter;
    standing.usedMs = doesYield ? 0 : -runMs;
    return doesYield;
  }

  #standing(task: Schedulable): Standing {
    return this.#standings.get(task) ?? { level: 0, usedMs: 0 };
  }

  #boostWhenDue(nowMs: number): void {
    if (!(nowMs - this.#boostedAt < this.#boostMs)) {
      const isFirst = Number.isNaN(this.#boostedAt);
      this.#boostedAt = nowMs;
      if (!isFirst) this.#boost();
    }
  }

  #boost(): void {
    for (const standing of this.#standings.values()) {
      standing.level = 0;
      standing.usedMs = 0;
    }
    const [highest, ...others] = this.#levels;
    for (const level of others) {
      for (const task of level) highest?.add(task);
      level.clear();
    }
  }
}
