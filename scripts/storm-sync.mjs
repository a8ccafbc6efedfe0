// Kill storms against the primitives: `node scripts/storm-sync.mjs [lock|rlock|semaphore|condition|event|barrier|all] [rounds] [threads]`;
// FURCA_SEED repeats a run.
import { pickSeed } from '../dist/test/fixtures/arena-stage.js';
import { SYNC_STORMS, stormSync } from '../dist/test/fixtures/sync-storms.js';

const [wanted = 'all', rounds = '300', threads] = process.argv.slice(2);
const seed = pickSeed();
for (const name of wanted === 'all' ? Object.keys(SYNC_STORMS) : [wanted]) {
  const began = performance.now();
  console.log(`${name}${threads ? ' with threads' : ''}: ${rounds} rounds, FURCA_SEED=${seed}`);
  await stormSync(name, Number(rounds), seed, threads !== undefined);
  console.log(`${name}: whole after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
process.exit();
