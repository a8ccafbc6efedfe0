// Kill storms against the shared-memory protocols: `node scripts/storm.mjs [storm|all] [rounds]`; FURCA_SEED repeats a run.
import { pickSeed } from '../dist/test/fixtures/arena-stage.js';
import { STORMS as ARENA_STORMS } from '../dist/test/fixtures/arena-storms.js';
import { QUEUE_STORMS } from '../dist/test/fixtures/queue-storms.js';

const STORMS = { ...ARENA_STORMS, ...QUEUE_STORMS };
const [wanted = 'all', rounds = '800'] = process.argv.slice(2);
const names = wanted === 'all' ? Object.keys(STORMS) : [wanted];
const seed = pickSeed();
for (const name of names) {
  const began = performance.now();
  console.log(`${name}: ${rounds} rounds, FURCA_SEED=${seed}`);
  await STORMS[name](Number(rounds), seed);
  console.log(`${name}: whole after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
// A storm that failed has members left; they would keep this process alive.
process.exit();
