import { cpus } from 'node:os';

/** Finds out how much of the machine's CPUs was not there for this program: others ran on them, or the host took them. */
export class OtherLoad {
  readonly #beganAt = performance.now();
  readonly #idleBefore = idleMs();
  readonly #ownBefore = process.cpuUsage();

  /**
   * @param workersMs - CPU time that this program's other processes used meanwhile.
   * @returns a share from 0 to 1.
   */
  since(workersMs: number): number {
    const all = (performance.now() - this.#beganAt) * cpus().length;
    const own = process.cpuUsage(this.#ownBefore);
    const used = workersMs + (own.user + own.system) / 1000;
    return Math.max(0, Math.min(1, (all - used - (idleMs() - this.#idleBefore)) / all));
  }
}

function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0);
}
