// Preempts workers that allocate, lock and send; the short form is a test.
// Usage: node scripts/preemptions.mjs [count] ; FURCA_SEED repeats a run. Build first.
import { spawnSync } from 'node:child_process';

const count = Number(process.argv[2] ?? 10_000);
const seed = process.env.FURCA_SEED ?? String(Date.now() % 1e6);
console.log(`FURCA_SEED=${seed}`);
const startedAt = performance.now();
const run = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-name-pattern=preemptions of workers',
    'dist/test/faults/pool.preemption.test.js',
  ],
  {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, FURCA_PREEMPTIONS: String(count), FURCA_SEED: seed },
    stdio: 'inherit',
  },
);
console.log(`${count} preemptions in ${Math.round((performance.now() - startedAt) / 1000)} s`);
process.exitCode = run.status ?? 1;
