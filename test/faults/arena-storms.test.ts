import { after, test } from 'node:test';
import { endActors, pickSeed } from '../fixtures/arena-stage.js';
import { stormAllocator, stormInbox, stormLock } from '../fixtures/arena-storms.js';

const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);
after(endActors);

test('A robust lock whose owners are killed inside goes to the next one, who is told, and never to two', async () => {
  await stormLock(30, seed);
});

test('Members killed while they take, pass on and drop blocks leave no block and no page behind, and harm no other', async () => {
  await stormAllocator(12, seed);
});

test('Producers killed while they put into an inbox leave it whole: every block once, in order of its producer', async () => {
  await stormInbox(10, seed);
});
