import { test } from 'node:test';
import { pickSeed } from '../fixtures/arena-stage.js';
import { type SyncStormName, stormSync } from '../fixtures/sync-storms.js';

// Short runs of `node scripts/storm-sync.mjs all 300`.
const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);

const TITLES: Readonly<Record<SyncStormName, string>> = {
  lock: 'A Lock whose users are killed lets one in at a time, tells of each death in a section, and leaves nobody waiting',
  rlock: 'An RLock whose users are killed does so, too',
  semaphore: 'A Semaphore whose users are killed never lets too many in, and gets all its permits back',
  condition: 'A Condition whose waiters and notifiers are killed leaves no other asleep',
  event: 'An Event whose waiters and setters are killed releases all others',
  barrier: 'A Barrier whose parties are killed lets the others know, and serves again after a reset',
};

for (const [name, title] of Object.entries(TITLES)) {
  test(title, () => stormSync(name as SyncStormName, 10, seed));
}

test('Threads that are terminated beside processes that are killed disturb a lock no more than these', () =>
  stormSync('lock', 10, seed, true));
