import { canPin } from './affinity.js';
import { type Failure, observe } from './observation.js';
import { type Mode, type Observation, type Row, rowsOf, type Shape } from './plan.js';
import { pythonVersion } from './python.js';

/** Everything seen of one row, round by round. */
export interface RowResult {
  readonly row: Row;
  readonly observations: Observation[];
  readonly failures: string[];
  /** Why the row was not run at all, such as a missing interpreter. */
  readonly skipped: string | null;
}

export interface RoundsOptions {
  readonly mode: Mode;
  readonly rounds: number;
  readonly only: string;
  /** Told of everything worth a line while the bench runs. */
  readonly say: (line: string) => void;
}

function isFailure(seen: Observation | Failure): seen is Failure {
  return 'failure' in seen;
}

/**
 * Runs all rows of `shape` once per round, every second round in reverse, so that a machine that drifts does so
 * for all alike. A failing row is told at once and does not stop the others.
 */
export async function runRounds(shape: Shape, options: RoundsOptions): Promise<RowResult[]> {
  const hasPython = pythonVersion() !== null;
  const hasTaskset = canPin();
  const lack = (row: Row): string | null => {
    if (row.program.kind === 'python' && !hasPython) return 'no python3 on this machine';
    return row.isPinned && !hasTaskset ? 'no taskset on this machine' : null;
  };
  const results = rowsOf(shape)
    .filter((row) => row.id.includes(options.only))
    .map((row): RowResult => ({ row, observations: [], failures: [], skipped: lack(row) }));
  for (const { row, skipped } of results) {
    if (skipped !== null) options.say(`!!! SKIPPED ${row.label}: ${skipped}`);
  }
  const wanted = results.filter(({ skipped }) => skipped === null);
  for (let round = 1; round <= options.rounds; round++) {
    const started = performance.now();
    for (const result of round % 2 === 1 ? wanted : wanted.toReversed()) {
      const seen = await observe(shape.name, result.row, options.mode, shape.timeoutMs);
      if (isFailure(seen)) {
        result.failures.push(seen.failure);
        const isNew = result.failures.indexOf(seen.failure) === result.failures.length - 1;
        const told = isNew ? seen.failure : 'as before';
        options.say(`!!! FAILED ${result.row.id} (round ${round}): ${told}`);
      } else {
        result.observations.push(seen);
      }
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    options.say(`round ${round} of ${options.rounds}: ${wanted.length} rows in ${seconds} s`);
  }
  return results;
}
