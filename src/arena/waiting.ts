import { TimeoutError, UsageError } from '../base/errors.js';
import { runSignalHandlers } from '../kernel/signals.js';
import { type Member, membership, ownMembership } from './member.js';
import type { WaitOptions } from './parking.js';
import { spinUntil } from './spinning.js';

/** Something to be waited for, as a member of the family sees it. */
export interface Gate {
  /** Passes if that is possible now; leaves no trace if not. */
  tryPass(): boolean;
  /** As one who has arrived: passes, or makes sure of being woken. */
  pass(): boolean;
  /** Makes this member known as waiting. */
  arrive(): void;
  /** Takes it off again, whether it has passed or not; hands on a wake-up that it makes no use of. */
  leave(): void;
}

/** Options of a form that blocks. */
export interface SyncWaitOptions {
  /** Longest wait in milliseconds; `0` never waits. Default `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

/** How long a thread looks before it sleeps: being woken costs more than most critical sections last. */
const SPIN_MS = 0.05;
/** A blocked thread comes back to JavaScript this often, so that it can be terminated. */
const SLICE_MS = 50;

/** Refuses a `timeoutMs` that is no number of milliseconds. */
export function checkedTimeout(timeoutMs: number | undefined, doing: string): number {
  if (timeoutMs === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeoutMs === 'number' && !Number.isNaN(timeoutMs)) return Math.max(timeoutMs, 0);
  throw new UsageError(`${doing} failed: timeoutMs must be a number of milliseconds.`);
}

/** Resolves once the gate is passed. */
export async function passGate(gate: Gate, doing: string, options: WaitOptions = {}): Promise<void> {
  const timeoutMs = checkedTimeout(options.timeoutMs, doing);
  options.signal?.throwIfAborted();
  if (gate.tryPass()) return;
  if (timeoutMs === 0) throw timedOut(doing, 0);
  gate.arrive();
  try {
    await ownMembership().parking.waitUntil(() => gate.pass(), doing, { ...options, timeoutMs });
  } finally {
    gate.leave();
  }
}

/** Blocks this thread until the gate is passed. */
export function passGateSync(gate: Gate, doing: string, timeout: number | undefined): void {
  const timeoutMs = checkedTimeout(timeout, doing);
  if (gate.tryPass()) return;
  if (timeoutMs === 0) throw timedOut(doing, 0);
  const { arena, owner, parking } = ownMembership();
  const deadline = performance.now() + timeoutMs;
  if (spinUntil(arena, owner, () => gate.tryPass(), Math.min(SPIN_MS, timeoutMs))) return;
  gate.arrive();
  try {
    for (;;) {
      const leftMs = deadline - performance.now();
      if (parking.blockUntil(() => gate.pass(), Math.min(leftMs, SLICE_MS))) return;
      // A signal ends a wait early; its handlers may change what is waited for, or end the process.
      runSignalHandlers();
      if (leftMs <= SLICE_MS && performance.now() >= deadline) throw timedOut(doing, timeoutMs);
    }
  } finally {
    gate.leave();
  }
}

function timedOut(doing: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `${doing} failed: not within ${timeoutMs} ms. Wait again, or see stats() for who holds it.`,
    timeoutMs,
  );
}

/** Counts the flows of this process that wait for one block: the first makes the member known, the last takes it off. */
export class Arrivals {
  #count = 0;
  #of: Member | undefined;

  /** What a forked child finds here are its parent's flows, which wait there. */
  #own(): number {
    const member = membership();
    if (this.#of !== member) this.#count = 0;
    this.#of = member;
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#own() === 0;
  }

  get areSeveral(): boolean {
    return this.#own() > 1;
  }

  /** @returns Whether this is the first. */
  add(): boolean {
    this.#count = this.#own() + 1;
    return this.#count === 1;
  }

  /** @returns Whether this was the last. */
  remove(): boolean {
    this.#count = this.#own() - 1;
    return this.#count === 0;
  }
}
