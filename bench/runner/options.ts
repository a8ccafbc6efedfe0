import { parseArgs } from 'node:util';

import type { Mode } from './plan.js';

export interface BenchOptions {
  readonly shape: string;
  readonly mode: Mode;
  readonly rounds: number;
  /** Only rows whose id holds this text; `''` takes all. */
  readonly only: string;
}

export const USAGE: string =
  'npm run bench -- start|pool|pingpong|locks|queue|closures|losses|schedule|cluster [--rounds N] [--quick] [--only TEXT]';

/**
 * Reads the command line of `npm run bench`.
 *
 * @throws Error when an option is unknown, the shape is missing or `--rounds` is not a positive integer.
 */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const [shape, ...rest] = positionals;
  if (shape === undefined || rest.length > 0) {
    throw new Error(`name one shape. Usage: ${USAGE}`);
  }
  const mode: Mode = values.quick ? 'quick' : 'full';
  const rounds = Number(values.rounds ?? (mode === 'quick' ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds must be a positive integer, got ${values.rounds}. Usage: ${USAGE}`);
  }
  return { shape, mode, rounds, only: values.only };
}
